"""Every write of a worker is known here, with what keeps a late one of it from counting."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.server import ROOT

_PLACES = (
    "host/*.py",
    "planning/*.py",
    "worker/*.py",
    "engine/lease.py",
    "engine/states.py",
    "engine/lost_workers.py",
    "engine/quota_hooks.py",
    "events/__init__.py",
    "events/webhooks/outbox.py",
    "slot/tasks.py",
    "slot/broker.py",
)
_WRITES = {
    "create",
    "bulk_create",
    "bulk_update",
    "save",
    "update",
    "update_or_create",
    "get_or_create",
    "delete",
}
_SQL = re.compile(r"\b(INSERT|UPDATE|DELETE|SELECT (\* FROM )?ffapi_\w+)\b")

FENCED = "after `lease.hold`, in its transaction"
ITSELF = "names attempt and status in its own condition"
NO_ATTEMPT = "is of no attempt"
KNOWN = {
    "engine.lease.renew": ITSELF,
    "engine.states._write": FENCED,
    "engine.states._close_attempt": FENCED,
    "engine.states._settle": FENCED,
    "engine.states.claim": "makes the attempt",
    "engine.quota_hooks.settle": FENCED,
    "events.__init__.append": FENCED,
    "events.webhooks.outbox.queue": FENCED,
    "engine.lost_workers.report": "names the attempt that was lost",
    "worker.answers.keep": FENCED,
    "worker.outputs.publish": FENCED,
    "worker.receipt.write": FENCED,
    "host.device_circuit_breaker.failed": NO_ATTEMPT,
    "host.device_circuit_breaker.succeeded": NO_ATTEMPT,
    "host.device_circuit_breaker.fell_back": NO_ATTEMPT,
    "host.device_circuit_breaker.refusal": NO_ATTEMPT,
    "planning.placement.move_stranded": NO_ATTEMPT,
    "slot.broker.enqueue": NO_ATTEMPT,
    "slot.broker._take": NO_ATTEMPT,
}


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _writes(function: ast.FunctionDef, statements: set[str]) -> bool:
    documented = ast.get_docstring(function, clean=False)
    return any(
        _changes_rows(node)
        or (_is_statement(node) and node.value != documented)  # type: ignore[attr-defined]
        or (isinstance(node, ast.Name) and node.id in statements)
        for node in ast.walk(function)
    )


def _changes_rows(node: ast.AST) -> bool:
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return is_call and node.func.attr in _WRITES and _is_of_rows(node.func.value)  # type: ignore[attr-defined]


def _is_statement(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and bool(_SQL.search(str(node.value)))


def _is_of_rows(node: ast.expr) -> bool:
    """Not a dict's or a digest's `update`: those are no querysets."""
    told = ast.unparse(node)
    return "objects" in told or told in {"rows", "running", "silent", "waiting", "still_there"}


def _found() -> set[str]:
    folder = ROOT / "media_jobs"
    paths = [path for place in _PLACES for path in folder.glob(place)]
    return {name for path in paths for name in _of(path, folder)}


def _of(path: Path, folder: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    statements = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and any(map(_is_statement, ast.walk(node.value)))
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    module = ".".join(path.relative_to(folder).with_suffix("").parts)
    for function in _functions(tree):
        if _writes(function, statements):
            yield f"{module}.{function.name}"


def test_each_is_known() -> None:
    assert _found() == set(KNOWN)


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    Job.objects.filter(pk=1).update(a=1)",
        "def f():\n    rows = 1\n    rows.update(a=1)",
        "_X = '''\nUPDATE a SET b'''\ndef f():\n    run(_X)",
        "def f():\n    cursor.execute('SELECT ffapi_settle(%s)')",
    ],
)
def test_a_new_one_is_seen(source: str, tmp_path: Path) -> None:
    path = tmp_path / "new.py"
    path.write_text(source)
    assert list(_of(path, tmp_path)) == ["new.f"]
