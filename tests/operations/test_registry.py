from __future__ import annotations

import subprocess
import sys

import pytest

from media_jobs.operations.core import REGISTRY, Operation
from media_jobs.operations.core.registry import Registry

_SAY = """
import sys
from media_jobs.operations.core import REGISTRY
named = lambda: [name for name in sys.modules if "operations.video." in name]
print(named())
REGISTRY["video/trim"]
print("media_jobs.operations.video.trim" in named(), REGISTRY["video/trim"].__pydantic_complete__)
from media_jobs.operations.core import docstrings
print(docstrings._of_module.cache_info().currsize)
"""


def test_it_works() -> None:
    """Nothing is imported before it is asked for, nothing built or read before it is used."""
    command = [sys.executable, "-c", _SAY]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["[]", "True False", "0"]


def test_the_order_is_that_of_the_files() -> None:
    modules = [each.__module__ for each in REGISTRY.values()]
    assert modules == sorted(modules)
    assert len(REGISTRY) == len(modules)


def test_a_name_is_declared_once() -> None:
    registry: Registry[type[Operation]] = Registry(lambda: None)
    registry.add("a", Operation, "one")
    registry.add("a", Operation, "one")
    with pytest.raises(TypeError, match="a is declared in one and in two"):
        registry.add("a", Operation, "two")
