"""The tables of options and filters against every FFmpeg that is installed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from functools import cache, partial

import pytest

from media_jobs.ffmpeg.capabilities import read_encoders, read_filters
from media_jobs.ffmpeg.command_line import encoders, filter_table, options
from media_jobs.ffmpeg.command_line.filter_table import FILTERS
from media_jobs.ffmpeg.demuxers import CONTAINERS
from media_jobs.host import toolchain
from tests.each_build import BUILDS
from tests.fuzz import effort

Ffmpeg = Callable[..., str]

# Numbers, for all that they are given in a text.
NUMBERS = {("drawtext", "boxborderw")}
# Of later versions than some that may be used here, and of earlier ones.
NEWER = {"drawtext": {"text_align", "y_align", "boxw", "boxh"}}
OLDER = {
    "adynamicequalizer": {"knee", "slew"},
    "aresample": {"icl", "ocl", "in_channel_layout", "out_channel_layout"},
    "palettegen": {"use_alpha"},
}
TIMED_LATER = {"afir", "asetnsamples", "silenceremove"}


@pytest.fixture(params=BUILDS)
def ffmpeg(request: pytest.FixtureRequest) -> Ffmpeg:
    return partial(_printed, request.param)


def _printed(program: str, *args: str) -> str:
    done = subprocess.run([program, "-hide_banner", *args], capture_output=True, check=False)
    return (done.stdout + done.stderr).decode()


@cache
def filters_of(ffmpeg: Ffmpeg) -> frozenset[str]:
    return read_filters(ffmpeg("-filters"))


OPTION = re.compile(r"^ {2,3}-?(\S+) +\[?<(\w+)[> \]]+\S+ ?(.*)$", re.MULTILINE)
FILEY = re.compile(r"\b(file|filename|path|directory)\b", re.IGNORECASE)
# Those with texts or files among their options; the others have nothing but numbers and words.
LOOKED_AT = sorted(
    name
    for name, kind in FILTERS.items()
    if effort.SECONDS or any(slot.kind != "plain" for slot in kind.slots)
)


@pytest.mark.parametrize("name", LOOKED_AT)
def test_a_filter_has_the_options_that_the_table_says(name: str, ffmpeg: Ffmpeg) -> None:
    """And what FFmpeg itself says to name a file is barred, or an alias."""
    if name not in filters_of(ffmpeg):
        pytest.skip("this FFmpeg has no such filter")
    told = ffmpeg("-h", f"filter={name}")
    found = {option: (kind, said) for option, kind, said in OPTION.findall(told)}
    kind = FILTERS[name]
    ours = {each for slot in kind.slots for each in slot.names}
    assert ours - found.keys() - NEWER.get(name, set()) - OLDER.get(name, set()) == set()
    assert kind.has_timeline == ("timeline through" in told) or name in TIMED_LATER
    assert not kind.has_framesync or "framesync AVOptions" in told
    for slot in kind.slots:
        type_, said = found.get(slot.name, ("int", ""))
        if type_ in {"string", "binary", "dictionary"} and (name, slot.name) not in NUMBERS:
            assert slot.kind != "plain", slot.name
            assert not FILEY.search(said) or slot.kind in {"barred", "file"}, slot.name


def unknown_among(names: list[str], ffmpeg: Ffmpeg) -> list[str]:
    """Options that FFmpeg does not know, when each is followed by a value that is an option."""
    unknown: list[str] = []
    while True:
        asked = [name for name in names if name not in unknown]
        words = [word for name in asked for word in (f"-{name}", "-value_of_it")]
        told = re.search(r"Unrecognized option '([^']+)'", ffmpeg(*words))
        if told is None:
            return unknown
        unknown.append(told.group(1))
        assert told.group(1) in asked, f"something takes no value: {told.group(1)}"


def test_options_take_a_value_where_ffmpeg_takes_one(ffmpeg: Ffmpeg) -> None:
    """Else the words behind would mean something else to FFmpeg than to us."""
    valued = sorted({*options.NAMES, *options.SYNONYMS} - options.FLAGS)
    unknown = unknown_among(valued, ffmpeg)
    # Of encoders and versions that are not installed here.
    assert len(unknown) < len(valued) / 4, unknown
    assert {"c", "crf", "vf", "map", "metadata", "b", "preset"}.isdisjoint(unknown)


def test_flags_take_none(ffmpeg: Ffmpeg) -> None:
    flags = [f"-{name}" for name in sorted(options.FLAGS)]
    told = ffmpeg(*flags, "-no_option_at_all")
    assert "Unrecognized option 'no_option_at_all'" in told


def test_encoders_are_there() -> None:
    """All but some that are left out of some builds."""
    optional = {"librav1e", "libjxl", "libxvid", "libtwolame", "libspeex"}
    told = _printed(toolchain.installed()[0].ffmpeg, "-encoders")
    assert encoders.ENCODERS - optional - read_encoders(told) == set()
    assert set(encoders.USUAL.values()) <= encoders.ENCODERS


def test_nothing_dangerous_is_in_the_tables() -> None:
    barred = set(filter_table.ADVICE) | {"movie", "amovie", "flite", "ocr", "sofalizer", "arnndn"}
    assert barred.isdisjoint(FILTERS)
    assert set(options.ADVICE) & set(options.NAMES) <= {"f"}
    assert CONTAINERS.isdisjoint({"hls", "dash", "concat", "sdp", "lavfi", "tty", "image2"})
