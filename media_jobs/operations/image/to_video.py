"""A video of one image."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from media_jobs.ffmpeg.codecs import CONTAINERS
from media_jobs.ffmpeg.devices import Encoding
from media_jobs.ffmpeg.filters import Filter, in_seconds
from media_jobs.ffmpeg.media_info import VideoStream
from media_jobs.operations.building import (
    NAMED,
    AudioEncoding,
    FrameSize,
    Resolution,
    audio_args,
    displayed_size,
    finish,
    fitted,
    made_even,
    resize,
    result_file,
    size_after,
    stored_size,
    video_args,
)
from media_jobs.operations.core import (
    Args,
    Command,
    Duration,
    Example,
    FrameRate,
    Input,
    InvalidParams,
    Media,
    MediaRef,
    Operation,
    Source,
    Target,
)

USUAL_LENGTH_S = 5.0
# How much nearer the image is at the end of a zoom, and during a pan.
NEARER = 0.2


class ToVideo(Operation):
    """Make a video of an image: still, or slowly zoomed or panned; with audio if any is given.

    With audio and no ``duration`` the video is as long as the audio.
    """

    path = "image/to-video"
    group = "image"
    examples = (
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
    """The image."""
    audio: MediaRef | None = None
    """Audio to lay under it; silence follows where it is shorter than ``duration``."""
    duration: Duration | None = None
    """Length of the video; that of the audio when absent, else 5 seconds."""
    resolution: Resolution | None = None
    """The image's size when absent, up to 4K."""
    fps: FrameRate = "25"
    """Frames per second."""
    motion: Literal["none", "zoom", "pan"] = "none"
    """zoom: slowly nearer to the middle · pan: slowly from left to right."""

    def command(self, m: Media) -> Command:
        image = self._image(m.sources["input"])
        audio = m.sources.get("audio")
        if audio is not None:
            audio.need_audio()
        length_s = self._length_s(audio.duration_s if audio else 0.0)
        container = CONTAINERS["mp4"]
        args = (
            *("-map", f"0:{image.index}"),
            *video_args(m, image, Encoding("h264"), self._filters(m, image, length_s)),
            *(self._audio_args(m) if audio else ()),
            *("-t", in_seconds(length_s)),
            *finish(container),
        )
        streams = frozenset({"video", "audio"} if audio else {"video"})
        file = result_file(m, container, streams=streams, duration_s=length_s)
        inputs = [
            Input(m.sources["input"], options=self._repeating(m)),
            *([Input(audio)] if audio else []),
        ]
        return m.ffmpeg(inputs, [Target(args, file)], duration_s=length_s)

    def _image(self, source: Source) -> VideoStream:
        """Of an image that moves, the first frame is taken."""
        image = source.need_frames()
        if not source.is_image and source.info.format_name not in {"gif", "apng"}:
            raise InvalidParams("input", "the source is a film, not a picture", "no_picture")
        return image

    def _length_s(self, audio_s: float) -> float:
        length_s = self.duration or audio_s or USUAL_LENGTH_S
        if length_s * Fraction(self.fps) < 1:
            raise InvalidParams("duration", "is shorter than one frame", "out_of_range")
        return length_s

    def _repeating(self, m: Media) -> Args:
        """A still video repeats the image; a moving one makes all its frames of one."""
        if not m.sources["input"].is_image or self.motion != "none":
            return ()
        return ("-loop", "1", "-framerate", self.fps)

    def _filters(self, m: Media, image: VideoStream, length_s: float) -> list[Filter]:
        sized = self._sized(m, image)
        if self.motion == "none" and m.sources["input"].is_image:
            return sized
        return [*sized, *self._moving(size_after(stored_size(image), sized), length_s)]

    def _sized(self, m: Media, image: VideoStream) -> list[Filter]:
        if self.resolution is not None:
            return resize(displayed_size(image), self.resolution, m.device)
        longest = NAMED["4K"][0]
        if max(image.width, image.height) > longest:
            return fitted(displayed_size(image), (longest, longest), "contain", m.device)
        return made_even(stored_size(image))

    def _moving(self, size: FrameSize, length_s: float) -> list[Filter]:
        frames = max(1, round(length_s * Fraction(self.fps)))
        part = f"on/{frames}"
        zoom = {"none": "1", "zoom": f"1+{NEARER}*{part}", "pan": f"{1 + NEARER}"}[self.motion]
        left = f"(iw-iw/zoom)*{part}" if self.motion == "pan" else "(iw-iw/zoom)/2"
        return [
            # zoompan moves by whole pixels: on a larger image the steps are too small to see.
            Filter("scale", w=size.width * 2, h=size.height * 2),
            Filter(
                "zoompan",
                z=zoom,
                x=left,
                y="(ih-ih/zoom)/2",
                d=frames,
                s=f"{size.width}x{size.height}",
                fps=self.fps,
            ),
        ]

    def _audio_args(self, m: Media) -> Args:
        track = m.sources["audio"].info.audio[0]
        encoding = AudioEncoding("aac", "192k", channels=min(2, track.channels))
        # Silence without end behind the audio; -t ends it with the video.
        silence = Filter("apad")
        return ("-map", f"1:{track.index}", *audio_args(m, encoding, [track], [silence]))
