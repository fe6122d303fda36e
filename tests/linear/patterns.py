"""Every pattern of ours: as compiled while our modules are imported, and as written into calls."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

APPS = ("ffapi_site", "accounts", "storage", "media_jobs")
ROOT = Path(__file__).parent.parent.parent
_LARGEST = 16_384
_CALLS = {"match", "fullmatch", "search", "sub", "subn", "findall", "finditer", "split"}
# Django calls these by name; importing them would run them.
_RUN = {"manage", "asgi", "wsgi"}


@dataclass(frozen=True)
class Found:
    module: str
    line: int
    pattern: re.Pattern[Any]
    used: frozenset[str] = frozenset()
    """How, where that is known."""

    @property
    def place(self) -> str:
        return f"{self.module}:{self.line} {str(self.pattern.pattern)[:60]}"


class Recorder:
    """Sees every ``re.compile`` that a module of ours calls from when it is put in place."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self._compile = re.compile

    def __enter__(self) -> Self:
        re.compile = self._seen
        return self

    def __exit__(self, *_: object) -> None:
        re.compile = self._compile

    def _seen(self, pattern: Any, flags: Any = 0) -> re.Pattern[Any]:
        made = self._compile(pattern, flags)
        caller = sys._getframe(1)
        module = caller.f_globals.get("__name__", "")
        if module.partition(".")[0] in APPS:
            self.found.append(Found(module, caller.f_lineno, made))
        return made


def modules() -> Iterator[str]:
    for app in APPS:
        package = importlib.import_module(app)
        for each in pkgutil.walk_packages(package.__path__, f"{app}."):
            parts = each.name.split(".")
            if "migrations" not in parts and parts[-1] not in _RUN | {"__main__", "launcher"}:
                yield each.name


def import_all() -> None:
    for name in modules():
        importlib.import_module(name)


def written_into_calls() -> list[Found]:
    """Patterns of ``re.search("...")`` and its like, which are compiled when they are called."""
    found = []
    for path in (path for app in APPS for path in (ROOT / app).rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Call) and _is_call_of_re(node.func):
                if not isinstance(node.args[0], ast.Constant):
                    raise AssertionError(f"{path}:{node.lineno}: compile it where all can see it")
                found.append(
                    Found(module, node.lineno, re.compile(node.args[0].value, _flags(node)))
                )
    return found


def _is_call_of_re(func: ast.expr) -> bool:
    return (
        isinstance(func, ast.Attribute)
        and isinstance(func.value, ast.Name)
        and func.value.id == "re"
        and func.attr in _CALLS
    )


def _flags(call: ast.Call) -> int:
    named = [node.attr for node in ast.walk(call) if isinstance(node, ast.Attribute)]
    return sum(int(getattr(re, name)) for name in set(named) if name.isupper())


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def methods(found: Found) -> set[str]:
    """How the module uses it: by its name where it has one, else as it uses any other.

    What is never called by name, in a table say, counts as used in every way of its module.
    """
    path = ROOT / Path(*found.module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    calls: dict[str, set[str]] = {}
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if _is_call_of_re(node.func) and node.lineno == found.line:
                return {node.func.attr}
            if node.func.attr in _CALLS:
                calls.setdefault(ast.unparse(node.func.value), set()).add(node.func.attr)
    names = [
        target.id
        for node in _tree(path).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and node.lineno <= found.line <= (node.end_lineno or node.lineno)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    ]
    named = {method for name in names for method in calls.get(name, ())}
    others = {method for name, used in calls.items() if not name.isupper() for method in used}
    # Texts have a ``split`` too.
    return named or (others & _CALLS) - {"split"} or {"search"}


def works(found: Found) -> Iterator[tuple[str, Callable[[str], Callable[[], object]]]]:
    """The pattern's uses, each as a maker of work on a text."""
    for name in sorted(found.used or methods(found)):
        yield name, lambda text, name=name: _work(found.pattern, name, text)  # type: ignore[misc]


def _work(pattern: re.Pattern[Any], name: str, text: str) -> Callable[[], object]:
    given: Any = text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text
    if name in {"sub", "subn"}:
        return lambda: pattern.sub(given[:0], given)
    if name == "finditer":
        return lambda: sum(1 for _ in pattern.finditer(given))
    return lambda: getattr(pattern, name)(given)
