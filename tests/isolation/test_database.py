"""What PostgreSQL itself holds to, read from its catalogue."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

pytestmark = pytest.mark.django_db

_TABLES = "pg_class.relkind IN ('r', 'p') AND pg_class.relnamespace = 'public'::regnamespace"
# Whose rows are a tenant's: they have its id, or that of a job, a key or a file.
_OWNED_BY = ("tenant_id", "job_id", "api_key_id", "file_id")


def asked(query: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def test_every_table_of_tenants_has_a_policy_that_is_forced() -> None:
    owned = {
        table
        for (table,) in asked(
            "SELECT DISTINCT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid "  # noqa: S608 -- a constant
            f"WHERE {_TABLES} AND attname = ANY(%s) AND NOT attisdropped",
            list(_OWNED_BY),
        )
    }
    guarded = {
        table
        for (table,) in asked(
            "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity "
            "AND EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid "
            "AND polname = 'isolation')"
        )
    }
    assert {"media_jobs_job", "media_jobs_jobstep", "accounts_apikey"} <= owned
    assert owned - guarded == set()
    assert "accounts_tenant" in guarded


def test_the_sites_role_is_bound_by_them() -> None:
    [(user, is_super, bypasses, creates)] = asked(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole "
        "FROM pg_roles WHERE rolname = current_user"
    )
    assert (user, is_super, bypasses, creates) == ("ffapi", False, False, False)
    assert asked("SELECT current_user = session_user") == [(True,)]
    assert asked("SELECT count(*) FROM pg_auth_members WHERE member = 'ffapi'::regrole") == [(0,)]


def test_it_owns_nothing() -> None:
    owned = asked("SELECT relname FROM pg_class WHERE relowner = 'ffapi'::regrole")
    owned += asked("SELECT proname FROM pg_proc WHERE proowner = 'ffapi'::regrole")
    assert owned == []


def test_no_view_looks_around_them() -> None:
    """A view reads with its owner's rights unless it says otherwise."""
    views = asked(
        "SELECT relname FROM pg_class WHERE relkind IN ('v', 'm') "
        "AND relnamespace = 'public'::regnamespace "
        "AND NOT coalesce('security_invoker=true' = ANY(reloptions), false)"
    )
    assert views == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE accounts_apikey DISABLE ROW LEVEL SECURITY",
        "DROP POLICY isolation ON accounts_apikey",
        "SET ROLE postgres",
        "ALTER ROLE ffapi BYPASSRLS",
        "CREATE VIEW around AS SELECT * FROM accounts_apikey",
        "SET session_replication_role = replica",
    ],
)
def test_the_sites_role_can_t_lift_them(statement: str) -> None:
    refusals = r"must be owner|permission denied"
    with pytest.raises(DatabaseError, match=refusals), transaction.atomic():
        asked(statement)
