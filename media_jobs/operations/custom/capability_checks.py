"""Checks of a command that need the inputs, or this host's FFmpeg build."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from media_jobs.ffmpeg.command_line.graph import KnownFilter
from media_jobs.ffmpeg.command_line.parser import CommandLine
from media_jobs.ffmpeg.demuxers import pin
from media_jobs.operations.core import InvalidParams, Media, Source

_FIELD = "ffmpeg_command"
# A filter reads without our pin on the demuxer; these two are told by their first bytes alone, so
# that no list of other files passes for them.
_READ_BY_FILTERS = ("matroska", "mov")

_DEMUXERS = {"mp4": "mov", "mkv": "matroska", "webm": "matroska"}


def check_means(line: CommandLine, m: Media, sources: Mapping[str, Source]) -> None:
    """Raise ``InvalidParams`` where the command can't run here, or not on these sources."""
    if line.filter_count > m.max_filters:
        detail = f"at most {m.max_filters} filters; there are {line.filter_count}"
        raise InvalidParams(_FIELD, detail, "too_many")
    for each in line.inputs:
        asked, source = each.value("f"), sources[each.alias]
        found = demuxer_of(source)
        usual = {found, *source.info.format_name.split(",")}
        if asked is not None and asked not in usual and _DEMUXERS.get(asked) != found:
            detail = f"-f {asked}: {{{{{each.alias}}}}} is {found}; leave -f out"
            raise InvalidParams(_FIELD, detail)
    for name, file in (read for graph in line.graphs for read in graph.files()):
        found = demuxer_of(sources[file.alias])
        if found not in _READ_BY_FILTERS:
            detail = f"{name} reads {' or '.join(_READ_BY_FILTERS)} files only, this one is {found}"
            raise InvalidParams(_FIELD, detail, "unsupported")
    _check_installed(line, m)
    if m.needs_duration_limit:
        _check_end(line, sources)


def demuxer_of(source: Source) -> str:
    video = source.info.video
    return pin(source.info.format_name, video.codec if video else None) or "unknown"


def _check_installed(line: CommandLine, m: Media) -> None:
    filters = [used for graph in line.graphs for used in graph]
    missing = [f"filter {each.kind.name}" for each in filters if lacks(m, each)]
    missing += [f"encoder {name}" for name in encoders(line) if m.capabilities.lacks_encoder(name)]
    if missing:
        raise InvalidParams(_FIELD, f"this FFmpeg has no {', '.join(missing)}", "unavailable")
    # A missing font is refused: FFmpeg would take another one without a word.
    fonts = m.capabilities.fonts
    for each in filters:
        wanted = str(dict(each.options).get("font", "")).partition(":")[0]
        is_generic = wanted.casefold() in {"", "sans", "serif", "monospace", "mono"}
        if fonts and not is_generic and not m.capabilities.font_path(wanted):
            listed = ", ".join(font.family for font in fonts)
            detail = f"there is no font {wanted}; there are: {listed}"
            raise InvalidParams(_FIELD, detail, "unavailable")


def lacks(m: Media, used: KnownFilter) -> bool:
    return m.capabilities.lacks_filter(used.kind.name)


def encoders(line: CommandLine) -> Iterator[str]:
    for output in line.outputs:
        for option in output.options:
            if option.name == "c" and isinstance(option.value, str) and option.value != "copy":
                yield option.value


def _check_end(line: CommandLine, sources: Mapping[str, Source]) -> None:
    unknown = [
        each.alias
        for each in line.inputs
        if each.length_s is None and not ends(sources[each.alias])
    ]
    for output in line.outputs:
        if output.length_s is None and (unknown or line.is_endless()):
            detail = f"{{{{{output.alias}}}}} may never end; put -t or -to before it, as in -t 60"
            raise InvalidParams(_FIELD, detail, "duration_required")


def ends(source: Source) -> bool:
    return source.is_image or source.duration_s > 0
