"""What lives in the database stands in ``<app>/sql`` as it is today; migrations say how it came.

WRITE_SQL=1 python -m pytest tests/site/test_sql.py
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import pytest
from django.db import connection

from ffapi_site.database.owner import as_owner

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[2]
APPS = ("accounts", "storage", "media_jobs")
_FUNCTIONS = """
SELECT proname, pg_get_functiondef(oid) FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND starts_with(proname, 'ffapi_')
ORDER BY proname, pg_get_function_identity_arguments(oid)
"""
_POLICIES = """
SELECT tablename, format('CREATE POLICY %s ON %s FOR %s%s%s', policyname, tablename, cmd,
    E'\\n    USING ' || qual, E'\\n    WITH CHECK ' || with_check)
FROM pg_policies WHERE schemaname = 'public' ORDER BY tablename, policyname
"""


def asked(query: str) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [(name, text) for name, text in cursor.fetchall()]


def app_of_function(name: str) -> str:
    [app] = {
        app
        for app in APPS
        for path in (ROOT / app / "migrations").glob("*.py")
        if f"FUNCTION {name}(" in path.read_text()
    }
    return app


def app_of_table(name: str) -> str:
    [app] = [app for app in APPS if name.startswith(f"{app}_")]
    return app


def as_it_is() -> dict[Path, str]:
    found = defaultdict[Path, list[str]](list)
    for name, definition in asked(_FUNCTIONS):
        found[Path(app_of_function(name), "sql", f"{name}.sql")].append(definition)
    for table, definition in asked(_POLICIES):
        found[Path(app_of_table(table), "sql", "policies.sql")].append(f"{definition}\n")
    return {path: ";\n\n".join(map(str.rstrip, texts)) + ";\n" for path, texts in found.items()}


def as_written() -> dict[Path, str]:
    paths = [path for app in APPS for path in (ROOT / app / "sql").glob("*.sql")]
    return {path.relative_to(ROOT): path.read_text() for path in paths}


def test_it_works() -> None:
    found = as_it_is()
    if os.environ.get("WRITE_SQL") == "1":
        for path, text in found.items():
            (ROOT / path).parent.mkdir(exist_ok=True)
            (ROOT / path).write_text(text)
    assert len(found) > len(APPS)
    assert as_written() == found


@pytest.mark.django_db(transaction=True)
def test_a_change_by_a_migration_alone_is_seen() -> None:
    """Of a function and of a policy."""
    try:
        done_by_the_owner("ALTER FUNCTION ffapi_recent SET enable_sort = off")
        done_by_the_owner("CREATE POLICY another ON media_jobs_job USING (true)")
        changed = {path for path, text in as_it_is().items() if as_written().get(path) != text}
    finally:
        done_by_the_owner("ALTER FUNCTION ffapi_recent RESET ALL")
        done_by_the_owner("DROP POLICY IF EXISTS another ON media_jobs_job")
    assert changed == {
        Path("media_jobs/sql/ffapi_recent.sql"),
        Path("media_jobs/sql/policies.sql"),
    }


def done_by_the_owner(statement: str) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(statement)
