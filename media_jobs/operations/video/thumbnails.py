"""Still images of a video."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from media_jobs.ffmpeg.codecs import PICTURES, PictureName
from media_jobs.ffmpeg.filters import Filter, write
from media_jobs.ffmpeg.media_info import VideoStream
from media_jobs.operations.building import (
    Fit,
    as_frames,
    choose,
    displayed_size,
    fitted,
    measuring_filters,
    read_measurements,
)
from media_jobs.operations.core import (
    NOT_BOOL,
    Command,
    EvenPixels,
    Example,
    Input,
    InvalidParams,
    Media,
    MediaRef,
    Operation,
    OutputFile,
    Result,
    Seconds,
    Steps,
    Target,
)

# Up to here every frame is decoded for measuring; in a longer video only the key frames are.
SHORT_VIDEO_S = 120.0
MOST_CANDIDATES = 120
JUST_BEFORE_S = 0.001
# Of the whole work.
MEASURING = 0.8


class Thumbnails(Operation):
    """Take still images from a video.

    ``smart`` measures frames all over the video and takes the ones that show most: none that is
    black, plain or blurred while there are others, spread over the whole length. ``uniform``
    takes the middles of equal stretches, ``random`` the same random places for the same
    parameters. With ``timestamps`` exactly those frames are taken that a player shows then.
    The times are in the job's ``result``.
    """

    path = "video/thumbnails"
    group = "video"
    examples = (
        Example(
            "the three frames that show most",
            {"input": "film"},
            {"count": 3, "width": 320, "height": 180},
            expect={"video": "mjpeg", "width": 320, "height": 180, "outputs": 3},
            answers=([[0.4, 5.0, 90.0, 120.0], [1.9, 5.1, 91.0, 121.0], [3.2, 5.0, 92.0, 119.0]],),
        ),
        Example(
            "at given times, as PNG",
            {"input": "film"},
            {"timestamps": [0, 2.5], "format": "png"},
            expect={"video": "png", "width": 640, "height": 360, "outputs": 2},
        ),
        Example(
            "at regular distances",
            {"input": "film"},
            {"count": 4, "method": "uniform", "height": 90, "format": "webp"},
            expect={"video": "webp", "height": 90, "outputs": 4},
        ),
    )

    input: MediaRef
    """The video."""
    count: Annotated[int, Field(ge=1, le=50), NOT_BOOL] = 5
    """How many images, unless ``timestamps`` says where."""
    method: Literal["smart", "uniform", "random"] = "smart"
    """How the frames are found."""
    timestamps: Annotated[tuple[Seconds, ...], Field(min_length=1, max_length=50)] | None = None
    """Exact places in the video, instead of a method."""
    width: EvenPixels | None = None
    """Width of the images; it follows from the height, or is the video's own, when absent."""
    height: EvenPixels | None = None
    """Height of the images; it follows from the width, or is the video's own, when absent."""
    fit: Fit = "contain"
    """What happens when width and height do not have the video's shape."""
    format: PictureName = "jpg"
    """Kind of image."""

    def steps(self, m: Media) -> Steps:
        video = m.source.need_video()
        self._check(m, video)
        if self.timestamps is not None:
            times = [shown_at(video, time, m.source.video_duration_s()) for time in self.timestamps]
        elif self._measures:
            times = yield from self._measured(m)
        else:
            times = [shown_at(video, time, m.source.video_duration_s()) for time in self._places(m)]
        names = [f"thumbnail-{number:02}.{self.format}" for number in range(1, len(times) + 1)]
        share = (1.0 - MEASURING if self._measures else 1.0) / len(times)
        yield tuple(
            replace(self._still(m, video, *each), share=share)
            for each in zip(times, names, strict=True)
        )
        asked = self.timestamps or [round(time + JUST_BEFORE_S, 3) for time in times]
        pairs = zip(names, asked, strict=True)
        return Result({"thumbnails": [{"name": name, "timestamp": at} for name, at in pairs]})

    @property
    def _measures(self) -> bool:
        return self.timestamps is None and self.method == "smart"

    def _check(self, m: Media, video: VideoStream) -> None:
        length_s = m.source.video_duration_s()
        if not length_s:
            raise InvalidParams("input", "the length of the source is not known", "no_duration")
        for place, time in enumerate(self.timestamps or ()):
            if time >= length_s:
                detail = f"the source ends at {length_s:g} s"
                raise InvalidParams(f"timestamps/{place}", detail, "out_of_range")
        frames = round(length_s * video.fps) or 1
        if self.timestamps is None and self.count > frames:
            raise InvalidParams("count", f"the source has only {frames} frames", "out_of_range")
        if self.fit != "contain" and None in {self.width, self.height}:
            raise InvalidParams("fit", "needs both width and height", "conflict")

    def _places(self, m: Media) -> list[float]:
        length_s = m.source.video_duration_s()
        if self.method == "uniform":
            return [(place + 0.5) * length_s / self.count for place in range(self.count)]
        # The same parameters give the same places, also on another attempt.
        dice = random.Random(f"thumbnails {self.count} {length_s:.3f}")  # noqa: S311
        return sorted(dice.uniform(0, length_s) for _ in range(self.count))

    def _measured(self, m: Media) -> Any:
        length_s = m.source.video_duration_s()
        frames: list[Any] = []
        if length_s > SHORT_VIDEO_S:
            frames = as_frames((yield self._measure(m, only_key_frames=True)))
        if len(frames) < self.count:
            frames = as_frames((yield self._measure(m, only_key_frames=False)))
        if not frames:
            raise InvalidParams("input", "no picture of the source can be decoded", "undecodable")
        return [
            max(0.0, frame.time_s - JUST_BEFORE_S) for frame in choose(frames, self.count, length_s)
        ]

    def _measure(self, m: Media, *, only_key_frames: bool) -> Command:
        video, length_s = m.source.need_video(), m.source.video_duration_s()
        candidates = min(MOST_CANDIDATES, max(30, 4 * self.count))
        # Key frames stand alone: the decoder passes over all between them.
        options = ("-skip_frame", "nokey") if only_key_frames else ()
        return m.ffmpeg(
            [Input(m.source, options=options)],
            [
                Target(
                    (
                        *("-map", f"0:{video.index}"),
                        *("-vf", write(measuring_filters(length_s / candidates))),
                        *("-fps_mode", "passthrough"),
                    )
                )
            ],
            stage="measuring",
            duration_s=length_s,
            share=MEASURING,
            parse=read_measurements,
        )

    def _still(self, m: Media, video: VideoStream, start_s: float, name: str) -> Command:
        image = PICTURES[self.format]
        filters = self._filters(m, video)
        return m.ffmpeg(
            [Input(m.source, start_s)],
            [
                Target(
                    (
                        *("-map", f"0:{video.index}"),
                        *(("-vf", write(m.placed(filters))) if filters else ()),
                        *("-frames:v", "1"),
                        *image.args,
                        # One image under exactly this name, not a numbered series.
                        *("-f", "image2", "-update", "1"),
                    ),
                    OutputFile(
                        path=f"out/{name}",
                        role="thumbnail",
                        name=name,
                        content_type=image.content_type,
                        streams=frozenset({"video"}),
                    ),
                )
            ],
            stage="taking pictures",
        )

    def _filters(self, m: Media, video: VideoStream) -> list[Filter]:
        if self.width is None and self.height is None:
            return []
        into = (self.width or float("inf"), self.height or float("inf"))
        return fitted(displayed_size(video), into, self.fit, m.device)


def shown_at(video: VideoStream, time_s: float, length_s: float) -> float:
    """Where to seek for the frame that a player shows at a time.

    FFmpeg starts with the first frame at or after the place, a player keeps the last one before it.
    """
    frame_s = 1 / video.fps if video.fps else 0.0
    latest = length_s - frame_s - JUST_BEFORE_S
    return max(0.0, min(time_s - frame_s + JUST_BEFORE_S, latest))
