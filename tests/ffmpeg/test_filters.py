from __future__ import annotations

import pytest

from media_jobs.ffmpeg.filters import Filter, Surface, chain, escape

CPU, GPU = Surface(), Surface(is_gpu=True)


def test_it_works() -> None:
    filters = [Filter("scale", w=320, h=-2), Filter("eq", brightness=0.25), Filter("hflip")]
    assert chain(filters, CPU) == "scale=w=320:h=-2,eq=brightness=0.25,hflip"


def test_no_filters_are_no_text() -> None:
    assert chain([], CPU) == ""


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        ("plain", "plain"),
        ("a:b", r"a\\:b"),
        ("it's", r"it\\\'s"),
        ("a,b", r"a\,b"),
        ("[x];", r"\[x\]\;"),
        ("\\", r"\\\\"),
        (" a ", "\\\\ a\\\\\\ "),
    ],
)
def test_values_are_escaped_for_option_and_graph(value: str, escaped: str) -> None:
    assert escape(value) == escaped


def test_on_the_gpu_frames_come_down_once() -> None:
    scale = Filter("scale", cuda="scale_cuda", w=320, h=180)
    filters = [scale, Filter("eq", contrast=1.5), Filter("hflip"), scale]
    assert chain(filters, GPU) == (
        "scale_cuda=w=320:h=180,hwdownload,format=nv12,eq=contrast=1.5,hflip,scale=w=320:h=180"
    )


def test_what_the_gpu_can_do_stays_there() -> None:
    assert chain([Filter("fps", cuda="fps", fps="25")], GPU) == "fps=fps=25"


@pytest.mark.parametrize(
    ("value", "written"), [(True, "1"), (0.1, "0.1"), (1e-7, "0"), (2.0, "2"), (7, "7")]
)
def test_numbers_are_plain(value: float, written: str) -> None:
    assert Filter("x", y=value).write() == f"x=y={written}"
