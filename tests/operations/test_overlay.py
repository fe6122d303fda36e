from __future__ import annotations

from pathlib import Path

import pytest

from media_jobs.ffmpeg.devices import Encoding, Nvidia
from media_jobs.ffmpeg.filters import Filter, Value
from media_jobs.operations.building import OVERLAID, Anchor, Overlay, overlaid, overlay_place
from media_jobs.operations.core import Input, Media, Source, Target
from tests.harness.measure import rgb
from tests.harness.media import Samples
from tests.operations.workshop import bring, run_command

ENCODING = Encoding("h264", crf=10)
WHITE, RED = (254, 254, 254), (254, 0, 0)


@pytest.fixture
def red_and_logo(media: Samples) -> dict[str, Source]:
    """A red film of 320x180, and a white square of 64."""
    return {
        role: Source(f"in/{place}{media(name).path.suffix}", media(name).info, name, role)
        for place, (role, name) in enumerate({"input": "red", "image": "logo"}.items())
    }


def shown(media: Samples, folder: Path, sources: dict[str, Source], **traits: object) -> Path:
    """The film with the logo on it, as a file."""
    m = Media(sources)
    logo = sources["image"].need_frames()
    over = Overlay(logo, 1, **traits)  # type: ignore[arg-type]
    graph = overlaid(m, m.source.need_video(), [over], ENCODING)
    args = ("-map", f"[{OVERLAID}]", *m.device.encode(ENCODING), "-f", "mp4")
    command = m.ffmpeg(
        [Input(source) for source in sources.values()],
        [Target(args, path="out/x.mp4")],
        graph=graph,
    )
    bring(sources, {"input": media.path("red"), "image": media.path("logo")}, folder)
    run_command(command, folder)
    return folder / "out/x.mp4"


def near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 20 for a, b in zip(one, other, strict=True))


def test_it_works(media: Samples, tmp_path: Path, red_and_logo: dict[str, Source]) -> None:
    place = overlay_place("bottom-right", 10)
    path = shown(media, tmp_path, red_and_logo, place=place, start_s=1.0)
    inside, outside = "50:50:252:112", "200:100:0:0"
    assert near(rgb(path, 1.5, crop=inside), WHITE)
    assert near(rgb(path, 1.5, crop=outside), RED)
    assert near(rgb(path, 0.5, crop=inside), RED)


def test_it_may_be_made_smaller_and_faint(
    media: Samples, tmp_path: Path, red_and_logo: dict[str, Source]
) -> None:
    filters = (
        Filter("scale", w=32, h=32),
        Filter("format", "rgba"),
        Filter("colorchannelmixer", aa=0.5),
    )
    path = shown(media, tmp_path, red_and_logo, filters=filters)
    assert near(rgb(path, 1, crop="24:24:4:4"), (254, 127, 127))
    assert near(rgb(path, 1, crop="24:24:40:4"), RED)


def test_frames_come_down_from_the_gpu_before_it(media: Samples) -> None:
    source = Source("in/0.mp4", media("film").info, "film", "input")
    m = Media({"input": source}, Nvidia())
    over = Overlay(source.need_video(), 1)
    graph = overlaid(m, source.need_video(), [over, over], ENCODING)
    assert graph.results == (OVERLAID,)
    assert graph.write() == (
        "[0:0]hwdownload,format=nv12[base];"
        "[base][1:0]overlay=x=0:y=0:format=auto[with0];"
        "[with0][1:0]overlay=x=0:y=0:format=auto,format=pix_fmts=yuv420p[overlaid]"
    )


@pytest.mark.parametrize(
    ("anchor", "x", "y"),
    [
        ("top-left", 8, 8),
        ("center", "(main_w-overlay_w)/2", "(main_h-overlay_h)/2"),
        ("right", "main_w-overlay_w-8", "(main_h-overlay_h)/2"),
        ("bottom", "(main_w-overlay_w)/2", "main_h-overlay_h-8"),
    ],
)
def test_places(anchor: Anchor, x: Value, y: Value) -> None:
    assert overlay_place(anchor, 8) == (x, y)
