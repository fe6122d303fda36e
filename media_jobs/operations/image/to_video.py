"""A film of one picture."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar, Literal

from media_jobs.ffmpeg.codecs import CONTAINERS
from media_jobs.ffmpeg.devices import Encoding
from media_jobs.ffmpeg.filters import Filter
from media_jobs.ffmpeg.media_info import VideoStream
from media_jobs.operations.building.encoding import (
    Sound,
    audio_args,
    finish,
    result_file,
    video_args,
)
from media_jobs.operations.building.sizes import (
    NAMED,
    Resolution,
    Shape,
    fitted,
    made_even,
    resize,
    shape_after,
    shape_of,
    stored_shape,
)
from media_jobs.operations.core import (
    Command,
    Example,
    Input,
    InvalidParams,
    Media,
    MediaRef,
    Operation,
    Source,
    Target,
)
from media_jobs.operations.core.fields import Duration, FrameRate

USUAL_LENGTH_S = 5.0
# How much nearer the picture is at the end of a zoom, and during a pan.
NEARER = 0.2


class ToVideo(Operation):
    """Make a film of a picture: still, or slowly zoomed or panned; with a sound if one is given.

    With a sound and no ``duration`` the film is as long as the sound.
    """

    path: ClassVar[str] = "image/to-video"
    group: ClassVar[str] = "image"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            "three seconds of a photo",
            {"input": "photo"},
            {"duration": 3, "fps": 25},
            expect={"video": "h264", "width": 800, "height": 600, "fps": 25, "duration_s": 3},
        ),
        Example(
            "slow zoom under a voice",
            {"input": "photo", "audio": "quiet_music"},
            {
                "duration": 2,
                "motion": "zoom",
                "resolution": {"width": 320, "height": 180, "fit": "cover"},
            },
            expect={"video": "h264", "audio": "aac", "width": 320, "height": 180, "duration_s": 2},
        ),
    )

    input: MediaRef
    """The picture."""
    audio: MediaRef | None = None
    """A sound to lay under it; silence follows where it is shorter than ``duration``."""
    duration: Duration | None = None
    """Length of the film; that of the sound when absent, else 5 seconds."""
    resolution: Resolution | None = None
    """The picture's size when absent, up to 4K."""
    fps: FrameRate = "25"
    """Frames per second."""
    motion: Literal["none", "zoom", "pan"] = "none"
    """zoom: slowly nearer to the middle · pan: slowly from left to right."""

    def command(self, m: Media) -> Command:
        picture = self._picture(m.sources["input"])
        sound = m.sources.get("audio")
        if sound is not None:
            sound.need_audio()
        length_s = self._length_s(sound.duration_s if sound else 0.0)
        container = CONTAINERS["mp4"]
        args = (
            *("-map", f"0:{picture.index}"),
            *video_args(m, picture, Encoding("h264"), self._filters(m, picture, length_s)),
            *(self._sound(m) if sound else ()),
            *("-t", f"{length_s:.6f}"),
            *finish(container),
        )
        streams = frozenset({"video", "audio"} if sound else {"video"})
        file = result_file(m, container, streams=streams, duration_s=length_s)
        inputs = [
            Input(m.sources["input"], options=self._repeating(m)),
            *([Input(sound)] if sound else []),
        ]
        return m.ffmpeg(inputs, [Target(args, file)], duration_s=length_s)

    def _picture(self, source: Source) -> VideoStream:
        """Of a picture that moves, the first frame is taken."""
        picture = source.need_video()
        if not source.is_picture and source.info.format_name not in {"gif", "apng"}:
            raise InvalidParams("input", "the source is a film, not a picture", "no_picture")
        return picture

    def _length_s(self, sound_s: float) -> float:
        length_s = self.duration or sound_s or USUAL_LENGTH_S
        if length_s * Fraction(self.fps) < 1:
            raise InvalidParams("duration", "is shorter than one frame", "out_of_range")
        return length_s

    def _repeating(self, m: Media) -> tuple[str, ...]:
        """A still film repeats the picture; a moving one makes all its frames of one."""
        if not m.sources["input"].is_picture or self.motion != "none":
            return ()
        return ("-loop", "1", "-framerate", self.fps)

    def _filters(self, m: Media, picture: VideoStream, length_s: float) -> list[Filter]:
        sized = self._sized(m, picture)
        if self.motion == "none" and m.sources["input"].is_picture:
            return sized
        return [*sized, *self._moving(shape_after(stored_shape(picture), sized), length_s)]

    def _sized(self, m: Media, picture: VideoStream) -> list[Filter]:
        if self.resolution is not None:
            return resize(shape_of(picture), self.resolution, m.device)
        longest = NAMED["4K"][0]
        if max(picture.width, picture.height) > longest:
            return fitted(shape_of(picture), (longest, longest), "contain", m.device)
        return made_even(stored_shape(picture))

    def _moving(self, shape: Shape, length_s: float) -> list[Filter]:
        frames = max(1, round(length_s * Fraction(self.fps)))
        part = f"on/{frames}"
        zoom = {"none": "1", "zoom": f"1+{NEARER}*{part}", "pan": f"{1 + NEARER}"}[self.motion]
        left = f"(iw-iw/zoom)*{part}" if self.motion == "pan" else "(iw-iw/zoom)/2"
        return [
            # zoompan moves by whole pixels: on a larger picture the steps are too small to see.
            Filter("scale", w=shape.width * 2, h=shape.height * 2),
            Filter(
                "zoompan",
                z=zoom,
                x=left,
                y="(ih-ih/zoom)/2",
                d=frames,
                s=f"{shape.width}x{shape.height}",
                fps=self.fps,
            ),
        ]

    def _sound(self, m: Media) -> tuple[str, ...]:
        track = m.sources["audio"].info.audio[0]
        # Silence without end behind the sound; -t ends it with the film.
        return (
            *("-map", f"1:{track.index}", "-af", "apad"),
            *audio_args(m, Sound("aac", "192k", channels=min(2, track.channels)), None),
        )
