"""Bring audio to a loudness."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from media_jobs.ffmpeg import words
from media_jobs.ffmpeg.codecs import LOSSLESS_AUDIO
from media_jobs.ffmpeg.filters import Filter
from media_jobs.ffmpeg.media_info import AudioStream
from media_jobs.ffmpeg.words import Unsaid
from media_jobs.operations.building import edit_audio, edited_container, measure_audio
from media_jobs.operations.core import (
    Command,
    Example,
    InvalidParams,
    LoudnessRange,
    Lufs,
    Media,
    MediaRef,
    Operation,
    Result,
    Step,
    Steps,
    TruePeak,
)

# Below the meter's own gate there is nothing to bring to a loudness.
_SILENCE_LUFS = -70.0
# How near is near enough, and how often to try, where a limiter takes loudness away again.
_NEAR_LU = 0.2
_MOST_TRIALS = 4
# At four times the rate a sample peak is, but for a tenth of a decibel, a true peak; what a lossy
# codec gives back may be a decibel over what it was given.
_PEAK_RATE = 192_000
_MARGIN_DB = 0.1
_LOSSY_MARGIN_DB = 1.0
# The quietest that FFmpeg's compressor can begin at.
_COMPRESSOR_FLOOR = 0.001
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}

Measured = Mapping[str, float]


class Normalize(Operation):
    """Bring audio, or the audio of a video, to a loudness (EBU R128).

    The first pass measures, the last one turns the whole of it up or down by one gain. Where the
    true peak does not allow that gain, a limiter holds the peaks, and passes between measure how
    much gain makes up for what it takes away. A video is copied bit by bit. The job's ``result``
    holds what was measured.
    """

    path = "audio/normalize"
    group = "audio"
    examples = (
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
                },
            ),
        ),
    )

    input: MediaRef
    """The video or audio."""
    target_lufs: Lufs = -16.0
    """Integrated loudness: -23 for broadcast, -16 to -14 for streaming."""
    true_peak: TruePeak = -1.0
    """Highest peak between samples too."""
    loudness_range: LoudnessRange | None = None
    """Compress to this range; the source's own range is kept when absent."""

    def steps(self, m: Media) -> Steps:
        m.source.need_audio()
        if m.source.info.video is not None:
            m.source.need_video()
        track = m.source.info.audio[0]
        measured = yield self._measure(m, track, [], share=0.3)
        check_is_heard(measured)
        shaping = yield from self._shaping(m, track, measured)
        # Back from the rate at which peaks are seen.
        rate = Filter("aresample", sample_rate=track.sample_rate or 48000)
        yield edit_audio(m, [*shaping, rate], tracks=[track], share=0.4)
        lost = "only the first audio track is kept"
        warnings = (lost,) if len(m.source.info.audio) > 1 else ()
        return Result({"measured": dict(measured), "target_lufs": self.target_lufs}, warnings)

    def _shaping(
        self, m: Media, track: AudioStream, measured: Measured
    ) -> Generator[Step, Any, list[Filter]]:
        """The filters that bring the audio to its loudness, found by trial where they limit."""
        shape = LoudnessShape(self.loudness_range, measured, track, self._ceiling_db(m, track))
        gain_db = self.target_lufs - measured["input_i"]
        if self.loudness_range is None and measured["input_tp"] + gain_db <= shape.ceiling_db:
            return [volume(gain_db)]
        at_db, at_lufs = 0.0, measured["input_i"]
        for _ in range(_MOST_TRIALS):
            trial = yield self._measure(m, track, shape.filters(gain_db), share=0.075)
            missing_lu = self.target_lufs - trial["input_i"]
            if abs(missing_lu) <= _NEAR_LU:
                break
            # How much of a decibel of gain comes out as loudness: the more limited, the less.
            yielded = (trial["input_i"] - at_lufs) / (gain_db - at_db or 1.0)
            at_db, at_lufs = gain_db, trial["input_i"]
            gain_db += missing_lu / min(1.0, max(0.2, yielded))
        return shape.filters(gain_db)

    def _ceiling_db(self, m: Media, track: AudioStream) -> float:
        codec = edited_container(m).audio_codec(track)
        return self.true_peak - (_MARGIN_DB if codec in LOSSLESS_AUDIO else _LOSSY_MARGIN_DB)

    def _measure(
        self, m: Media, track: AudioStream, filters: list[Filter], *, share: float
    ) -> Command:
        # loudnorm is only the meter here: what it makes of the audio is thrown away.
        meter = Filter("loudnorm", print_format="json")
        return measure_audio(m, track, [*filters, meter], parse=read_measurement, share=share)


@dataclass(frozen=True)
class LoudnessShape:
    """A narrower range where one is wanted, a gain, and a limiter that holds the peaks."""

    loudness_range: float | None
    measured: Measured
    track: AudioStream
    ceiling_db: float

    def filters(self, gain_db: float) -> list[Filter]:
        layout = self.track.layout or _LAYOUTS.get(self.track.channels)
        return [
            *self._narrowing(),
            volume(gain_db),
            Filter("aresample", sample_rate=_PEAK_RATE),
            # The limiter refuses channels that nobody has named, as WAV leaves them.
            *([Filter("aformat", channel_layouts=layout)] if layout else []),
            Filter(
                "alimiter",
                limit=10 ** (self.ceiling_db / 20),
                attack=5,
                release=50,
                # Without this it turns everything up to its ceiling afterwards.
                level=False,
            ),
        ]

    def _narrowing(self) -> list[Filter]:
        """Slow compression of all that is heard, by as much as the range is too wide."""
        if self.loudness_range is None or self.measured["input_lra"] <= self.loudness_range:
            return []
        ratio = min(20.0, self.measured["input_lra"] / self.loudness_range)
        return [
            Filter(
                "acompressor",
                threshold=_COMPRESSOR_FLOOR,
                ratio=ratio,
                attack=200,
                release=1000,
                detection="rms",
            )
        ]


def check_is_heard(measured: Measured) -> None:
    """Refuse what has no loudness: EBU R128 measures blocks of 0.4 s, the quiet ones left out."""
    if measured["input_i"] > _SILENCE_LUFS:
        return
    if measured["input_tp"] <= _SILENCE_LUFS:
        raise InvalidParams("input", "the source is silent", "silent")
    detail = "the source is too short or too quiet: loudness is measured of 0.4 s and more"
    raise InvalidParams("input", detail, "too_short")


def volume(gain_db: float) -> Filter:
    return Filter("volume", volume=f"{gain_db:.3f}dB", precision="double")


def read_measurement(log: str) -> dict[str, float]:
    """The block that loudnorm prints at its end; silence is "-inf" there, which JSON can't hold.

    Raises ``Unsaid``.
    """
    *_, said = ["", *words.of_filter(log, "loudnorm")]
    try:
        told, _ = json.JSONDecoder().raw_decode(said, said.index("{"))
        wanted = ("input_i", "input_tp", "input_lra", "input_thresh")
        return {name: max(-99.0, min(99.0, float(told[name]))) for name in wanted}
    except (ValueError, KeyError) as error:
        raise Unsaid("loudnorm did not say what it measured") from error
