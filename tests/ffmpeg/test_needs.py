from __future__ import annotations

import pytest

from media_jobs.ffmpeg.capabilities import Capabilities
from media_jobs.ffmpeg.command import Command
from media_jobs.ffmpeg.needs import Needs, of


def needs(*args: str) -> Needs:
    return of(Command(args))


def test_it_works() -> None:
    graph = "[0:v][1:v]overlay=x=1,format=yuv420p[v];[v]split[a][b]"
    found = needs(
        *("-f", "lavfi", "-c:v", "h264", "-i", "color", "-i", "in/1.mp4"),
        *("-filter_complex", graph, "-c:v", "libx264", "-c:a", "copy", "-af", "volume=0.5"),
        *("-f", "matroska", "out/a.mkv"),
    )
    assert found == Needs(
        encoders=frozenset({"libx264"}),
        filters=frozenset({"overlay", "format", "split", "volume"}),
        muxers=frozenset({"matroska"}),
    )


@pytest.mark.parametrize("option", ["-vf", "-filter:v:0", "-lavfi"])
def test_each_way_to_give_a_graph(option: str) -> None:
    assert needs("-i", "in/0.mp4", option, "scale=2:2", "out/a.mp4").filters == {"scale"}


@pytest.mark.parametrize("option", ["-c", "-codec:v", "-vcodec", "-c:a:1"])
def test_each_way_to_name_an_encoder(option: str) -> None:
    assert needs("-i", "in/0.mp4", option, "aac", "out/a.mp4").encoders == {"aac"}


def test_a_name_within_a_text_is_no_filter() -> None:
    drawn = r"drawtext=text='a,libvmaf\;x'"
    assert needs("-i", "in/0.mp4", "-vf", drawn, "out/a.mp4").filters == {"drawtext"}


@pytest.mark.parametrize("value", ["-vf:=x", "-c:=x", "-f:=x", "-i=x", "-filter_complex:=["])
def test_a_value_that_reads_like_an_option_is_none(value: str) -> None:
    """As a user may give one for a tag of an output."""
    args = ("-i", "in/0.mp4", "-metadata", value, "-an", "-c:v", "libx264", "out/a.mp4")
    assert needs(*args) == Needs(encoders=frozenset({"libx264"}))


def test_a_graph_that_can_t_be_read_is_left_to_ffmpeg() -> None:
    assert needs("-i", "in/0.mp4", "-vf", "scale=[", "out/a.mp4") == Needs()


def test_ffprobe_needs_nothing() -> None:
    assert of(Command(("-f", "mp4", "in/0.mp4"), program="ffprobe")) == Needs()


def test_what_is_lacking_is_said_by_kind() -> None:
    wanted = Needs(frozenset({"aac", "x"}), frozenset({"scale"}), frozenset({"mp4"}))
    found = Capabilities(encoders=frozenset({"aac"}), muxers=frozenset({"mp4"}))
    assert wanted.lacking(found) == ["encoder x", "filter scale"]
