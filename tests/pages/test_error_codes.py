from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from ffapi_site.error_codes import chapters
from ffapi_site.lib.problems import NotFound

pytestmark = pytest.mark.django_db

# Where the exceptions and values of this house take their code.
_PLACE = {"InvalidParams": 2, "FieldError": 2, "invalid": 2, "Rule": 1}
_PLACE |= dict.fromkeys(("Failure", "Refusal", "Refused", "FileRefused", "NameRefused"), 0)
_PLACE |= dict.fromkeys(("NotClean", "NotJson", "Unreadable", "TooMuch", "Interrupted"), 0)

# Whatever is wrong there is said before there is a job.
_OF_REQUESTS = {"planning.py", "placement.py", "parsing.py"}
_OF_REQUESTS |= {"landing.py", "multipart.py"}


def test_it_works(client: Client) -> None:
    page = client.get("/docs/errors").content.decode()
    _, anchor = NotFound().to_json("")["type"].split("#")
    assert f'<tr id="{anchor}">' in page


def test_every_anchor_is_there_once(client: Client) -> None:
    anchors = re.findall(r'<tr id="([^"]+)"', client.get("/docs/errors").content.decode())
    assert len(anchors) == len(set(anchors)) > 60


@pytest.mark.parametrize("package", ["ffapi_site", "media_jobs", "storage", "accounts"])
def test_every_code_is_explained(package: str) -> None:
    explained = {each.code for chapter in chapters() for each in chapter.codes}
    used = {
        code
        for path in Path(settings.BASE_DIR / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for code in _codes(node)
    }
    assert used - explained == set()


def test_every_code_that_a_job_fails_with_is_in_the_table_of_those() -> None:
    """What does not fit an input is known only to the job where that is fetched by the job."""
    [failed] = [chapter for chapter in chapters() if chapter.title == "Of a failed job"]
    sources = [
        *Path(settings.BASE_DIR / "media_jobs" / "operations").rglob("*.py"),
        *Path(settings.BASE_DIR / "media_jobs" / "ffmpeg").rglob("*.py"),
        *Path(settings.BASE_DIR / "media_jobs" / "worker").rglob("*.py"),
        *Path(settings.BASE_DIR / "ffapi_site" / "lib" / "netguard").rglob("*.py"),
        *Path(settings.BASE_DIR / "storage" / "intake").rglob("*.py"),
        settings.BASE_DIR / "storage" / "names.py",
    ]
    used = {
        code
        for path in sources
        if path.name not in _OF_REQUESTS
        for node in ast.walk(ast.parse(path.read_text()))
        for code in _codes(node)
    }
    assert used - {each.code for each in failed.codes} == set()


def _codes(node: ast.AST) -> Iterator[str]:
    for value in _values_of_codes(node):
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield from re.findall("^[a-z0-9_]+$", value.value)


def _values_of_codes(node: ast.AST) -> Iterator[ast.expr | None]:
    if isinstance(node, ast.Call):
        yield from (keyword.value for keyword in node.keywords if keyword.arg == "code")
        place = _PLACE.get(ast.unparse(node.func).rpartition(".")[2], len(node.args))
        yield from node.args[place : place + 1]
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith("code"):
        yield node.value
    if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "code":
        yield node.value
