"""The house rules that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("ffapi_site", "media_jobs", "storage", "accounts")
_WRITTEN = {".py", ".html", ".css", ".js", ".md", ".yml", ".toml"}
_VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}


@cache
def _tracked() -> tuple[Path, ...]:
    """What git would take in, so that a file counts before its first commit."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    paths = [ROOT / line for line in listed.stdout.splitlines()]
    ours = [path for path in paths if "vendor" not in path.parts and path.is_file()]
    return tuple(path for path in ours if path.suffix in _WRITTEN)


def _ours(suffix: str = ".py") -> list[Path]:
    return [
        path
        for path in _tracked()
        if path.suffix == suffix and path.relative_to(ROOT).parts[0] in (*PACKAGES, "tests")
    ]


def test_no_file_is_long() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in _ours()}
    assert lengths
    assert {str(path): length for path, length in lengths.items() if length > 500} == {}


def test_nothing_is_left_to_do() -> None:
    mark = re.compile("TO" + r"DO\b|FIX" + r"ME\b|XX" + r"X\b")
    found = [str(path) for path in _tracked() if mark.search(path.read_text())]
    assert [name for name in found if not name.endswith("pyproject.toml")] == []


def test_no_test_goes_on_in_a_copy_of_itself() -> None:
    """What raises in one would run the rest of the suite once more: `forked` ends it."""
    forks = {str(path.relative_to(ROOT)) for path in _ours() if "os.fork()" in path.read_text()}
    # And this file, and programs of their own.
    allowed = {"tests/harness/processes.py", "tests/test_house.py"}
    allowed |= {"tests/audit/test_crowds.py", "tests/site/settings_reader.py"}
    assert {name for name in forks if name.startswith("tests/")} == allowed


def test_modules_are_named_by_what_they_are() -> None:
    assert [str(path) for path in _ours() if path.stem in _VAGUE] == []


def test_every_room_says_where_its_tests_are() -> None:
    """In docs/tests.md, by itself or by the room that it lies in."""
    rows = re.findall(r"^\| (.+) \| (.+) \|$", (ROOT / "docs/tests.md").read_text(), re.MULTILINE)
    told = {name for rooms, _ in rows for name in re.findall(r"`([a-z_/]+)`", rooms)}
    rooms = {path.parent.relative_to(ROOT) for path in _ours()}
    rooms = {each for each in rooms if not {"tests", "migrations", "management"} & {*each.parts}}
    apps = {Path(each) for each in PACKAGES}
    around = {each: {str(way) for way in (each, *({*each.parents} - apps))} for each in rooms}
    assert {str(each) for each in rooms if not around[each] & told} == set()
    folders = {name for _, tests in rows for name in re.findall(r"`(tests/[^`]+)`", tests)}
    assert {name for name in folders if not (ROOT / name).exists()} == set()


def test_no_import_goes_in_circles() -> None:
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True, cache_dir=None)
    imports = {
        module: graph.find_modules_directly_imported_by(module) - {_package_of(module)}
        for module in graph.modules
    }
    TopologicalSorter(imports).prepare()  # raises CycleError with the circle


def _package_of(module: str) -> str:
    return module.rpartition(".")[0]


@pytest.mark.parametrize("room", ["media_jobs.operations.core", "media_jobs.operations.building"])
def test_whoever_stands_outside_comes_in_by_the_door(room: str) -> None:
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True, cache_dir=None)
    found = {
        (importer, module)
        for module in graph.find_descendants(room)
        for importer in graph.find_modules_that_directly_import(module)
        if not importer.startswith(room)
    }
    assert found == set()


def test_every_setting_is_documented() -> None:
    explained = re.findall(
        r"^\| `([A-Z_]+)` \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE
    )
    assert sorted(set(_settings_read())) == sorted(explained)


_READERS = {"env", "mail_server", "secret", "secret_list"}


def _settings_read() -> Iterator[str]:
    """The names in ``env(…)``, ``env.kind(…)`` and the calls of ``_READERS``."""
    for node in ast.walk(ast.parse((ROOT / "ffapi_site/settings.py").read_text())):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func)
            if called in _READERS or called.startswith("env."):
                yield str(node.args[0].value)


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-dev.txt", "requirements-oidc.txt"]
)
def test_every_requirement_is_pinned(name: str) -> None:
    lines = (ROOT / name).read_text().replace("\\\n", " ").splitlines()
    wanted = [line for line in lines if line and not line.startswith(("#", "-r"))]
    assert wanted
    exact = re.compile(r"[\w.\[\],-]+==\S+( ; [^;]+?)?( +--hash=sha256:[0-9a-f]{64})+")
    assert [line for line in wanted if not exact.fullmatch(line)] == []


@pytest.mark.parametrize("page", [path.name for path in (ROOT / "docs").glob("*.md")])
def test_links_between_pages_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / "docs" / page).read_text())
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []


def test_every_decision_is_dated_and_in_the_index() -> None:
    text = (ROOT / "docs/decisions.md").read_text()
    titles = re.findall(r"^## (.+)$", text, re.MULTILINE)
    dated = re.findall(r"^## (.+)\n\n\*\d{4}-\d\d-\d\d, ", text, re.MULTILINE)
    index = re.findall(r"^- \d{4}-\d\d-\d\d \[(.+)\]\(#", text, re.MULTILINE)
    assert titles == dated
    assert sorted(index) == sorted(titles)
