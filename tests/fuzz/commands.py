"""Commands drawn at random: plausible ones, broken ones, and known attacks with a few changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from media_jobs.ffmpeg.command_line import encoders, options
from media_jobs.ffmpeg.command_line.filter_table import ADVICE, FILTERS
from tests.attacks.test_commands import ATTACKS

FILES = ("{{in_1}}", "{{in_2}}", "{{out_1}}", "{{out_2}}", "{{input}}", "{{x}}", "{{ in_1 }}")
EVIL = (
    "/etc/passwd", "../x", "file:/x", "http://127.0.0.1", "pipe:1", "-", "--", "-i", "/dev/fd/3",
    "movie=/x", "in/0.mp4", "out/0.mp4", "\0", "\ud800", "'", "\\", "[", "concat:a|b", "%d", "",
    "stats=/x", "[in]movie=/x[out]", "textfile=/x", "{{in_1}}/x", "-/vf", "\u2028", "\uff0f",
    "null,movie=/x", "a':textfile=/x:text='b", "a\\,movie=/x", "1[x];movie=/x[y]", "null;movie=/x",
)  # fmt: skip
GOOD = (
    "1", "23", "0:v", "1:a:0?", "copy", "libx264", "aac", "yuv420p", "5M", "1:30", "320x180", "25",
    "+faststart", "title=a: b", "stereo", "expr:gte(t,1)", "keyint=48:bframes=2", "mp4", "matroska",
    "[v]", "-1", "16:9", "medium", "0.5", "h264_mp4toannexb", "30000/1001", "1.0:0.2", "0", "auto",
)  # fmt: skip
SIGNS = "\\':[],;=@{}|%/.-+*() \n\t0aA\"#~é\u3000"
FITTING = {
    "int": "2", "number": "1.5", "bits": "192k", "time": "1:30", "size": "320x180", "rate": "25",
    "ratio": "16:9", "timebase": "1:90000", "word": "medium", "flags": "+faststart", "switch": "1",
    "loops": "2", "map": "0:v", "from": "-1", "metadata": "title=a: b/c ' d", "layout": "stereo",
    "keyframes": "0,2.5", "pair": "1.0:0.2", "graph": "null", "codec": "copy", "demuxer": "mov",
    "muxer": "mp4", "bsf": "null",
}  # fmt: skip
OPTION_NAMES = sorted({*options.NAMES, *options.SYNONYMS, *options.ADVICE})
OUTPUT_NAMES = sorted(options.OUTPUT)
FILTER_NAMES = sorted(FILTERS)
OTHER_FILTERS = sorted({*ADVICE, "movie", "flite", "signature", "life", "arnndn"})
SEEDS = [attack.values[0] for attack in ATTACKS]

Command = str | list[str]


def command(dice: Random) -> Command:
    draw = dice.choice((plausible, plausible, plausible, anything, changed))
    words = draw(dice)
    if dice.random() < 0.4:
        return " ".join(words) if dice.random() < 0.7 else quoted(words)
    return words


def plausible(dice: Random) -> list[str]:
    wild = dice.choice((0.0, 0.0, 0.1))
    words = ["-i", "{{in_1}}", "-i", "{{in_2}}"]
    for output in ("{{out_1}}", "{{out_2}}"):
        for _ in range(dice.randrange(3)):
            words += any_option(dice) if dice.random() < wild else fitting_option(dice)
        if dice.random() < 0.6:
            words += ["-vf", graph(dice, wild)]
        words.append(output)
    return words


def anything(dice: Random) -> list[str]:
    words: list[str] = []
    for _ in range(dice.randrange(6)):
        words += dice.choice((
            any_option(dice),
            ["-i", dice.choice(FILES + EVIL)],
            [dice.choice(FILES + EVIL)],
            ["-filter_complex", graph(dice, 0.3)],
            [text(dice)],
        ))  # fmt: skip
    return words


def changed(dice: Random) -> list[str]:
    """An attack with a few characters changed, doubled or taken away."""
    seed = dice.choice(SEEDS)
    if not isinstance(seed, str):
        words = [str(word) for word in seed][:60]
    else:
        words = seed[:2000].split(" ")[:60]
    for _ in range(dice.randrange(4)):
        if not words:
            break
        place = dice.randrange(len(words))
        words[place] = bent(dice, words[place])
        if dice.random() < 0.2:
            words.insert(place, dice.choice(words))
    return words


def bent(dice: Random, word: str) -> str:
    place = dice.randrange(len(word) + 1)
    return word[:place] + dice.choice(("", dice.choice(SIGNS))) + word[place + dice.randrange(2) :]


def any_option(dice: Random) -> list[str]:
    name = dice.choice(OPTION_NAMES) if dice.random() < 0.9 else text(dice)
    streams = dice.choice(("", "", ":v", ":a:0", ":m:a:b", "::"))
    return [f"-{name}{streams}", *dice.choice(([], [value(dice)]))]


def fitting_option(dice: Random) -> list[str]:
    name = dice.choice(OUTPUT_NAMES)
    kind = options.OUTPUT[name]
    if kind == "flag":
        return [f"-{name}"]
    if kind == "params":
        key = dice.choice(sorted(encoders.PARAMETERS[name]))
        return [f"-{name}", f"{key}={dice.choice(('1', '0.5', '3', value(dice)))}"]
    return [f"-{name}", FITTING[kind] if dice.random() < 0.9 else value(dice)]


def value(dice: Random) -> str:
    return dice.choice((dice.choice(GOOD), dice.choice(EVIL), text(dice), dice.choice(FILES)))


def text(dice: Random) -> str:
    made = "".join(dice.choice(SIGNS) for _ in range(dice.randrange(10)))
    return made + dice.choice(("", "", dice.choice(EVIL), chr(dice.randrange(0x11000))))


def graph(dice: Random, wild: float) -> str:
    parts = [used_filter(dice, wild) for _ in range(dice.randrange(1, 4))]
    by = dice.choice((",", ",", ",", ";", "[a];[a]", " , "))
    return by.join(parts)


def used_filter(dice: Random, wild: float) -> str:
    if dice.random() < wild:
        return f"{dice.choice(OTHER_FILTERS)}={value(dice)}"
    kind = FILTERS[dice.choice(FILTER_NAMES)]
    found = []
    for slot in dice.sample(kind.slots, min(len(kind.slots), dice.randrange(3))):
        if slot.kind in {"plain", "text"} or dice.random() < wild:
            sample = "1" if slot.kind == "plain" else f"'{text(dice).replace(chr(39), '')}'"
            said = sample if dice.random() > wild else value(dice)
            found.append(f"{dice.choice(slot.names)}={said}")
    return f"{kind.name}={':'.join(found)}" if found else kind.name


def quoted(words: Sequence[str]) -> str:
    """As a person writes it: blanks and signs within double quotes."""
    return " ".join(
        word if re.fullmatch(r"[\w{}:.-]+", word) else '"' + re.sub(r'([\\"])', r"\\\1", word) + '"'
        for word in words
    )
