from __future__ import annotations

import pytest

from media_jobs.ffmpeg.output_args import doubled, mapped_labels, options


def test_it_works() -> None:
    args = ("-map", "0:1", "-af", "afade", "-c:a", "aac", "-vn", "-af", "aformat", "-f", "mp4")
    assert doubled(args) == ["filter:a"]


@pytest.mark.parametrize(
    "args",
    [
        ("-map", "0:0", "-map", "0:1", "-metadata", "a=b", "-metadata", "c=d"),
        ("-c:v", "copy", "-c:a", "copy", "-c", "copy"),
        ("-map_metadata", "-1", "-map_metadata:s", "-1"),
        ("-filter:a:0", "anull", "-filter:a:1", "anull"),
        ("-movflags", "+faststart", "-movflags", "+frag_keyframe"),
        (),
    ],
)
def test_what_adds_up_or_is_for_other_streams_is_fine(args: tuple[str, ...]) -> None:
    assert doubled(args) == []


@pytest.mark.parametrize(
    ("args", "name"),
    [
        (("-af", "anull", "-filter:a", "anull"), "filter:a"),
        (("-vcodec", "copy", "-codec:v", "copy"), "c:v"),
        (("-b:v", "1M", "-vb", "2M"), "b:v"),
        (("-an", "-sn", "-an"), "an"),
        (("-movflags", "faststart", "-movflags", "frag_keyframe"), "movflags"),
        (("-disposition:a:0", "+default", "-disposition:a:0", "+dub"), "disposition:a:0"),
    ],
)
def test_one_option_under_several_names(args: tuple[str, ...], name: str) -> None:
    assert doubled(args) == [name]


@pytest.mark.parametrize("args", [("x",), ("-an", "x"), ("-c", "copy", "mp4"), ("-", "x")])
def test_a_word_out_of_place_is_an_error(args: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="stands where an option belongs"):
        list(options(args))


def test_labels_are_told_from_streams() -> None:
    assert mapped_labels(("-map", "0:0", "-map", "[out]", "-vf", "[a]null")) == ["out"]
