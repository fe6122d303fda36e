"""The demo's clip as FFmpeg draws it: a walk past mountains at dusk, with a little music.

Each layer is painted once and moves at its own speed, as things do before a moving camera; the
camera shakes a little and its sensor has grain, so that encoding it is honest work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

WIDTH, HEIGHT, FPS = 1920, 1080, 25
DURATION_S = 12
_BEAT_S = 0.375
_A_MINOR_HZ = (220, 329.63, 440, 523.25, 659.25, 523.25, 440, 329.63)
_F_MAJOR_HZ = (174.61, 261.63, 349.23, 440, 523.25, 440, 349.23, 261.63)
_NOTES_HZ = (*_A_MINOR_HZ, *_F_MAJOR_HZ)
# The grey of a ridge in full light; what is brighter has room above it.
_LIT = 200
# By channel the dusk from the top to the bottom, the sun's glow around it, and the sun itself.
_SUN = "hypot(X-1320,Y-430)"
_SKY = (
    f"geq=r='min(255,70+150*pow(Y/{HEIGHT},0.8)+150*exp(-{_SUN}/170)+90*lt({_SUN},62))'"
    f":g='min(255,88+70*pow(Y/{HEIGHT},0.9)+105*exp(-{_SUN}/190)+100*lt({_SUN},62))'"
    f":b='min(255,150-30*Y/{HEIGHT}+40*exp(-{_SUN}/230)+70*lt({_SUN},62))'"
)
# What part of the ridge's amplitude a wave has, its length in pixels, and how it is shifted.
_WAVES = ((0.55, 311, 1), (0.3, 127, 2), (0.2, 53, 3), (0.08, 19, 5))


@dataclass(frozen=True)
class Ridge:
    base: int
    amplitude: int
    phase: float
    colour: tuple[int, int, int]
    speed: int
    """Pixels a second: what is nearer moves faster."""
    trees: str

    @property
    def top(self) -> int:
        return int(self.base - self.amplitude * 1.13 - 45) // 2 * 2

    @property
    def line(self) -> str:
        """The height of the ridge over ``X``, from waves that do not repeat within the picture."""
        waves = "+".join(
            f"{weight}*sin(X/{length}+{self.phase * turns:.2f})" for weight, length, turns in _WAVES
        )
        return f"({self.base - self.top}-{self.amplitude}*({waves})-{self.trees})"


_RIDGES = (
    Ridge(560, 150, 0.7, (142, 150, 182), 8, "6*sin(X/7)"),
    Ridge(690, 130, 2.1, (92, 106, 146), 16, "5*sin(X/5)*sin(X/23)"),
    Ridge(800, 110, 4.0, (52, 70, 102), 30, "10*abs(sin(X/9))*abs(sin(X/37))"),
    Ridge(930, 70, 5.2, (20, 32, 46), 55, "34*pow(abs(sin(X/13+sin(X/41))),3)"),
)


def arguments(path: str) -> list[str]:
    graph = ";".join((*_picture(), _sound()))
    return [
        *("-nostdin", "-v", "error", "-y", "-filter_complex", graph),
        *("-map", "[picture]", "-map", "[sound]", "-t", str(DURATION_S)),
        # Somebody waits for it. At a higher CRF this preset would leave out the grain.
        *("-c:v", "libx264", "-preset", "ultrafast", "-crf", "21", "-pix_fmt", "yuv420p"),
        *("-c:a", "aac", "-b:a", "160k", "-movflags", "+faststart", path),
    ]


def _picture() -> Iterator[str]:
    yield f"{_canvas(WIDTH, HEIGHT, 'gbrp')},{_SKY},{_held('yuv420p')}[behind0]"
    for number, ridge in enumerate(_RIDGES):
        width = WIDTH + ridge.speed * DURATION_S + 80
        canvas = _canvas(width, HEIGHT - ridge.top + 10, "yuva444p")
        yield f"{canvas},{_rock(ridge)},{_held('yuva420p')}[ridge{number}]"
        shake_x = f"-20-{ridge.speed}*t-{2 + number}*sin(t*1.9)"
        shake_y = f"{ridge.top}+{1 + number}*sin(t*2.3+1)"
        moved = f"overlay=x='{shake_x}':y='{shake_y}'"
        yield f"[behind{number}][ridge{number}]{moved}[behind{number + 1}]"
    yield f"[behind{len(_RIDGES)}]noise=alls=4:allf=t,format=yuv420p[picture]"


def _canvas(width: int, height: int, pixels: str) -> str:
    return f"nullsrc=s={width}x{height}:r={FPS},trim=end_frame=1,format={pixels}"


def _held(pixels: str) -> str:
    return f"format={pixels},loop=-1:1,fps={FPS}"


def _rock(ridge: Ridge) -> str:
    """Its light and outline are worked out once, in grey; then it is given its colour."""
    relief = "0.05*sin(X/9+Y/5)*sin(Y/13-X/31)+0.05*random(1)"
    light = f"(1.12-0.5*(Y-{ridge.line})/500+{relief})"
    colours = ":".join(
        f"{channel}='clip(val*{value}/{_LIT},0,255)'"
        for channel, value in zip("rgb", ridge.colour, strict=True)
    )
    grey = f"lum='16+219*clip({_LIT}*{light},0,255)/255':cb=128:cr=128"
    painted = f"geq={grey}:a='255*clip(Y-{ridge.line},0,1)'"
    return f"{painted},format=gbrap,lutrgb={colours}"


def _sound() -> str:
    plucked = "+".join(_pluck(note, beat) for beat, note in enumerate(_NOTES_HZ))
    pad = "(1-cos(2*PI*t/6))*(sin(2*PI*110*t)+0.6*sin(2*PI*164.81*t)+0.5*sin(2*PI*220.5*t))"
    wave = f"0.13*({plucked})+0.05*{pad}"
    return (
        # Its highest overtone lies at 2 kHz: fewer samples to work out lose nothing.
        f"aevalsrc='{wave}':s=16000:d={DURATION_S},aresample=48000,aformat=channel_layouts=stereo,"
        "aecho=0.8:0.7:281|432:0.35|0.22,"
        f"alimiter=limit=0.9,afade=t=in:d=0.3,afade=t=out:st={DURATION_S - 1.5}:d=1.5,"
        "asetnsamples=1024[sound]"  # FFmpeg 5.1's encoder takes no longer frames than its own
    )


def _pluck(note_hz: float, beat: int) -> str:
    """A string plucked once every sixteen beats, with two of its overtones."""
    bar_s = len(_NOTES_HZ) * _BEAT_S
    since = f"mod(t+{bar_s - beat * _BEAT_S:g},{bar_s:g})"
    tone = "+".join(
        f"{weight}*sin({2 * overtone}*PI*{note_hz}*t)"
        for overtone, weight in ((1, 1), (2, 0.35), (3, 0.12))
    )
    return f"exp(-3.2*{since})*({tone})"
