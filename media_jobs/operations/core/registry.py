"""All operations by name; they are imported when somebody first asks for one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")

_OPERATIONS = "media_jobs.operations"
# Those packages in it that hold no operation.
_TOOLS = {f"{_OPERATIONS}.core", f"{_OPERATIONS}.building"}


def import_operations() -> None:
    """Import every module that may declare one, each a file in one of the groups."""
    package = importlib.import_module(_OPERATIONS)
    for group in pkgutil.iter_modules(package.__path__, f"{_OPERATIONS}."):
        if group.name not in _TOOLS:
            path = importlib.import_module(group.name).__path__
            for module in pkgutil.iter_modules(path, f"{group.name}."):
                importlib.import_module(module.name)


class Registry(Mapping[str, T]):
    """In the order of the files' names, whoever imported one of them first."""

    def __init__(self, load: Callable[[], None]) -> None:
        self._load = load
        self._is_loaded = False
        self._declared: dict[str, T] = {}
        self._place: dict[str, str] = {}

    def add(self, name: str, declared: T, module: str) -> None:
        """Raises ``TypeError`` for a name that is declared in another module too."""
        if self._place.setdefault(name, module) != module:
            raise TypeError(f"{name} is declared in {self._place[name]} and in {module}")
        self._declared[name] = declared

    def load(self) -> None:
        """Import them all: a broken one is met now, and the first question need not wait."""
        if not self._is_loaded:
            self._load()
            self._declared = dict(sorted(self._declared.items(), key=lambda p: self._place[p[0]]))
            self._is_loaded = True

    def __getitem__(self, name: str) -> T:
        self.load()
        return self._declared[name]

    def __iter__(self) -> Iterator[str]:
        self.load()
        return iter(self._declared)

    def __len__(self) -> int:
        self.load()
        return len(self._declared)
