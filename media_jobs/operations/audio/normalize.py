"""Bring a sound to a loudness."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from media_jobs.ffmpeg.codecs import LOSSLESS_AUDIO
from media_jobs.ffmpeg.filters import Filter, Value
from media_jobs.ffmpeg.media_info import AudioStream
from media_jobs.operations.base import (
    Command,
    Example,
    Input,
    InvalidParams,
    Media,
    MediaRef,
    Operation,
    Result,
    Steps,
    Target,
)
from media_jobs.operations.editing import EDIT_BITRATE, Form, copied_video
from media_jobs.operations.encoding import Sound, audio_args, finish, result_file
from media_jobs.operations.fields import LoudnessRange, Lufs, TruePeak

_MEASURED = re.compile(r"\{[^{}]*\"input_i\"[^{}]*\}", re.DOTALL)
# Below the meter's own gate there is nothing to bring to a loudness.
_SILENCE_LUFS = -70.0


class Normalize(Operation):
    """Bring a sound, or the sound of a film, to a loudness (EBU R128), in two passes.

    The first pass measures; the second turns the whole sound up or down by one gain where the
    true peak allows it, and limits it where not. A film's picture is copied bit by bit. The
    job's ``result`` holds what was measured.
    """

    path: ClassVar[str] = "audio/normalize"
    group: ClassVar[str] = "audio"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            "quiet music for streaming",
            {"input": "quiet_music"},
            {"target_lufs": -16, "true_peak": -1},
            expect={"audio": "pcm_s16le", "duration_s": 8},
            answers=(
                {
                    "input_i": -38.2,
                    "input_tp": -24.1,
                    "input_lra": 1.3,
                    "input_thresh": -48.3,
                    "target_offset": 0.1,
                },
            ),
        ),
        Example(
            "a film for broadcast, its picture untouched",
            {"input": "film"},
            {"target_lufs": -23},
            expect={"video": "h264", "audio": "aac", "duration_s": 4},
            answers=(
                {
                    "input_i": -21.0,
                    "input_tp": -18.1,
                    "input_lra": 0.0,
                    "input_thresh": -31.0,
                    "target_offset": 0.0,
                },
            ),
        ),
    )

    input: MediaRef
    """The film or sound."""
    target_lufs: Lufs = -16.0
    """Integrated loudness: -23 for broadcast, -16 to -14 for streaming."""
    true_peak: TruePeak = -1.0
    """Highest peak between samples too."""
    loudness_range: LoudnessRange | None = None
    """Compress to this range; the source's own range is kept when absent."""

    def steps(self, m: Media) -> Steps:
        m.source.need_audio()
        if m.source.info.video is not None:
            m.source.need_film()
        track = m.source.info.audio[0]
        measured = yield self._measure(m, track)
        if measured["input_i"] <= _SILENCE_LUFS:
            raise InvalidParams("input", "the source is silent", "silent")
        yield self._apply(m, track, measured)
        lost = "only the first audio track is kept"
        warnings = (lost,) if len(m.source.info.audio) > 1 else ()
        return Result({"measured": measured, "target_lufs": self.target_lufs}, warnings)

    def _measure(self, m: Media, track: AudioStream) -> Command:
        graph = m.filters([self._loudnorm(self.loudness_range or 7.0)])
        return m.ffmpeg(
            [Input(m.source)],
            [Target(("-map", f"0:{track.index}", "-af", graph))],
            stage="measuring",
            duration_s=m.source.duration_s or None,
            share=0.4,
            parse=read_measurement,
        )

    def _apply(self, m: Media, track: AudioStream, measured: Mapping[str, float]) -> Command:
        form, info = Form.of(m.source, copies_video=True), m.source.info
        codec = form.audio_codec(track)
        bitrate = None if codec in LOSSLESS_AUDIO else EDIT_BITRATE
        # loudnorm works at 192 kHz to see the peaks between samples, and leaves it so.
        rate = Filter("aresample", sample_rate=track.sample_rate or 48000)
        channels = track.channels if codec != "mp3" else min(2, track.channels)
        args = (
            *(copied_video(info.video) if info.video else ()),
            *("-map", f"0:{track.index}"),
            *("-af", m.filters([self._second_pass(measured), rate])),
            *audio_args(m, Sound(codec, bitrate, channels=channels), None),
            *finish(form.container),
        )
        length_s = m.source.duration_s or None
        file = result_file(m, form.container, streams=form.streams(info), duration_s=length_s)
        return m.ffmpeg(
            [Input(m.source)],
            [Target(args, file)],
            duration_s=length_s,
            share=0.6,
        )

    def _second_pass(self, measured: Mapping[str, float]) -> Filter:
        # One gain for all is used only where the target range covers the measured one.
        wide = min(50.0, max(7.0, math.ceil(measured["input_lra"])))
        return self._loudnorm(
            self.loudness_range or wide,
            measured_I=measured["input_i"],
            measured_TP=measured["input_tp"],
            measured_LRA=measured["input_lra"],
            measured_thresh=measured["input_thresh"],
            offset=measured["target_offset"],
            linear=True,
        )

    def _loudnorm(self, loudness_range: float, **measured: Value) -> Filter:
        return Filter(
            "loudnorm",
            cuda=None,
            I=self.target_lufs,
            TP=self.true_peak,
            LRA=loudness_range,
            **measured,
            print_format="json",
        )


def read_measurement(stderr: str) -> dict[str, float]:
    """The block that loudnorm prints at its end; silence is "-inf" there, which JSON can't hold."""
    found = _MEASURED.findall(stderr)
    told: dict[str, Any] = json.loads(found[-1])
    wanted = ("input_i", "input_tp", "input_lra", "input_thresh", "target_offset")
    return {name: max(-99.0, min(99.0, float(told[name]))) for name in wanted}
