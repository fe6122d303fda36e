"""Every public function of ours that a stranger's text or bytes may come to, and how it is called.

One that takes nothing else is found by its signature. Whatever takes more is written down here, or
left out with the reason: the test fails for a function that is neither.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PACKAGES = ("storage", "ffapi_site.lib.netguard", "media_jobs.ffmpeg", "media_jobs.operations")
_TEXT = {"str", "str | None", "object", "Any"}
_OF_STRANGERS = re.compile(r"\b(?:str|bytes|BinaryIO|Json|object|Any)\b")
_LARGEST = 8_192

UNITS = (
    *("a", "0", " ", "\n", "\r\n", "\t", "\0", "\x1b[0m", "é", "\u0301\u0316", "\u200b", "\ufeff"),
    *("/", "\\", "../", "a/", '"', "'", "\\'", "\\\\", ",", ";", ":", "=", "a=", "a:", "a,", "[a]"),
    *("(", "((a)", "{", "}", '{"', "[", "]", "<", "<!---->", "%", "%41", "%25", "&a=1", "?", "#"),
    *("@", ".", "a.", "-", "_", "*", "|", "$", "{{a}}", "a b", '"a";', ';"', "; a=b", "[a]a[a];"),
    *(
        "[error] a",
        "frame=1\n",
        "lavfi.blur=1\n",
        '{"input_i": 1}',
        "\x1b[1m[error] \x1b[0m",
        "-i ",
    ),
    *("No space left on device", "corrupt decoded frame ", "Picture size 9x9 is invalid", "//a@"),
)
FRAMES = (("", "\0"),)


@dataclass(frozen=True)
class Reader:
    """``call`` gets a text of some length; what it raises as an ``Exception`` is its answer."""

    name: str
    call: Callable[[str], object]
    frames: tuple[tuple[str, str], ...] = FRAMES
    units: tuple[str, ...] = UNITS
    largest: int = _LARGEST


def _functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    for top in PACKAGES:
        package = importlib.import_module(top)
        found = pkgutil.walk_packages(package.__path__, f"{top}.")
        for module in map(importlib.import_module, (top, *_product(each.name for each in found))):
            for name, value in vars(module).items():
                is_own = getattr(value, "__module__", "") == module.__name__
                if inspect.isfunction(value) and is_own and not name.startswith("_"):
                    yield f"{module.__name__}.{name}", value


def _product(names: Iterator[str]) -> Iterator[str]:
    left_out = {"migrations", "management", "api", "admin"}
    return (name for name in names if not left_out & set(name.split(".")))


def takers() -> dict[str, Callable[..., Any]]:
    return {
        name: function
        for name, function in _functions()
        if any(
            _OF_STRANGERS.search(str(each.annotation))
            for each in inspect.signature(function).parameters.values()
        )
    }


def by_signature(name: str, function: Callable[..., Any]) -> list[Reader]:
    """A reader for each text that the function needs; none where it needs anything else."""
    needed = {
        key: str(each.annotation)
        for key, each in inspect.signature(function).parameters.items()
        if each.default is each.empty
    }
    if not needed or not set(needed.values()) <= _TEXT | {"bytes"}:
        return []
    return [
        Reader(f"{name}({key})", lambda text, key=key: function(**_arguments(needed, key, text)))  # type: ignore[misc]
        for key in needed
    ]


def _arguments(needed: Mapping[str, str], pumped: str, text: str) -> dict[str, Any]:
    texts = {key: text if key == pumped else "a" for key in needed}
    return {
        key: value.encode("utf-8", "replace") if needed[key] == "bytes" else value
        for key, value in texts.items()
    }
