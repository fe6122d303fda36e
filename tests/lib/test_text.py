"""Names of strangers are composed only after their length was looked at."""

from __future__ import annotations

import ast
import time
import unicodedata
from pathlib import Path

import pytest
from django.test import Client

from ffapi_site.lib.netguard.names import file_name
from ffapi_site.lib.text import TooLong, composed
from storage.names import NameRefused, clean_name
from tests.factories import TenantFactory
from tests.harness.api_client import client_of

ROOT = Path(__file__).parent.parent.parent
# Two marks of different classes in the wrong order, over and over.
MARKS = "a" + "\u0301\u0316" * 250_000


def test_it_works() -> None:
    assert composed("e\u0301", 2) == "\u00e9"
    with pytest.raises(TooLong):
        composed("e\u0301a", 2)


def test_a_name_of_a_megabyte_costs_little() -> None:
    began = time.process_time()
    with pytest.raises(NameRefused) as refused:
        clean_name(MARKS)
    assert refused.value.code == "name_too_long"
    assert file_name(f'attachment; filename="{MARKS}.mp4"', f"/{MARKS}.mp4").endswith(".mp4")
    assert time.process_time() - began < 5


def test_a_long_name_that_composes_to_a_short_one_is_taken() -> None:
    given = unicodedata.normalize("NFD", "\u1ec7" * 250) + ".srt"
    assert clean_name(given) == "\u1ec7" * 250 + ".srt"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["a" * 256, MARKS[:100_000]])
def test_the_api_names_the_field(name: str) -> None:
    client: Client = client_of(TenantFactory.create())
    response = client.post(
        "/v1/files",
        {"url": "https://example.com/a.mp4", "name": name},
        content_type="application/json",
    )
    assert response.status_code == 422
    assert [each["pointer"] for each in response.json()["errors"]] == ["/name"]


def test_nothing_else_composes() -> None:
    """Whoever normalises text by himself is to bound it first: here there is one place for both."""
    found = [
        str(path.relative_to(ROOT))
        for app in ("ffapi_site", "accounts", "storage", "media_jobs")
        for path in (ROOT / app).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr in {"normalize", "is_normalized"})
        or (isinstance(node, ast.alias) and node.name == "normalize")
    ]
    assert found == ["ffapi_site/lib/text.py"]
