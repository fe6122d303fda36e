"""Sample media for the tests, made by FFmpeg's own generators; each is made once and kept."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from media_jobs.ffmpeg.media_info import MediaInfo
from media_jobs.operations.core import REGISTRY
from media_jobs.operations.core.samples import SAMPLES, X264, coloured, generated, pattern, tone
from tests.harness.measure import probe
from tests.harness.programs import FFMPEG_PATH

__all__ = ["FFMPEG", "X264", "Sample", "Samples", "coloured", "tone"]

FFMPEG = (FFMPEG_PATH, "-hide_banner", "-nostdin", "-v", "error", "-y")

_SMART = (
    "[0:v]split=4[a][b][c][d];"
    "[a]trim=0:3,setpts=PTS-STARTPTS[one];[b]trim=3:6,setpts=PTS-STARTPTS,gblur=sigma=12[two];"
    "[c]trim=6:9,setpts=PTS-STARTPTS,lutyuv=y=16:u=128:v=128[three];"
    "[d]trim=9:12,setpts=PTS-STARTPTS[four];[one][two][three][four]concat=n=4"
)

# Awkward ones that only tests need.
AWKWARD: dict[str, tuple[str, tuple[str, ...]]] = {
    "brief_film": (
        "brief.mp4",
        (*pattern(length_s=1.2), *tone(length_s=1.2), *X264, "-c:a", "aac", "-shortest"),
    ),
    "silent_film": ("silent.mp4", (*pattern("320x180", length_s=3), *X264)),
    "odd_film": (
        "odd.mkv",
        (*pattern("321x181", length_s=2), "-c:v", "ffv1", "-pix_fmt", "yuv444p"),
    ),
    "varying_film": (
        "varying.mkv",
        (
            *pattern("320x180", "50", 4),
            # Every third frame of the first two seconds, then every one.
            *("-vf", "select='gt(t,2)+not(mod(n,3))'", "-fps_mode", "vfr"),
            *("-enc_time_base", "1:1000", *X264),
        ),
    ),
    "jittered_film": (
        "jittered.mp4",
        (
            *pattern("320x180"),
            # Up to 36 ms off a rate that its header calls constant, as phones write it.
            *("-vf", "setpts='(N*40+9*mod(N*7,5))/1000/TB'", "-fps_mode", "passthrough"),
            *("-enc_time_base", "1:90000", *X264),
        ),
    ),
    "deep_film": (
        "deep.mkv",
        (
            *pattern("320x180", length_s=2),
            *("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"),
            *("-x265-params", "log-level=error"),
        ),
    ),
    "late_sound": (
        "late.mp4",
        (*pattern("320x180", length_s=4), "-itsoffset", "0.5", *tone(), *X264, "-c:a", "aac"),
    ),
    "late_picture": (
        "late_picture.mkv",
        (*tone(), "-itsoffset", "2", *pattern("320x180", length_s=2), *X264, "-c:a", "aac"),
    ),
    "slide_show": (
        "slides.mp4",
        (*pattern("320x180", "1/10", 30), *tone(length_s=30), *X264, "-c:a", "aac"),
    ),
    "smart_film": (
        "smart.mp4",
        (*pattern("640x360", length_s=12), "-filter_complex", _SMART, *X264),
    ),
    "grey": ("grey.mkv", (*generated("color=0x808080:s=320x180:r=25:d=1"), *X264, "-crf", "1")),
    # Quiet, with clicks near full scale: no single gain brings it to a loudness.
    "peaky_music": (
        "peaky.flac",
        generated(
            "aevalsrc='0.02*sin(2*PI*330*t)+0.6*lt(mod(t,1),0.002)*sin(2*PI*1000*t)'"
            ":d=8:s=48000:c=mono"
        ),
    ),
    "peaky_aac": (
        "peaky.m4a",
        (
            *generated(
                "aevalsrc='0.05*sin(2*PI*330*t)+0.6*lt(mod(t,0.7),0.03)*sin(2*PI*1000*t)'"
                ":d=8:s=44100:c=mono"
            ),
            *("-c:a", "aac", "-b:a", "128k"),
        ),
    ),
    "waxing_music": (
        "waxing.wav",
        generated("aevalsrc='0.02*pow(10,t/10)*sin(2*PI*440*t)':d=15:s=48000:c=mono"),
    ),
    "guessed_music": (
        "guessed.mp3",
        (
            *generated("anoisesrc=d=120:r=16000"),
            *("-af", "volume='if(lt(t,60),1,0.0001)':eval=frame"),
            *("-c:a", "libmp3lame", "-q:a", "9", "-write_xing", "0"),
        ),
    ),
    "three_hours": (
        "three-hours.mp4",
        (*pattern("32x32", "1", 10800), "-c:v", "libx264", "-preset", "ultrafast", "-g", "600"),
    ),
    "ogg_film": (
        "film.ogv",
        (*pattern("320x180"), *tone(), "-c:v", "libtheora", "-q:v", "8", "-c:a", "libvorbis"),
    ),
    "silence": ("silence.wav", generated("anullsrc=d=2:r=48000")),
    "titled_film": (
        "titled.mkv",
        (
            *pattern("320x180", length_s=1),
            *(*X264, "-metadata", "title=Home", "-metadata:s:v:0", "title=Track"),
        ),
    ),
    "logo": ("logo.png", (*generated("color=white:s=64x64"), "-frames:v", "1")),
}


# A sample is what it is.
_known = cache(probe)


def rotated(folder: Path, to: Path) -> None:
    """A phone held upright writes its frames lying, with a note to turn them clockwise.

    FFmpeg's muxer counts the other way.
    """
    subprocess.run(
        [
            *(*FFMPEG, "-display_rotation", "-90", "-i", folder / "film.mp4", "-c", "copy", to),
        ],
        check=True,
    )


def of_examples(name: str) -> tuple[str, tuple[str, ...]]:
    own = (each.samples[name] for each in REGISTRY.values() if name in each.samples)
    sample = SAMPLES[name] if name in SAMPLES else next(own)
    return sample.file, sample.made_by


@dataclass(frozen=True)
class Sample:
    name: str
    path: Path
    info: MediaInfo


@dataclass(frozen=True)
class Samples:
    folder: Path

    def __call__(self, name: str) -> Sample:
        path = self._made(name)
        return Sample(name, path, _known(path))

    def path(self, name: str) -> Path:
        return self._made(name)

    def _made(self, name: str) -> Path:
        if name == "rotated_film":
            self._made("film")
            return self._once(self.folder / "rotated.mp4", lambda to: rotated(self.folder, to))
        file, args = AWKWARD[name] if name in AWKWARD else of_examples(name)
        return self._once(
            self.folder / file, lambda to: subprocess.run([*FFMPEG, *args, to], check=True)
        )

    def _once(self, path: Path, make: Callable[[Path], object]) -> Path:
        """Made by one test process while the others wait; seen only when it is whole."""
        with (self.folder / f"{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                growing = path.with_name(f"growing-{path.name}")
                make(growing)
                growing.rename(path)
        return path
