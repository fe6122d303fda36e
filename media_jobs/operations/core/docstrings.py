"""The text below each parameter of a declaration, read from the source when it is shown.

pydantic would look for it at every import, in the source of every class: half of the time that an
operation takes to be imported, though most processes show no page.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path


def explanations(declared: type, base: type) -> Mapping[str, str]:
    """The text of each field by its name, from ``declared`` and what it inherits up to ``base``."""
    found: dict[str, str] = {}
    for each in reversed([each for each in declared.__mro__ if issubclass(each, base)]):
        found |= _of_module(each.__module__).get(each.__qualname__, {})
    return found


@cache
def _of_module(name: str) -> dict[str, dict[str, str]]:
    path = getattr(sys.modules.get(name), "__file__", None)
    if path is None:
        return {}
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    found: dict[str, dict[str, str]] = {}
    for declared in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        texts = found[declared.name] = {}
        for pair in pairwise(declared.body):
            match pair:
                case ast.AnnAssign(ast.Name(field)), ast.Expr(ast.Constant(str(text))):
                    texts[field] = inspect.cleandoc(text)
    return found
