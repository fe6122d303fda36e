"""What a file is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ffapi_site.lib.shorten import shorten
from media_jobs.ffmpeg.media_info import PROBE_ARGS, MediaInfo, streams_of
from media_jobs.operations.core import Command, Example, Media, MediaRef, Operation, Result, Steps

_RAW_BYTES = 128 << 10


class Probe(Operation):
    """Say what a file is: container, streams, codecs, sizes, rates, lengths.

    ``media`` is the reading of it that this service works with, with sizes as displayed after
    rotation; ``raw`` is all that ffprobe says. Of an address only what is read is fetched, of a
    film its head and index, where its server gives ranges of one version.
    """

    path = "probe"
    group = "analysis"
    is_synchronous = True
    examples = (
        Example("a film", {"input": "film"}),
        Example("with every frame counted", {"input": "film"}, {"frames": True}),
    )

    input: MediaRef
    """The file to look at."""
    frames: bool = False
    """Decode it all and count the frames (``nb_read_frames`` of each stream in ``raw``)."""
    packets: bool = False
    """Read it all and count the packets (``nb_read_packets`` of each stream in ``raw``)."""

    @property
    def reads_all(self) -> bool:
        return self.frames or self.packets

    def steps(self, m: Media) -> Steps:
        answer = yield Command(
            args=(
                *PROBE_ARGS,
                *(("-count_frames",) if self.frames else ()),
                *(("-count_packets",) if self.packets else ()),
                m.source.path,
            ),
            program="ffprobe",
            stage="probing",
            parse=json.loads,
        )
        if answer is None:
            return None
        raw = named(sized(answer, m.source.info), m.source.name or m.source.path)
        kept = shorten(raw, _RAW_BYTES)
        cut = "what ffprobe says was too long to be kept as a whole: its longest parts are cut off"
        return Result(
            {"media": MediaInfo.from_ffprobe(raw).to_json(), "raw": kept},
            warnings=() if kept is raw else (cut,),
        )


def sized(answer: Mapping[str, Any], known: MediaInfo) -> dict[str, Any]:
    """The size of a picture is known already where an ffprobe can't tell it."""
    video = known.video
    if video is None or any(stream.get("width") for stream in streams_of(answer)):
        return {**answer}
    size = {"width": video.width, "height": video.height, "pix_fmt": video.pix_fmt}
    streams = [
        {**stream, **size} if stream.get("codec_type") == "video" else stream
        for stream in streams_of(answer)
    ]
    return {**answer, "streams": streams}


def named(answer: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Ffprobe repeats the path that it was given; outside, the file has its own name."""
    return {**answer, "format": {**answer.get("format", {}), "filename": name}}
