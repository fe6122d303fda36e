from __future__ import annotations

from typing import Any

import pytest

from media_jobs.operations.core import InvalidParamsGroup, find, parse
from media_jobs.surfaces.form import Field, fields, to_params


def field(operation: str, name: str) -> Field:
    return next(each for each in fields(find(operation)) if each.name == name)


def test_it_works() -> None:
    crf = field("transcode", "crf")
    assert (crf.label, crf.widget, crf.min, crf.max, crf.step) == ("Crf", "number", 0, 63, "1")
    assert not crf.required
    assert crf.help.startswith("Constant quality, lower is better")


@pytest.mark.parametrize(
    ("operation", "name", "widget"),
    [
        ("transcode", "input", "media"),
        ("video/concat", "inputs", "media_list"),
        ("image/to-video", "audio", "media"),
        ("transcode", "output_format", "select"),
        ("transcode", "resolution", "text"),
        ("transcode", "two_pass", "checkbox"),
        ("video/thumbnails", "timestamps", "list"),
        ("video/filter", "filters", "json"),
        ("video/concat", "transition", "json"),
        ("video/trim", "start", "number"),
    ],
)
def test_widgets(operation: str, name: str, widget: str) -> None:
    assert field(operation, name).widget == widget


def test_media_come_first_and_units_are_told() -> None:
    assert fields(find("image/to-video"))[0].name == "input"
    assert field("video/trim", "start").unit == "s"
    assert field("transcode", "output_format").default == "mp4"
    assert "webm" in field("transcode", "output_format").choices
    assert field("video/filter", "filters").required


def test_even_numbers_are_told() -> None:
    assert field("video/thumbnails", "width").step == "2"
    assert field("video/thumbnails", "count").step == "1"


def filled(operation: str, **texts: str) -> dict[str, Any]:
    return to_params(fields(find(operation)), texts)


def test_what_is_typed_becomes_parameters() -> None:
    params = filled(
        "video/thumbnails",
        input="file_1",
        timestamps="0, 1.5,3",
        width="320",
        height="",
        format="png",
    )
    assert params == {
        "input": "file_1",
        "timestamps": ["0", "1.5", "3"],
        "width": "320",
        "format": "png",
    }
    assert parse("video/thumbnails", params).to_params()["timestamps"] == [0, 1.5, 3]


def test_checkboxes() -> None:
    assert filled("transcode", two_pass="true", faststart="false") == {
        "two_pass": True,
        "faststart": False,
    }


def test_nested_values_are_json() -> None:
    assert filled("video/filter", filters='[{"type": "grayscale"}]') == {
        "filters": [{"type": "grayscale"}]
    }


def test_broken_json_is_named_with_an_example() -> None:
    with pytest.raises(InvalidParamsGroup) as refused:
        filled("video/filter", filters="[{type}]")
    (error,) = refused.value.errors
    assert error.field == "filters"
    assert '"type"' in error.detail
