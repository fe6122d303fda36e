"""R31: every loop that lives as long as its process is known, and built to go on.

A new thread, or a loop without an end of its own, is to stand in one of these lists: as built on
``ffapi_site.lib.chores``, or with the reason why it need not be.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("ffapi_site", "media_jobs", "storage", "accounts")

# Threads and pools that are not `chores.spawn`.
THREADS = {
    "ffapi_site.lib.chores:spawn": "the mechanism",
    "ffapi_site.lib.aside:aside": "one task; what it raises is its waiter's",
    "ffapi_site.lib.probe:begin": "one question; what it raises is logged",
    "ffapi_site.lib.netguard.several_lines:_consider": "what it fails to fetch its waiter does",
    "media_jobs.events.webhooks.rounds:_send_one": "one event; what it raises is logged",
    "media_jobs.sandbox.process:_have_it_watched": "one FFmpeg; killed where it fails",
    "media_jobs.sandbox.fork_server:_start": "one launcher; its end is seen by who asks it",
    "accounts.people.mail:<module>": "a pool of the library's; each mail logs what it raises",
    "ffapi_site.lib.streamed_body:__init__": "a connection each",
    "ffapi_site.lib.streamed_body:_stream": "the answer, or the client's leaving",
}

# Loops whose condition is true for ever, or that wait for a word from outside.
LOOPS = {
    # They live as long as their process.
    "ffapi_site.lib.chores:keep_doing": "the mechanism",
    "ffapi_site.lib.chores:attend": "it asks nobody; its parent sees whether it goes on",
    "ffapi_site.lib.watched:_ends_by_itself": "a select and a read; the supervisor restarts it",
    "ffapi_site.serving.database:keep": "all that may raise is caught and logged in `_lasted_s`",
    "media_jobs.slot.cluster:guard": "where it is silent, or ends, its guard does too",
    "media_jobs.sandbox.launcher:_serve": "its end is seen by who asks it, who starts another",
    "media_jobs.slot.process:_watch": "it asks nobody; the guard's parent sees whether it goes on",
    "media_jobs.events.change_feed:_run": "a `Chore`",
    "media_jobs.events.change_feed:_listen": "part of the `Chore`",
    "accounts.audit_chain.sealer:_serve": "part of the `Chore`",
    "accounts.audit_chain.sealer:seal_until": "part of the `Chore`",
    "accounts.audit_chain.forwarding:keep": "a `Chore`",
    # They end with what they are about.
    "ffapi_site.demo.client:follow": "a job's end",
    "ffapi_site.lib.netguard.connection:read": "a deadline",
    "ffapi_site.lib.netguard.fetch:run": "a number of tries",
    "ffapi_site.lib.netguard.several_lines:_meet": "their deadlines",
    "ffapi_site.lib.pagination:_fitting": "the rows, or the page",
    "ffapi_site.lib.locks:gets": "a patience",
    "ffapi_site.lib.streamed_body:gather": "a request",
    "ffapi_site.lib.streamed_body:leave": "a request",
    "ffapi_site.lib.streamed_body:readinto": "a request",
    "ffapi_site.lib.trees:_free": "fewer entries than numbers",
    "ffapi_site.serving.database:_pauses_s": "a generator",
    "media_jobs.ffmpeg.command_line.graph_syntax:read_graph": "the text",
    "media_jobs.operations.core.driver:drive": "the plan",
    "media_jobs.slot.number:take": "the first number that is free",
    "media_jobs.worker.end_transaction:commit": "a deadline, and a bound of refusals",
    "accounts.quotas.limits:_held_with_plan": "staff, who give plans by hand",
    "accounts.audit_chain.download:_lines": "the chain",
}


def _sources() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name, ast.parse(path.read_text())


def found(tree: ast.Module, is_one: type[ast.AST], name: str) -> Iterator[tuple[str, ast.AST]]:
    """Each node of a kind, with the function that it is in."""
    waiting: list[tuple[str, ast.AST]] = [("<module>", tree)]
    while waiting:
        inside, node = waiting.pop()
        if isinstance(node, is_one):
            yield f"{name}:{inside}", node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inside = node.name
        waiting.extend((inside, child) for child in ast.iter_child_nodes(node))


def threads(name: str, tree: ast.Module) -> Iterator[str]:
    made = ("Thread", "Timer", "ThreadPoolExecutor", "start_new_thread", "create_task")
    for place, node in found(tree, ast.Call, name):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in made:
            yield place


def loops(name: str, tree: ast.Module) -> Iterator[str]:
    """Those of which nothing in their condition says that they end."""
    for place, node in found(tree, ast.While, name):
        if isinstance(node, ast.While) and _has_no_end(ast.unparse(node.test)):
            yield place


def _has_no_end(condition: str) -> bool:
    words = ("is_set()", ".wait(", "is_alive()", "_closing", "_wanted", "take_")
    return condition in {"True", "1"} or any(word in condition for word in words)


def test_every_thread_is_known() -> None:
    seen = {place for name, tree in _sources() for place in threads(name, tree)}
    assert seen - THREADS.keys() == set()
    assert THREADS.keys() - seen == set()


def test_every_loop_without_end_is_known() -> None:
    seen = {place for name, tree in _sources() for place in loops(name, tree)}
    assert seen - LOOPS.keys() == set()
    assert LOOPS.keys() - seen == set()


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    threading.Thread(target=g).start()",
        "def f():\n    Thread(target=g)",
        "def f():\n    ThreadPoolExecutor(2)",
        "async def f():\n    asyncio.create_task(g())",
    ],
)
def test_no_thread_is_overlooked(source: str) -> None:
    assert list(threads("m", ast.parse(source))) == ["m:f"]


@pytest.mark.parametrize(
    "condition",
    ["True", "1", "not stop.is_set()", "not stop.wait(1)", "child.is_alive()", "self._is_wanted()"],
)
def test_no_loop_is_overlooked(condition: str) -> None:
    source = f"def f():\n    while {condition}:\n        g()"
    assert list(loops("m", ast.parse(source))) == ["m:f"]
