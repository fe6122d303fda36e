from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from media_jobs.ffmpeg.capabilities import Capabilities, Font
from media_jobs.operations.core import InvalidParams, InvalidParamsGroup, Media
from media_jobs.operations.core.driver import plan
from tests.harness.measure import difference, grey_pixels, raw_frame, rgb
from tests.harness.media import Samples
from tests.operations.workshop import Done, declared, run, sources_of

DEJAVU = Font("DejaVu Sans", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")


def changed(media: Samples, folder: Path, sample: str, *steps: dict[str, Any]) -> Done:
    return run(media, folder, "video/filter", sample, filters=list(steps))


def step(kind: str, **params: Any) -> dict[str, Any]:
    return {"type": kind, "params": params}


def mean(path: Path) -> float:
    return sum(grey_pixels(path)) / 32**2


def spread(path: Path) -> float:
    pixels = grey_pixels(path, size=128)
    middle = sum(pixels) / len(pixels)
    return math.sqrt(sum((pixel - middle) ** 2 for pixel in pixels) / len(pixels))


def colourfulness(path: Path) -> int:
    rows = raw_frame(path, 0, "scale=64:36,format=rgb24")
    return sum(max(rows[at : at + 3]) - min(rows[at : at + 3]) for at in range(0, len(rows), 3))


def test_it_works(media: Samples, tmp_path: Path) -> None:
    done = changed(media, tmp_path, "film", step("scale", width=320), step("grayscale"))
    video = done.info.video
    assert video is not None
    assert (video.width, video.height) == (320, 180)
    assert colourfulness(done.path) < colourfulness(media.path("film")) / 50
    assert done.info.audio[0].codec == "aac"
    assert video.frames == 100


@pytest.mark.parametrize("value", [-0.3, 0.3])
def test_brightness_moves_the_mean(media: Samples, tmp_path: Path, value: float) -> None:
    done = changed(media, tmp_path, "grey", step("brightness", value=value))
    # A fifth of full scale per 0.2, in video's range of 219 steps stretched to 255.
    assert mean(done.path) - mean(media.path("grey")) == pytest.approx(value * 297, abs=12)


def test_contrast_moves_the_spread(media: Samples, tmp_path: Path) -> None:
    more = changed(media, tmp_path / "more", "brief_film", step("contrast", value=1.5))
    less = changed(media, tmp_path / "less", "brief_film", step("contrast", value=0.5))
    source = spread(media.path("brief_film"))
    assert spread(less.path) < 0.6 * source < source < spread(more.path)


def test_saturation_moves_the_colours(media: Samples, tmp_path: Path) -> None:
    none = changed(media, tmp_path / "none", "brief_film", step("saturation", value=0))
    more = changed(media, tmp_path / "more", "brief_film", step("saturation", value=2))
    source = colourfulness(media.path("brief_film"))
    assert colourfulness(none.path) < source / 50
    assert colourfulness(more.path) > source


def test_blur_takes_the_detail(media: Samples, tmp_path: Path) -> None:
    done = changed(media, tmp_path, "brief_film", step("blur", sigma=10))
    filtered_frame = raw_frame(
        media.path("brief_film"), 1, "gblur=sigma=10,scale=64:64,format=gray"
    )
    assert difference(filtered_frame, raw_frame(done.path, 1, "scale=64:64,format=gray")) < 2


@pytest.mark.parametrize(
    ("angle", "same", "size"),
    [
        (90, "transpose=clock", (360, 640)),
        (-90, "transpose=cclock", (360, 640)),
        (180, "hflip,vflip", (640, 360)),
        (360, "null", (640, 360)),
    ],
)
def test_rotate_by_right_angles(
    media: Samples, tmp_path: Path, angle: float, same: str, size: tuple[int, int]
) -> None:
    done = changed(media, tmp_path, "brief_film", step("rotate", angle=angle))
    assert_looks_like(done, media, same, size)


def assert_looks_like(done: Done, media: Samples, same: str, size: tuple[int, int]) -> None:
    video = done.info.video
    assert video is not None
    assert (video.width, video.height) == size
    wanted = raw_frame(media.path("brief_film"), 1, f"{same},scale=64:64,format=gray")
    assert difference(wanted, raw_frame(done.path, 1, "scale=64:64,format=gray")) < 2


def test_rotate_by_other_angles_keeps_the_corners(media: Samples, tmp_path: Path) -> None:
    done = changed(media, tmp_path, "brief_film", step("rotate", angle=30, fill="white"))
    video = done.info.video
    assert video is not None
    assert (video.width, video.height) == (734, 632)
    assert min(rgb(done.path, crop="20:20:0:0")) > 240


@pytest.mark.parametrize(
    ("direction", "same"),
    [("horizontal", "hflip"), ("vertical", "vflip"), ("both", "hflip,vflip")],
)
def test_flip(media: Samples, tmp_path: Path, direction: str, same: str) -> None:
    done = changed(media, tmp_path, "brief_film", step("flip", direction=direction))
    assert_looks_like(done, media, same, (640, 360))


def test_crop_at_a_place(media: Samples, tmp_path: Path) -> None:
    done = changed(media, tmp_path, "brief_film", step("crop", width=100, height=50, x=300, y=40))
    assert_looks_like(done, media, "crop=100:50:300:40", (100, 50))


def test_an_odd_crop_comes_out_even(media: Samples, tmp_path: Path) -> None:
    done = changed(media, tmp_path, "brief_film", step("crop", width=101, height=51, x=300, y=40))
    assert_looks_like(done, media, "crop=100:50:300:40", (100, 50))


def drawn(media: Samples, folder: Path, text: str, **params: Any) -> Done:
    return changed(media, folder, "grey", step("text", text=text, **params))


def lit(path: Path, crop: str, at_s: float = 0.0) -> int:
    """How many of a region's pixels are near white."""
    return sum(pixel > 200 for pixel in raw_frame(path, at_s, f"crop={crop},format=gray"))


def test_text_shows_at_its_place_and_time(media: Samples, tmp_path: Path) -> None:
    done = drawn(media, tmp_path, "Hello", position="top-left", start=0.2, end=0.6)
    assert lit(done.path, "160:90:0:0", 0.4) > 100
    assert lit(done.path, "160:90:160:90", 0.4) == 0
    assert lit(done.path, "iw:ih:0:0", 0.0) == 0
    assert lit(done.path, "iw:ih:0:0", 0.6) == 0


def test_a_text_whose_first_line_is_empty_is_shown(media: Samples, tmp_path: Path) -> None:
    """FFmpeg 9 alone draws nothing of it."""
    done = drawn(media, tmp_path, "\nsecond", position="top-left")
    assert lit(done.path, "iw:ih:0:0") > 0


@pytest.mark.parametrize(
    "text",
    [
        "it's 50%: [a],b;c\\d",
        "%{pts}",
        "%{eif:1:d}",
        "a\\,b':textfile=/etc/passwd",
        " a ",
        "x,drawbox=t=fill",
        "a[in];[out]b",
        "first\nsecond",
        "Füße 日本",
        "\\",
        "'",
    ],
)
def test_hostile_text_is_drawn_letter_for_letter(media: Samples, tmp_path: Path, text: str) -> None:
    """Compared with the same text from a file, which passes through no escaping at all."""
    done = drawn(media, tmp_path, text, font_size=16, x=5, y=5)
    (tmp_path / "text").write_text(text)
    reference = raw_frame(
        media.path("grey"),
        0.0,
        f"drawtext=textfile={tmp_path}/text:expansion=none:x=5:y=5:fontsize=16:fontcolor=white"
        ":font=DejaVu Sans,format=gray",
    )
    ours = raw_frame(done.path, 0.0, "format=gray")
    assert lit(done.path, "iw:ih:0:0") > 0
    assert difference(ours, reference) < 1.5


def test_a_missing_font_is_refused_with_a_list(media: Samples) -> None:
    op = declared(
        "video/filter", {"input": "film"}, {"filters": [step("text", text="a", font="X")]}
    )
    sources = sources_of(op, {"input": "film"}, media)
    with pytest.raises(InvalidParams, match="there are: DejaVu Sans") as refused:
        plan(op, Media(sources, capabilities=Capabilities(fonts=(DEJAVU,))))
    assert refused.value.field == "filters/0/params/font"


@pytest.mark.parametrize("sample", ["rotated_film", "odd_film", "deep_film", "varying_film"])
def test_awkward_sources(media: Samples, tmp_path: Path, sample: str) -> None:
    source = media(sample).info.video
    assert source is not None
    done = changed(media, tmp_path, sample, step("brightness", value=0.1))
    video = done.info.video
    assert video is not None
    assert (video.width, video.height) == (source.width // 2 * 2, source.height // 2 * 2)


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        ([step("crop", width=700, height=10)], "filters/0/params/width"),
        ([step("scale", width=100), step("crop", width=90, height=90)], "filters/1/params/height"),
        ([step("crop", width=600, height=10, x=41)], "filters/0/params/x"),
        ([step("grayscale")] * 11, "filters"),
        ([step("text", text="late", start=5)], "filters/0/params/start"),
        ([step("text", text="late", start=3.97)], "filters/0/params/start"),
        ([step("text", text="short", end=0.001)], "filters/0/params/end"),
    ],
)
def test_what_cannot_work_is_refused(
    media: Samples, filters: list[dict[str, Any]], field: str
) -> None:
    op = declared("video/filter", {"input": "film"}, {"filters": filters})
    with pytest.raises(InvalidParams) as refused:
        plan(op, Media(sources_of(op, {"input": "film"}, media)))
    assert refused.value.field == field


def test_a_text_before_the_first_frame_is_refused(media: Samples) -> None:
    text = step("text", text="early", end=1.5)
    op = declared("video/filter", {"input": "late_picture"}, {"filters": [text]})
    with pytest.raises(InvalidParams, match="the first frame begins at") as refused:
        plan(op, Media(sources_of(op, {"input": "late_picture"}, media)))
    assert refused.value.field == "filters/0/params/end"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (step("nothing"), "filters/0/type"),
        ({}, "filters/0/type"),
        (step("brightness"), "filters/0/params/value"),
        (step("brightness", value=2), "filters/0/params/value"),
        (step("text", text="a\x00b"), "filters/0/params/text"),
        (step("text", text="a", color="red:x=1"), "filters/0/params/color"),
        (step("text", text="a", x=3), "filters/0/params"),
        (step("text", text="a", start=3, end=2), "filters/0/params"),
        (step("blur", sigma=1, size=2), "filters/0/params/size"),
    ],
)
def test_wrong_filters_are_named(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidParamsGroup) as refused:
        declared("video/filter", {"input": "film"}, {"filters": [wrong]})
    assert [error.field for error in refused.value.errors] == [field]


def test_a_film_in_ogg_is_given_back_as_a_film(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "video/filter", "ogg_film", filters=[step("grayscale")])
    assert done.info.video is not None
    assert done.info.has_audio
