"""The verifier as one file, which needs nothing beside it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("verifier")
_PACKAGE = "accounts.audit_chain.verifier"


@cache
def program() -> bytes:
    """The source of ``verify.py``: its command, with each of its modules where it is imported."""
    return "\n".join(_lines("command", set())).encode() + b"\n"


def _lines(module: str, taken: set[str]) -> list[str]:
    """A module's lines; those of a module that is already ``taken`` stand further up."""
    source = (_FOLDER / f"{module}.py").read_text(encoding="utf-8")
    lines, written, done = source.splitlines(), list[str](), 0
    for node in ast.parse(source).body:
        package, _, imported = str(getattr(node, "module", "")).rpartition(".")
        if package == _PACKAGE:
            written += lines[done : node.lineno - 1]
            done = node.end_lineno or node.lineno
            if imported not in taken:
                taken.add(imported)
                written += ["", *_lines(imported, taken)]
    return written + lines[done:]
