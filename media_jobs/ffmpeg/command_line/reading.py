"""One option and its value: is it allowed where it stands, and is the value of its kind?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from media_jobs.ffmpeg.command_line import encoders, graph, options
from media_jobs.ffmpeg.command_line.graph import Graph
from media_jobs.ffmpeg.command_line.graph_syntax import NoGraph
from media_jobs.ffmpeg.command_line.refusal import Refused, shown
from media_jobs.ffmpeg.command_line.tokens import Aliases, Token
from media_jobs.ffmpeg.command_line.values import KINDS, LONGEST_TIME_S, seconds
from media_jobs.ffmpeg.demuxers import CONTAINERS, PICTURE_DEMUXERS

Place = Literal["global", "input", "output"]

_TABLES: Mapping[Place, options.Table] = {
    "global": options.GLOBAL,
    "input": options.INPUT,
    "output": options.OUTPUT,
}
_SPECIFIER = re.compile(
    r"[vasdtV](:\d{1,3})?|\d{1,3}|[gsc](:[vas])?(:\d{1,3})?|m:\w{1,20}:\w{1,40}"
)
_PARAMETER = re.compile(r"[A-Za-z0-9_.,+()-]{1,120}")
_DEMUXERS = CONTAINERS | PICTURE_DEMUXERS | {"mp4", "mkv", "webm", "image2"}


@dataclass(frozen=True)
class Word:
    """An option as it was written: its name, the streams that it is for, and its value."""

    token: Token
    name: str
    specifier: str
    value: Token | None

    @property
    def written(self) -> str:
        return f"-{self.name}"


@dataclass(frozen=True)
class Option:
    """An option that is allowed; ``value`` is of its kind, and None for a flag."""

    name: str
    specifier: str = ""
    value: str | Graph | None = None

    def argv(self, paths: Mapping[str, str]) -> tuple[str, ...]:
        name = f"-{self.name}:{self.specifier}" if self.specifier else f"-{self.name}"
        if self.value is None:
            return (name,)
        return (name, self.value.write(paths) if isinstance(self.value, Graph) else self.value)


def start(token: Token, following: Token | None) -> Word:
    """Find out which option a word is, and whether the next word is its value."""
    name, _, specifier = token.text[1:].partition(":")
    usual, _, implied = options.SYNONYMS.get(name, name).partition(":")
    if usual not in options.NAMES:
        advice = options.ADVICE.get(usual, "leave it out")
        raise token.refuse("this option is not allowed", advice)
    if implied and specifier:
        raise token.refuse(f"it says the streams twice; write -{usual}:{implied}")
    if usual in options.FLAGS:
        if specifier:
            raise token.refuse("it takes no stream")
        return Word(token, usual, "", None)
    if following is None:
        raise token.refuse("its value is missing")
    if specifier and not (usual in {"metadata", "map_metadata"} or usual not in options.WHOLE_FILE):
        raise token.refuse("it is for the whole file and takes no stream")
    specifier = implied or specifier
    if specifier and not _SPECIFIER.fullmatch(specifier):
        raise token.refuse("these streams can't be told", "write them as in -c:v or -b:a:1")
    return Word(token, usual, specifier, following)


def is_global(word: Word) -> bool:
    return word.name in options.GLOBAL or word.name in options.SET_BY_US


def settle(word: Word, place: Place, aliases: Aliases) -> Option | None:
    """Judge an option by where it stands; None where the service says it itself."""
    if word.name in options.SET_BY_US:
        _check(word, options.SET_BY_US[word.name])
        return None
    kind = _TABLES[place].get(word.name)
    if kind is None:
        other = "an output" if place == "input" else "an input"
        raise word.token.refuse(f"it stands before {_ARTICLE[place]}", f"it belongs before {other}")
    if kind == "flag" or word.value is None:
        return Option(word.name)
    if kind == "graph":
        try:
            return Option(word.name, word.specifier, graph.read(word.value.text, aliases))
        except NoGraph as error:
            raise Refused(f"{word.token.text}: {error}", word.value.position) from error
    return Option(word.name, word.specifier, _plain(word, word.value, kind, place))


_ARTICLE = {"input": "an input", "output": "an output", "global": "everything"}


def _plain(word: Word, value: Token, kind: str, place: Place) -> str:
    text = value.text
    if word.name == "fps_mode":
        text = options.FPS_MODES.get(text, text)
    if kind in _NAMED:
        wanted, advice = _NAMED[kind]
        text = encoders.USUAL.get(text, text) if kind == "codec" else text
        if text not in wanted and not (kind == "codec" and text == "copy" and place == "output"):
            raise value.refuse(f"it is not allowed after {word.written}", advice)
        if kind == "codec" and place == "input" and text not in encoders.DECODERS:
            raise value.refuse("decoders are chosen by the file", f"leave {word.written} out")
        return text
    if kind == "params":
        return ":".join(_parameters(word, value))
    _check(word, kind)
    return text


_NAMED: Mapping[str, tuple[frozenset[str], str]] = {
    "codec": (
        encoders.ENCODERS | encoders.DECODERS,
        "use copy, or an encoder such as libx264, libx265, libvpx-vp9, aac, libopus, libmp3lame",
    ),
    "bsf": (encoders.BITSTREAM_FILTERS, "use one by its name alone, such as h264_mp4toannexb"),
    "demuxer": (_DEMUXERS, "leave -f out: a file is read as what it is"),
}


def _check(word: Word, kind: str) -> None:
    if word.value is None or kind in {"flag", "muxer"}:
        return
    wanted = KINDS[kind]
    text = word.value.text
    is_number = kind == "word" and KINDS["int"].holds(text)
    if not (wanted.holds(text) or is_number or (word.name == "fps_mode" and text == "-1")):
        raise word.value.refuse(f"it is no value for {word.written}", f"give {wanted.example}")
    if kind == "time" and abs(seconds(text)) > LONGEST_TIME_S:
        raise word.value.refuse(f"{word.written} takes at most {LONGEST_TIME_S} s")
    # FFmpeg counts microseconds, and takes a length of none for no bound at all.
    if word.name == "t" and seconds(text) < 0.000_001:
        raise word.value.refuse(f"{word.written} takes a length above 0", "give one such as 5")


def _parameters(word: Word, value: Token) -> Iterator[str]:
    known = encoders.PARAMETERS[word.name]
    for part in value.text.split(":"):
        key, equals, given = part.partition("=")
        if key not in known:
            raise value.refuse(
                f"{shown(key)!r} is not allowed in {word.written}",
                f"there are: {', '.join(sorted(known))}",
            )
        if equals and not _PARAMETER.fullmatch(given):
            raise value.refuse(f"{shown(given)!r} is no value for {key}")
        yield part
