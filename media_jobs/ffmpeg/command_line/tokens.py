"""A command as words: a string is parted as a shell would, but no shell ever sees it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from media_jobs.ffmpeg.command_line.refusal import Refused, shown

MOST_CHARACTERS = 20_000
MOST_WORDS = 500

ALIAS = r"[A-Za-z][A-Za-z0-9_]{0,31}"
_BRACES = re.compile(rf"\{{\{{\s*({ALIAS})\s*\}}\}}")
# Neither can be an argument of a process.
_UNSPEAKABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Token:
    text: str
    position: int

    def refuse(self, why: str, advice: str = "") -> Refused:
        """``why`` goes on after the word itself: "-attach: is not an option that …"."""
        detail = f"word {self.position + 1}, {shown(self.text)!r}: {why}"
        return Refused(f"{detail}; {advice}" if advice else detail, self.position)


@dataclass(frozen=True)
class Aliases:
    """What the files of a command are called. A sole file is "input" or "output" as well."""

    inputs: frozenset[str]
    outputs: frozenset[str]
    _sole: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, inputs: Sequence[str], outputs: Sequence[str]) -> Aliases:
        sole = {
            word: names[0]
            for word, names in (("input", inputs), ("output", outputs))
            if len(names) == 1 and word not in {*inputs, *outputs}
        }
        return cls(frozenset(inputs), frozenset(outputs), sole)

    def read(self, text: str) -> str | None:
        """The alias that ``{{alias}}`` names, and nothing beside it; None for any other text."""
        found = _BRACES.fullmatch(text)
        return None if found is None else self._sole.get(found.group(1), found.group(1))


def tokenise(command: str | Sequence[str]) -> tuple[Token, ...]:
    # All characters, of a string too: to part it takes its time, and makes it no longer.
    if sum(len(part) for part in command) > MOST_CHARACTERS:
        raise Refused(f"the command is longer than {MOST_CHARACTERS} characters")
    try:
        words = shlex.split(command) if isinstance(command, str) else list(command)
    except ValueError as error:
        quote = "a quote is not closed" if "quotation" in str(error) else "it ends with a backslash"
        raise Refused(f"the command can't be parted into words: {quote}") from error
    if len(words) > MOST_WORDS:
        raise Refused(f"the command has more than {MOST_WORDS} words")
    tokens = tuple(Token(word, position) for position, word in enumerate(words))
    if bad := next((each for each in tokens if _UNSPEAKABLE.search(each.text)), None):
        raise bad.refuse("holds a control character")
    return tokens[1:] if tokens and tokens[0].text == "ffmpeg" else tokens
