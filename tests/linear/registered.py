"""Readers that take more than a text, those of the API, and what need not be pumped."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import Any

from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import QueryDict
from django.http.multipartparser import MultiPartParser
from django.test import RequestFactory
from django.utils.http import parse_header_parameters
from pydantic import BaseModel
from rest_framework.request import Request

from accounts.idempotency import read_key
from accounts.keys.secret_format import id_in
from ffapi_site.lib import (
    bodies,
    client_address,
    csv_cells,
    pagination,
    query,
    request_id,
    strict_json,
    times,
)
from ffapi_site.lib.netguard import Policy, addresses, names, urls
from ffapi_site.lib.text import composed
from media_jobs.api.waiting import wanted_wait_s
from media_jobs.ffmpeg import (
    dialect,
    failures,
    filters,
    first_frame,
    hardware,
    media_info,
    media_limits,
    needs,
    output_args,
    progress,
)
from media_jobs.ffmpeg import words as ffmpeg_words
from media_jobs.ffmpeg.capabilities import Capabilities
from media_jobs.ffmpeg.command import Command
from media_jobs.ffmpeg.command_line import graph, parser, tokens
from media_jobs.host import truncation, unsupported_formats
from media_jobs.operations.analysis.probe import sized
from media_jobs.operations.building import segments, text_overlay
from media_jobs.operations.core import REGISTRY, parsing
from media_jobs.operations.core.samples import SAMPLES
from storage import ranges
from storage.intake import external_references, sniff
from storage.names import clean_name
from tests.linear import patterns
from tests.linear.readers import FRAMES, UNITS, Reader

_LIMITS = media_limits.MediaLimits(pixels=10**9, frames=10**9, duration_s=1e9, streams=10**9)
_SHOWINFO = "\x1b[1m[Parsed_showinfo_0 @ 0x5]\x1b[0m"
_MP4 = "\0\0\0\x10ftypisom\0\0\0\0"
_BOXES = ("\0\0\0\x08free", "\0\0\0\x08trak", "\0\0\0\x10dref\0\0\0\0\0\0\0\x09", "\0\0\0\0moov")
_KINDS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "ogg", "flv", "avi", "aiff", "asf", "gif")
_REQUESTS = RequestFactory()


def _in_file(read: Callable[[Any], object]) -> Callable[[str], object]:
    def call(text: str) -> object:
        with TemporaryFile() as content:
            content.write(text.encode("latin-1", "replace"))
            content.seek(0)
            return read(content)

    return call


def _at_path(read: Callable[[Path], object]) -> Callable[[str], object]:
    def call(text: str) -> object:
        with NamedTemporaryFile() as content:
            content.write(text.encode("latin-1", "replace"))
            content.flush()
            return read(Path(content.name))

    return call


def _in_pieces(text: str) -> None:
    """A text as it comes out of a pipe."""
    content, lines, reports = io.BytesIO(text.encode()), progress.Lines(), progress.ProgressParser()
    while piece := content.read(4096):
        for line in lines.feed(piece):
            reports.feed(line)


def _answer(text: str) -> dict[str, Any]:
    """What ffprobe may say of a file that is nothing but words."""
    facts = ("codec_name", "pix_fmt", "duration", "profile", "time_base", "avg_frame_rate")
    stream: dict[str, Any] = dict.fromkeys(
        (*facts, "sample_aspect_ratio", "channel_layout", "nb_frames"), text
    )
    stream |= {"codec_type": "video", "tags": {"language": text, "DURATION": text, text: text}}
    stream["side_data_list"] = [{"rotation": text}]
    return {"streams": [stream, stream | {"codec_type": "audio"}], "format": dict(stream)}


def _described_as(kind: str) -> media_info.MediaInfo:
    return media_info.MediaInfo.from_ffprobe({"format": {"format_name": kind}})


def _many_streams(text: str) -> dict[str, Any]:
    kinds = ("video", "audio", "subtitle")
    return {"streams": [{"codec_type": kinds[n % 3], "tags": {}} for n in range(len(text) // 16)]}


def _multipart(text: str) -> object:
    body = f"--b\r\n{text}\r\n--b--\r\n".encode()
    facts = {"CONTENT_TYPE": "multipart/form-data; boundary=b", "CONTENT_LENGTH": str(len(body))}
    return MultiPartParser(facts, io.BytesIO(body), [MemoryFileUploadHandler()]).parse()


def _request(**headers: str) -> Request:
    return Request(_REQUESTS.get("/v1/jobs", **headers))  # type: ignore[arg-type]


def _query(text: str) -> None:
    request = Request(_REQUESTS.get("/v1/jobs", QUERY_STRING=text))
    query.text(request, "search")
    query.moment(request, "created_after")
    query.only(request, {"search"})


def _json(text: str) -> object:
    return strict_json.loads(text.encode())


_WORDS = ("a", "0", " ", "\n", "\0", "\u0301\u0316", "\\", ":", "/", "a=1,", "#EXTM3U")
_VALUES = ("1,", '"a",', '{"a":', '{"a":1},', '"a":1,', "[", "1", '"', "\\ud800", "-1e9,", "é")
_IN_JSON = (("", ""), ('{"a": "', '"}'), ('{"a": [', "1]}"), ("{", '"b":1}'))

READERS = (
    Reader(
        "storage.intake.external_references.found_in",
        _in_file(external_references.found_in),
        frames=((_MP4, ""), (f"{_MP4}\0\0\0\0moov", ""), ("RIFF\0\0\0\0AVI ", "")),
        units=(*_BOXES, "strh", "strh\0\0\0\0txt", "a", "\0"),
    ),
    Reader(
        "storage.intake.sniff.head_of",
        _in_file(sniff.head_of),
        frames=(("", ""), ("ID3\x04\0\0\0\0\0\0", "")),
        units=("\0", " ", "a", "ID3\x04\0\0\0\0\0\0"),
    ),
    Reader(
        "media_jobs.host.unsupported_formats.why",
        _at_path(unsupported_formats.why),
        frames=((_MP4, ""), (f"{_MP4}\0\0\0\0moov", "")),
        units=("stsd", "stsdencv", "a", "\0", *_BOXES),
    ),
    *(
        Reader(
            f"media_jobs.host.truncation as {kind}",
            _at_path(lambda path, kind=kind: truncation.is_cut_off(path, _described_as(kind))),  # type: ignore[misc]
            frames=((_MP4, ""), ("", "")),
            units=(*_BOXES, "OggS", "\x18S\x80g", "RIFF", "FORM"),
        )
        for kind in _KINDS
    ),
    Reader("storage.ranges.requested", lambda text: ranges.requested(text, 100), (("bytes=", ""),)),
    Reader(
        "ffapi_site.lib.netguard.addresses.is_allowed",
        lambda text: addresses.is_allowed(text, allow_private=False),
    ),
    *(
        Reader(
            f"ffapi_site.lib.netguard.urls.{name}",
            lambda text, read=read: read(text, Policy()),  # type: ignore[misc]
            frames=(("", ""), ("http://", "/"), ("http://a/", ""), ("http://[", "]:8/")),
        )
        for name, read in (("parse", urls.parse), ("check", urls.check))
    ),
    Reader(
        "ffapi_site.lib.netguard.names.file_name of a header",
        lambda text: names.file_name(text, "a"),
        frames=(
            ("attachment; filename=", ""),
            ('attachment; filename="', '"'),
            ("a; filename*=", ""),
        ),
        units=(*UNITS, "; filename*0*=a", "utf-8''%41", '"; a="'),
    ),
    Reader(
        "media_jobs.ffmpeg.command_line.graph.read",
        lambda text: graph.read(text, tokens.Aliases.of((), ())),
        frames=(*FRAMES, ("[0:v]", "[out]"), ("drawtext=text=", ""), ("scale=", "")),
        units=(*UNITS, "scale,", "scale=1:1,", "[a]scale[b];", "null;", "crop=1:"),
    ),
    Reader(
        "media_jobs.ffmpeg.command_line.parser.parse",
        lambda text: parser.parse(text, ("in",), {"out": "mp4"}),
        frames=(*FRAMES, ("-i {{in}} -vf ", " {{out}}"), ("-i {{in}} ", " {{out}}")),
        units=(*UNITS, "-t 1 ", "-i {{in}} ", "{{out}} ", "-map 0 ", "-c:v copy "),
    ),
    Reader("media_jobs.ffmpeg.command_line.tokens.tokenise", tokens.tokenise),
    Reader(
        "media_jobs.ffmpeg.command_line.parser.parse of words",
        lambda text: parser.parse(text.split(" "), ("in",), {"out": "mp4"}),
        units=("a ", "-t 1 ", "-i {{in}} ", "{{out}} ", "-map 0 ", "-x a "),
    ),
    Reader("media_jobs.ffmpeg.failures.classify", lambda text: failures.classify(text, 1)),
    Reader(
        "media_jobs.ffmpeg.failures.classify of own",
        lambda text: failures.classify(ffmpeg_words.own(f"\x1b[1m{text}"), 1),
    ),
    Reader(
        "media_jobs.ffmpeg.media_info",
        lambda text: media_info.MediaInfo.from_ffprobe(_answer(text)),
    ),
    Reader(
        "media_jobs.ffmpeg.media_info of streams",
        lambda text: media_info.MediaInfo.from_ffprobe(_many_streams(text)),
        units=("a",),
    ),
    Reader(
        "media_jobs.ffmpeg.media_limits.excess",
        lambda text: media_limits.excess(_answer(text), text, _LIMITS),
    ),
    Reader("media_jobs.ffmpeg.progress.Lines", _in_pieces),
    Reader(
        "media_jobs.ffmpeg.dialect.spelled",
        lambda text: dialect.spelled(text.split(" "), text),
        units=(*UNITS, "-enc_time_base demux ", "5."),
    ),
    Reader(
        "media_jobs.ffmpeg.needs.of",
        lambda text: needs.of(Command(("-i", "a", *text.split(" ")))),
        units=(*UNITS, "-i a ", "-vf a ", "-c:v a "),
    ),
    Reader(
        "media_jobs.ffmpeg.needs.of a graph",
        lambda text: needs.of(Command(("-i", "a", "-vf", text))),
        units=(*UNITS, "a,", "[a]", "'", "a=b:"),
    ),
    Reader(
        "media_jobs.ffmpeg.first_frame.missing", lambda text: first_frame.missing(_answer(text))
    ),
    Reader(
        "media_jobs.operations.analysis.probe.sized",
        lambda text: sized(_answer(text), SAMPLES["film"].info),
    ),
    Reader(
        "media_jobs.ffmpeg.first_frame.told",
        lambda text: first_frame.told(_answer(text), 0, f"{_SHOWINFO} {text}"),
        units=(*UNITS, "fmt:", " s:1x"),
    ),
    Reader("media_jobs.ffmpeg.hardware.uses_gpu", lambda text: hardware.uses_gpu(text.split(" "))),
    Reader(
        "media_jobs.ffmpeg.output_args.doubled",
        lambda text: output_args.doubled(text.split(" ")),
        units=(*UNITS, "-map 0 ", "-vf a ", "-an "),
    ),
    Reader("media_jobs.ffmpeg.filters.Filter", lambda text: filters.Filter("a", b=text).write()),
    Reader(
        "media_jobs.operations.building.text_overlay.font_option",
        lambda text: text_overlay.font_option(text, Capabilities()),
    ),
    Reader(
        "media_jobs.operations.building.segments.playlist",
        lambda text: segments.playlist(text.split("/")),
    ),
    *(
        Reader(
            f"media_jobs.operations.core.parsing.parse {name}",
            lambda text, name=name, as_text=as_text: parsing.parse(name, as_text(name, text)),  # type: ignore[misc]
        )
        for name in REGISTRY
        for as_text in (lambda name, text: dict.fromkeys(REGISTRY[name].model_fields, text),)
    ),
    Reader(
        "media_jobs.operations.core.parsing.parse of many fields",
        lambda text: parsing.parse("probe", {f"a{n}": 1 for n in range(len(text) // 16)}),
        units=("a",),
    ),
    Reader(
        "media_jobs.operations.core.parsing.parse of many steps",
        lambda text: parsing.parse(
            "video/filter", {"input": "file_a", "filters": [{"type": text[:4]}] * (len(text) // 16)}
        ),
        units=("a",),
    ),
    Reader("ffapi_site.lib.strict_json.loads", _json, frames=_IN_JSON, units=(*UNITS, *_VALUES)),
    Reader("ffapi_site.lib.text.composed", lambda text: composed(text, 1020)),
    Reader("storage.names.clean_name of marks", clean_name, frames=(("a", ".mp4"), ("a/", ""))),
    Reader("ffapi_site.lib.csv_cells.csv_text", lambda text: csv_cells.csv_text([[text, text]])),
    Reader("ffapi_site.lib.query", _query, frames=(("search=", ""), ("", ""), ("a=1&", "=2"))),
    Reader("ffapi_site.lib.times.moment_of", times.moment_of),
    Reader("ffapi_site.lib.times.day_of", times.day_of),
    Reader("ffapi_site.lib.query of Django", QueryDict, frames=(("search=", ""), ("a=1&", "=2"))),
    Reader(
        "ffapi_site.lib.pagination.Cursor",
        lambda text: pagination.Cursor.from_text(text, "created_at"),
    ),
    Reader(
        "ffapi_site.lib.client_address",
        lambda text: client_address.address_block(_request(HTTP_X_FORWARDED_FOR=text)),
        units=(*UNITS, "1.2.3.4, ", "127.0.0.1,"),
    ),
    Reader(
        "ffapi_site.lib.request_id",
        lambda text: request_id.request_id(_request(HTTP_X_REQUEST_ID=text)),
    ),
    Reader(
        "media_jobs.api.waiting",
        lambda text: wanted_wait_s(_request(HTTP_PREFER=text)),
        frames=(*FRAMES, ("wait", ""), ("wait=", "")),
        units=(*UNITS, "wait", "wait=1", " wait=1 "),
    ),
    Reader("accounts.idempotency.read_key", read_key),
    Reader("accounts.keys.secret_format", id_in, frames=(("", ""), ("ffapi_", ""))),
    Reader(
        "cookies", lambda text: _request(HTTP_COOKIE=text).COOKIES, frames=(("a=", ""), ("", ""))
    ),
    # Servers take headers of 64 KiB together; Django itself bounds the one that it takes apart.
    Reader("content type", parse_header_parameters, frames=(("a/b; a=", ""), ("a/b", ""))),
    Reader(
        "multipart",
        _multipart,
        frames=(("", ""), ('Content-Disposition: form-data; name="a"', "\r\n\r\na")),
        units=(*UNITS, "--b\r\n", "\r\n--b", "a: b\r\n", '; filename="a"', "\r\n\r\n"),
    ),
)

_OURS = "takes values of ours, or what a reader here has made of a text"
_FETCHES = "opens addresses; what comes back goes through the readers here"
EXCLUDED = {
    _OURS: (
        "ffapi_site.lib.netguard.connection.resolve",
        "ffapi_site.lib.netguard.exchange.header",
        "media_jobs.ffmpeg.codecs.container_of",
        "media_jobs.ffmpeg.command_line.muxers.agrees",
        "media_jobs.ffmpeg.hardware.made_for",
        "media_jobs.ffmpeg.output_args.mapped_labels",
        "media_jobs.ffmpeg.output_args.options",
        "media_jobs.ffmpeg.first_frame.args",
        "media_jobs.ffmpeg.verify.missing_streams",
        "media_jobs.operations.analysis.probe.named",
        "media_jobs.operations.building.stream_plan.check_holds",
        "media_jobs.operations.building.stream_plan.useless",
        "media_jobs.operations.custom.ffmpeg.located",
        "media_jobs.operations.custom.ffmpeg.planned_s",
        "media_jobs.operations.custom.ffmpeg.read",
        "media_jobs.operations.custom.capability_checks.check_means",
        "media_jobs.operations.core.driver.drive",
        "media_jobs.operations.building.video_filters.inside",
        "media_jobs.operations.building.audio_edit.edit_audio",
        "media_jobs.operations.building.audio_edit.one_count",
        "media_jobs.operations.building.encoding.need_encoder",
        "media_jobs.operations.building.encoding.result_file",
        "media_jobs.operations.building.overlay.anchored",
        "media_jobs.operations.building.segments.audio_chain",
        "media_jobs.operations.building.segments.made_alike",
        "media_jobs.operations.core.references.one_member",
        "media_jobs.operations.building.sizes.box",
        "media_jobs.operations.building.sizes.resize",
        "media_jobs.operations.building.time_range.check_has_begun",
        "media_jobs.operations.building.time_range.check_length",
        "media_jobs.operations.core.samples.audio",
        "media_jobs.operations.core.samples.pattern",
        "media_jobs.operations.core.samples.sample",
        "media_jobs.operations.core.samples.video",
        "media_jobs.operations.building.frame_selection.as_frames",
        "media_jobs.operations.building.frame_selection.row",
        "media_jobs.operations.video.concat.report",
        "media_jobs.operations.video.filter.shown",
        "media_jobs.ffmpeg.advice.written",
        "storage.intake.landing.landing",
        "storage.store.add",
        "storage.store.place",
    ),
    "looks a name up, in a mapping": ("media_jobs.operations.core.declaration.find",),
    _FETCHES: (
        "ffapi_site.lib.netguard.fetch.begin",
        "ffapi_site.lib.netguard.fetch.download",
        "ffapi_site.lib.netguard.fetch.post",
    ),
    "calls the readers of its module, which is pumped": (
        "media_jobs.ffmpeg.media_info.",
        "media_jobs.ffmpeg.media_limits.",
        "media_jobs.operations.core.parsing.",
        "storage.intake.checks.",
        "storage.intake.arrivals.",
    ),
    "sends the bytes to another program, and reads a kilobyte of its answer": (
        "storage.intake.virus_scan.scan",
    ),
}


def is_excluded(name: str) -> bool:
    """By its name, or with all of its module where the entry ends in a dot."""
    return any(
        name == each or (each.endswith(".") and name.startswith(each))
        for entries in EXCLUDED.values()
        for each in entries
    )


def bodies_of_the_api() -> Iterator[Reader]:
    """Every model that refuses unknown fields is what somebody sends: each with all its fields."""
    for module in map(importlib.import_module, patterns.modules()):
        for name, model in vars(module).items():
            if inspect.isclass(model) and issubclass(model, BaseModel) and _is_sent(model, module):
                yield Reader(
                    f"{module.__name__}.{name}",
                    lambda text, model=model: _read(model, text),  # type: ignore[misc]
                    units=_WORDS,
                )


def _is_sent(model: type[BaseModel], module: Any) -> bool:
    return model.__module__ == module.__name__ and model.model_config.get("extra") == "forbid"


def _read(model: type[BaseModel], text: str) -> None:
    given: list[dict[str, Any]] = [
        dict.fromkeys(model.model_fields, text),
        {name: [text, *text[:1000].split()] for name in model.model_fields},
        {name: {text: text} for name in model.model_fields},
        {text: 1},
    ]
    for each in given:
        with contextlib.suppress(Exception):  # a refusal is an answer
            bodies.read(model, each)
