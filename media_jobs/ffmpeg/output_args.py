"""Reading the arguments of one output back: which options there are, and what is mapped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from media_jobs.ffmpeg.command_line.options import FLAGS, SYNONYMS, adds_up


def options(args: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Pairs of an option's usual name and its value: ``-vf`` is ``filter:v``.

    Raises ``ValueError`` for a word that stands where an option belongs.
    """
    words = iter(args)
    for word in words:
        name, _, streams = word[1:].partition(":")
        if not word.startswith("-") or not name:
            raise ValueError(f"{word!r} stands where an option belongs")
        usual = SYNONYMS.get(name, name)
        yield f"{usual}:{streams}" if streams else usual, "" if name in FLAGS else next(words, "")


def doubled(args: Sequence[str]) -> list[str]:
    """The options that are there more than once though only the last one counts."""
    seen: set[str] = set()
    found: list[str] = []
    for name, value in options(args):
        if name in seen and not adds_up(name, value):
            found.append(name)
        seen.add(name)
    return found


def mapped_labels(args: Sequence[str]) -> list[str]:
    """The labels of a filter graph that are mapped, as in ``-map [out]``."""
    return [
        value.strip("[]") for name, value in options(args) if name == "map" and value[:1] == "["
    ]
