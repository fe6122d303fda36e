"""Let sound come out of silence at its beginning, and go back into it at its end."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from media_jobs.ffmpeg import words
from media_jobs.ffmpeg.filters import Filter
from media_jobs.ffmpeg.words import Unsaid
from media_jobs.operations.building import edit_audio, measure_audio
from media_jobs.operations.core import (
    NOT_BOOL,
    Example,
    InvalidParams,
    Media,
    MediaRef,
    Operation,
    Result,
    Steps,
)

# FFmpeg counts microseconds, and makes a fade of 44100 samples of one that has no length.
FadeLength = Annotated[float, Field(ge=0.01, le=3600, json_schema_extra={"unit": "s"}), NOT_BOOL]

_RATE = 48_000
# Gaps, and what is before the first sample, are filled: so the samples count the time.
_CLOCK = (
    Filter("aresample", sample_rate=_RATE, async_=1, first_pts=0),
    Filter("astats", measure_perchannel="none", measure_overall="Number_of_samples"),
)


class Fade(Operation):
    """Fade audio, or the audio of a video, in and out.

    It fades where the sound begins and ends, not where the picture does, and in all audio tracks
    at the times of the first. The end is looked for in a pass of its own, for the headers of some
    files are far off. A video is copied bit by bit. The job's ``result`` holds the two times.
    """

    path = "audio/fade"
    group = "audio"
    examples = (
        Example(
            "music, in and out",
            {"input": "quiet_music"},
            {"fade_in": 0.5, "fade_out": 1.5},
            expect={"audio": "pcm_s16le", "duration_s": 8, "start_s": 0, "end_s": 8},
            answers=(8.0,),
        ),
        Example(
            "the end of a film, its picture untouched",
            {"input": "film"},
            {"fade_out": 1.5, "curve": "qsin"},
            expect={"video": "h264", "audio": "aac", "duration_s": 4},
            answers=(4.0,),
        ),
        Example(
            "surround sound",
            {"input": "surround_film"},
            {"fade_in": 0.5, "fade_out": 1, "curve": "hsin"},
            expect={"video": "h264", "audio": "aac", "duration_s": 3},
            answers=(3.0,),
        ),
    )

    input: MediaRef
    """The video or audio."""
    fade_in: FadeLength | None = None
    """How long the sound takes to rise from silence; it does not fade in when absent."""
    fade_out: FadeLength | None = None
    """How long the sound takes to fall to silence; it does not fade out when absent."""
    curve: Literal["tri", "qsin", "hsin", "log", "exp"] = "tri"
    """tri: straight · qsin: quarter of a sine, soon loud · hsin: half of a sine, smooth at both
    ends · log: loud at once · exp: quiet for long."""

    def steps(self, m: Media) -> Steps:
        fade_in_s, fade_out_s = self.fade_in or 0.0, self.fade_out or 0.0
        if not fade_in_s + fade_out_s:
            raise InvalidParams("fade_in", "give fade_in, fade_out or both")
        m.source.need_audio()
        if m.source.info.video is not None:
            m.source.need_video()
        track = m.source.info.audio[0]
        start_s = max(0.0, track.start_s - m.source.info.start_s)
        end_s = yield measure_audio(m, track, _CLOCK, parse=read_end, share=0.2)
        length_s = end_s - start_s
        if fade_in_s + fade_out_s > length_s:
            field = "fade_in" if fade_in_s > fade_out_s else "fade_out"
            detail = f"the sound lasts {length_s:g} s, less than it is to fade"
            raise InvalidParams(field, detail, "out_of_range")
        fades = [
            *([self._fade("in", start_s, fade_in_s)] if fade_in_s else []),
            *([self._fade("out", end_s - fade_out_s, fade_out_s)] if fade_out_s else []),
        ]
        yield edit_audio(m, fades, share=0.8)
        return Result({"start_s": start_s, "end_s": end_s})

    def _fade(self, way: str, start_s: float, length_s: float) -> Filter:
        return Filter("afade", type=way, start_time=start_s, duration=length_s, curve=self.curve)


def read_end(log: str) -> float:
    """When the sound ends, in seconds; of a stream that changes midway the last part says it.

    Raises ``Unsaid``.
    """
    *_, said = ["", *words.of_filter(log, "astats")]
    try:
        return round(float(said.partition("Number of samples: ")[2].split()[0]) / _RATE, 6)
    except (ValueError, IndexError) as error:
        raise Unsaid("astats did not say how much it was given") from error
