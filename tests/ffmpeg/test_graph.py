from __future__ import annotations

import subprocess

import pytest

from media_jobs.ffmpeg.filters import Filter, Surface, placed
from media_jobs.ffmpeg.graph import Chain, Graph, stream
from tests.harness.programs import FFMPEG_PATH

SPLIT = Chain((Filter("split"),), (stream(0, 0),), ("one", "two"))
JOINED = Chain((Filter("hstack"), Filter("format", "yuv420p")), ("one", "two"), ("both",))


def test_it_works() -> None:
    graph = Graph((SPLIT, JOINED))
    assert graph.write() == "[0:0]split[one][two];[one][two]hstack,format=yuv420p[both]"
    assert graph.results == ("both",)


def test_what_is_made_of_nothing_and_read_by_nobody() -> None:
    silence = Chain((Filter("anullsrc", r=48000),), outputs=("silence",))
    assert Graph((silence,)).write() == "anullsrc=r=48000[silence]"
    assert Graph((silence, SPLIT)).results == ("silence", "one", "two")


def test_values_are_escaped() -> None:
    text = Chain((Filter("drawtext", text="[out];,':"),), (stream(0, 0),), ("out",))
    assert Graph((text,)).write() == r"[0:0]drawtext=text=\[out\]\;\,\\\'\\:[out]"


@pytest.mark.parametrize(
    "chains",
    [
        (JOINED,),
        (SPLIT, SPLIT),
        (SPLIT, JOINED, JOINED),
        (SPLIT, Chain((Filter("null"),), ("one", "one"), ("both",))),
        (Chain((), (stream(0, 0),), ("out",)),),
        (Chain((Filter("null"),), (stream(0, 0),), ("a]null[b",)),),
        (Chain((Filter("null"),), ("0:0]null[b",), ("out",)),),
    ],
)
def test_what_ffmpeg_would_refuse_or_misread_is_no_graph(chains: tuple[Chain, ...]) -> None:
    with pytest.raises(ValueError, match=r"label|given once|no filter"):
        Graph(chains)


def test_ffmpeg_reads_it() -> None:
    graph = Graph(
        (
            Chain((Filter("testsrc2", d=1, s="64x64"), Filter("split")), (), ("one", "two")),
            Chain((Filter("hflip"),), ("two",), ("turned",)),
            Chain((Filter("hstack"),), ("one", "turned"), ("both",)),
        )
    )
    command = [FFMPEG_PATH, "-v", "error", "-filter_complex", graph.write(), "-map", "[both]"]
    subprocess.run([*command, "-f", "null", "-"], check=True, timeout=60)


def test_frames_that_have_come_down_keep_their_filters_in_order() -> None:
    scale = Filter("scale", cuda="scale_cuda", w=320, h=180)
    names = [each.name for each in placed([scale, Filter("hflip"), scale], Surface(is_gpu=True))]
    assert names == ["scale_cuda", "hwdownload", "format", "hflip", "scale"]
