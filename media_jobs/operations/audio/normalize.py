"""Bring a sound to a loudness."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from media_jobs.ffmpeg import words
from media_jobs.ffmpeg.codecs import LOSSLESS_AUDIO, MOST_CHANNELS
from media_jobs.ffmpeg.filters import Filter
from media_jobs.ffmpeg.media_info import AudioStream
from media_jobs.ffmpeg.words import Unsaid
from media_jobs.operations.building.encoding import Sound, audio_args, finish, result_file
from media_jobs.operations.building.reencode import EDIT_BITRATE, Form, copied_video
from media_jobs.operations.core import (
    Command,
    Example,
    Input,
    InvalidParams,
    Media,
    MediaRef,
    Operation,
    Result,
    Step,
    Steps,
    Target,
)
from media_jobs.operations.core.fields import LoudnessRange, Lufs, TruePeak

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
    """Bring a sound, or the sound of a film, to a loudness (EBU R128).

    The first pass measures, the last one turns the whole sound up or down by one gain. Where the
    true peak does not allow that gain, a limiter holds the peaks, and passes between measure how
    much gain makes up for what it takes away. A film's picture is copied bit by bit. The job's
    ``result`` holds what was measured.
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
        measured = yield self._measure(m, track, [], share=0.3)
        check_is_heard(measured)
        shaping = yield from self._shaping(m, track, measured)
        yield self._apply(m, track, shaping)
        lost = "only the first audio track is kept"
        warnings = (lost,) if len(m.source.info.audio) > 1 else ()
        return Result({"measured": dict(measured), "target_lufs": self.target_lufs}, warnings)

    def _shaping(
        self, m: Media, track: AudioStream, measured: Measured
    ) -> Generator[Step, Any, list[Filter]]:
        """The filters that bring the sound to its loudness, found by trial where they limit."""
        shape = Shape(self.loudness_range, measured, track, self._ceiling_db(m, track))
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
        codec = Form.of(m.source, copies_video=True).audio_codec(track)
        return self.true_peak - (_MARGIN_DB if codec in LOSSLESS_AUDIO else _LOSSY_MARGIN_DB)

    def _measure(
        self, m: Media, track: AudioStream, filters: list[Filter], *, share: float
    ) -> Command:
        # loudnorm is only the meter here: what it makes of the sound is thrown away.
        graph = m.filters([*filters, Filter("loudnorm", print_format="json")])
        return m.ffmpeg(
            [Input(m.source)],
            [Target(("-map", f"0:{track.index}", "-af", graph))],
            stage="measuring",
            duration_s=m.source.duration_s or None,
            share=share,
            parse=read_measurement,
        )

    def _apply(self, m: Media, track: AudioStream, shaping: list[Filter]) -> Command:
        form, info = Form.of(m.source, copies_video=True), m.source.info
        codec = form.audio_codec(track)
        bitrate = None if codec in LOSSLESS_AUDIO else EDIT_BITRATE
        # Back from the rate at which peaks are seen.
        rate = Filter("aresample", sample_rate=track.sample_rate or 48000)
        channels = min(track.channels, MOST_CHANNELS.get(codec, track.channels))
        args = (
            *(copied_video(info.video) if info.video else ()),
            *("-map", f"0:{track.index}"),
            *("-af", m.filters([*shaping, rate])),
            *audio_args(m, Sound(codec, bitrate, channels=channels), None),
            *finish(form.container),
        )
        length_s = m.source.duration_s or None
        file = result_file(m, form.container, streams=form.streams(info), duration_s=length_s)
        return m.ffmpeg([Input(m.source)], [Target(args, file)], duration_s=length_s, share=0.4)


@dataclass(frozen=True)
class Shape:
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
