from __future__ import annotations

import re
from typing import Any

import pytest

from media_jobs.operations.core import InvalidParamsGroup, as_sent, from_flat, media_refs, parse
from media_jobs.operations.core.declaration import REGISTRY

URL = "https://example.com/a.mp4"


def wrong_fields(name: str, params: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidParamsGroup) as refused:
        parse(name, params)
    return [(error.field, error.code) for error in refused.value.errors]


@pytest.mark.parametrize(
    "given",
    [
        {"input": URL},
        {"input": {"url": URL}},
        {"input_url": URL},
        {"video_url": URL},
        {"audio_url": URL},
    ],
)
def test_it_works(given: dict[str, Any]) -> None:
    (ref,) = media_refs(parse("transcode", given))
    assert (ref.role, ref.ref.url, ref.ref.file) == ("input", URL, None)


@pytest.mark.parametrize("given", ["file_01abc", {"file": "file_01abc"}])
def test_a_stored_file(given: Any) -> None:
    (ref,) = media_refs(parse("transcode", {"input": given}))
    assert (ref.ref.url, ref.ref.file) == (None, "file_01abc")


@pytest.mark.parametrize("name", ["inputs", "inputs_url", "input_urls", "video_urls"])
def test_lists_of_media(name: str) -> None:
    refs = media_refs(parse("video/concat", {name: [URL, {"file": "file_2"}]}))
    assert [ref.role for ref in refs] == ["inputs/0", "inputs/1"]


def test_two_media_have_no_common_name() -> None:
    assert ("video_url", "unknown_field") in wrong_fields("image/to-video", {"video_url": URL})
    parsed = parse("image/to-video", {"input_url": URL, "audio_url": URL})
    assert [ref.role for ref in media_refs(parsed)] == ["input", "audio"]


@pytest.mark.parametrize(
    "given",
    [
        "",
        "film.mp4",
        "file:///etc/passwd",
        "ftp://example.com/a",
        "concat:a|b",
        "https://",
        "https://example.com/a b",
        "https://example.com/\n",
        "http://[::1",
        "https://example.com:99999/",
        {"url": URL, "file": "file_1"},
        {},
        {"file": "../etc/passwd"},
        7,
        None,
        [URL],
        "\ud800",
    ],
)
def test_no_reference(given: Any) -> None:
    assert [field for field, _ in wrong_fields("transcode", {"input": given})] == ["input"]


def test_mistakes_are_named_as_they_were_sent() -> None:
    sent = {"video_url": "nothing", "crf": 99, "resolution": {"width": 15}, "colour": 1}
    assert wrong_fields("transcode", sent) == [
        ("video_url", "invalid"),
        ("crf", "invalid"),
        ("resolution/width", "invalid"),
        ("colour", "unknown_field"),
    ]


@pytest.mark.parametrize(
    ("step", "wrong"),
    [
        (
            {"type": "brightness", "value": 0.2},
            [("params/value", "required"), ("value", "unknown_field")],
        ),
        (
            {"type": "text", "text": "hello"},
            [("params/text", "required"), ("text", "unknown_field")],
        ),
        ({"type": "crop"}, [("params/width", "required"), ("params/height", "required")]),
        ({"type": "crop", "params": {"width": 16}}, [("params/height", "required")]),
        ({"type": "text", "params": {}}, [("params/text", "required")]),
        ({"type": "scale"}, [("params", "invalid")]),
        ({"type": "crop", "params": None}, [("params", "invalid")]),
        ({"type": "gone"}, [("type", "invalid")]),
        ({}, [("type", "required")]),
    ],
)
def test_mistakes_in_a_filter_are_named_where_they_belong(
    step: dict[str, Any], wrong: list[tuple[str, str]]
) -> None:
    found = wrong_fields("video/filter", {"input": URL, "filters": [step]})
    assert found == [(f"filters/0/{place}", code) for place, code in wrong]


def test_a_type_that_no_union_goes_by_is_no_part_of_it() -> None:
    given = {"inputs": [URL, URL], "transition": {"type": "fade", "fade": 1}}
    assert wrong_fields("video/concat", given) == [("transition/fade", "unknown_field")]


def test_a_word_that_is_a_field_too_is_no_type() -> None:
    given = {"input": URL, "type": "resolution", "resolution": {"width": "x"}}
    assert wrong_fields("transcode", given) == [
        ("resolution/width", "invalid"),
        ("type", "unknown_field"),
    ]


@pytest.mark.parametrize("name", sorted(REGISTRY))
@pytest.mark.parametrize("value", [None, True, 3, "x", [], {}, [[]], [{}], [3], {"a": []}])
def test_mistakes_are_told_without_words_of_python(name: str, value: Any) -> None:
    for field in REGISTRY[name].model_fields:
        try:
            parse(name, {field: value})
        except InvalidParamsGroup as refused:
            told = " ".join(error.detail for error in refused.errors)
            assert not re.search("tuple|dict|instance|extract|validation|None", told), told


def test_given_twice() -> None:
    assert wrong_fields("transcode", {"input": URL, "input_url": URL}) == [
        ("input_url", "duplicate")
    ]


@pytest.mark.parametrize("resolution", ["721p", "1x1", "99999x1", 720, True, [], {"height": 0}])
def test_no_resolution(resolution: Any) -> None:
    found = wrong_fields("transcode", {"input": URL, "resolution": resolution})
    assert all(field.startswith("resolution") for field, _ in found)


def test_sizes_may_be_written_as_text() -> None:
    told = parse("transcode", {"input": URL, "resolution": "320x180"}).to_params()
    assert told["resolution"] == {"width": 320, "height": 180}


@pytest.mark.parametrize("rate", ["0", "241", "abc", "25/0", "", [], True, "1e400", float("nan")])
def test_no_frame_rate(rate: Any) -> None:
    found = wrong_fields("video/concat", {"inputs": [URL, URL], "fps": rate})
    assert [field for field, _ in found] == ["fps"]


@pytest.mark.parametrize("rate", ["1", "7k", "500M", "-1M", "fast", "1MM", 0, True])
def test_no_bit_rate(rate: Any) -> None:
    found = wrong_fields("transcode", {"input": URL, "video_bitrate": rate})
    assert [field for field, _ in found] == ["video_bitrate"]


def test_one_flat_object_is_parted() -> None:
    body = {"input_url": URL, "crf": 20, "webhook_url": URL, "priority": "high", "tags": ["a"]}
    params, rest = from_flat("transcode", body)
    assert params == {"input_url": URL, "crf": 20}
    assert rest == {"webhook_url": URL, "priority": "high", "tags": ["a"]}


def test_a_field_is_named_as_it_was_sent() -> None:
    assert as_sent("transcode", {"video_url": URL}, "input") == "video_url"
    assert as_sent("transcode", {"input": URL, "crf": 20}, "crf") == "crf"
    assert as_sent("video/concat", {"inputs_url": [URL, URL]}, "inputs/1") == "inputs_url/1"


@pytest.mark.parametrize(
    ("width", "said"),
    [
        (8193, "less than or equal to 8192"),
        (15, "greater than or equal to 16"),
        (321, "should be an even number"),
    ],
)
def test_a_side_of_a_picture_is_first_in_range_then_even(width: int, said: str) -> None:
    with pytest.raises(InvalidParamsGroup, match=said):
        parse("video/thumbnails", {"input": "file_0", "width": width})
