from __future__ import annotations

from pathlib import Path

from media_jobs.ffmpeg.media_info import MediaInfo
from tests.harness.media import Samples
from tests.operations.workshop import run


def test_it_works(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "probe", "film")
    info = MediaInfo.from_json(done.data["media"])
    assert info.video is not None
    assert (info.video.codec, info.video.width, info.video.fps) == ("h264", 640, 25)
    assert info.audio[0].sample_rate == 48000
    assert done.data["raw"]["format"]["filename"] == "film.mp4"
    assert str(tmp_path) not in str(done.data)


def test_frames_and_packets_are_counted(media: Samples, tmp_path: Path) -> None:
    done = run(media, tmp_path, "probe", "varying_film", frames=True, packets=True)
    stream = done.data["raw"]["streams"][0]
    assert int(stream["nb_read_frames"]) == int(stream["nb_read_packets"]) == 133
