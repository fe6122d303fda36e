"""Change the audio of a source and leave its video as it is; or only measure it."""

from __future__ import annotations

from collections.abc import Sequence

from media_jobs.ffmpeg.codecs import MOST_CHANNELS
from media_jobs.ffmpeg.command import Command, Parser
from media_jobs.ffmpeg.filters import Filter, write
from media_jobs.ffmpeg.media_info import AudioStream
from media_jobs.operations.building.encoding import audio_args, finish, result_file
from media_jobs.operations.building.reencode import OutputContainer, copied_video, mapped
from media_jobs.operations.core import Input, Media, Target


def edit_audio(
    m: Media,
    filters: Sequence[Filter],
    *,
    tracks: Sequence[AudioStream] | None = None,
    stage: str = "encoding",
    share: float = 1.0,
) -> Command:
    """Run the audio of the source through ``filters``; a video is copied bit by bit.

    ``tracks`` are the ones that are kept: all of them where nothing is said. They are encoded as
    the first of them was, where the container of the result takes that, else as it usually does.
    Raises ``InvalidParams`` where the source has no audio, or a picture instead of a video.
    """
    source, info = m.source, m.source.info
    source.need_audio()
    video = source.need_video() if info.video else None
    kept = info.audio if tracks is None else tracks
    output = edited_container(m)
    encoding = output.audio_encoding(kept[0], one_count(kept, output.audio_codec(kept[0])))
    args = (
        *(copied_video(video) if video else ()),
        *mapped(kept),
        *audio_args(m, encoding, kept, filters),
        *finish(output.container),
    )
    length_s = source.duration_s or None
    file = result_file(m, output.container, streams=output.streams(info), duration_s=length_s)
    return m.ffmpeg(
        [Input(source)], [Target(args, file)], stage=stage, duration_s=length_s, share=share
    )


def measure_audio(
    m: Media, track: AudioStream, filters: Sequence[Filter], *, parse: Parser, share: float = 1.0
) -> Command:
    """Run a track through ``filters`` for what they print; nothing is written."""
    return m.ffmpeg(
        [Input(m.source)],
        [Target(("-map", f"0:{track.index}", "-af", write(filters)))],
        stage="measuring",
        duration_s=m.source.duration_s or None,
        share=share,
        parse=parse,
    )


def edited_container(m: Media) -> OutputContainer:
    return OutputContainer.of(m.source, copies_video=True)


def one_count(tracks: Sequence[AudioStream], codec: str) -> int | None:
    """The channels of an only track, whatever the filters make of them."""
    if len(tracks) != 1:
        return None
    return min(tracks[0].channels, MOST_CHANNELS.get(codec, tracks[0].channels))
