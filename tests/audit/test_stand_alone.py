"""The one file that an auditor gets, which is put together of several."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from accounts.audit_chain import bundled_verifier


@pytest.fixture
def program() -> ast.Module:
    """It has to be in the language of Python 3.9."""
    return ast.parse(bundled_verifier.program(), feature_version=(3, 9))


def _defined(program: ast.Module) -> Iterator[str]:
    for node in program.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (each.id for each in node.targets if isinstance(each, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def test_it_works(program: ast.Module) -> None:
    assert {"main", "check_bundle", "canonical", "is_signature"} <= set(_defined(program))
    assert str(ast.get_docstring(program)).startswith("Check an exported audit log offline")


def test_no_part_takes_a_name_of_another(program: ast.Module) -> None:
    assert [name for name, times in Counter(_defined(program)).items() if times > 1] == []


def test_it_imports_nothing_but_the_standard_library(program: ast.Module) -> None:
    names = set()
    for node in ast.walk(program):
        if isinstance(node, ast.ImportFrom):
            names.add(str(node.module).partition(".")[0])
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    assert names
    assert names <= sys.stdlib_module_names
    assert "__future__" not in names, "looked for beside the file"
