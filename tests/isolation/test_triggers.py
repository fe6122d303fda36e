"""No session of the site's role switches a trigger off, whatever it sets or makes."""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from media_jobs.models import JobEvent
from tests.factories import JobFactory
from tests.harness.superuser import superuser

pytestmark = pytest.mark.django_db

_TRIGGERS = """
SELECT tgname, tgrelid::regclass::text, prosrc, proconfig, tgenabled FROM pg_trigger
JOIN pg_proc ON pg_proc.oid = tgfoid WHERE NOT tgisinternal
"""
# What a trigger may ask a session: whether the sealer cuts, whose right to delete is its own.
_ASKED = {"ffapi.audit_cut"}


def forged(columns: str, values: str) -> str:
    """A record with more than the site gives it."""
    return (
        "INSERT INTO accounts_auditrecord (id, event_type, outcome, actor_type, actor_id,"  # noqa: S608 -- constants
        f" resource_type, resource_id, request_id, details, {columns})"
        " VALUES ('audit_forged', 'job.created', 'success', 'user', '1', 'job', '', '', '{}',"
        f" {values})"
    )


def asked(query: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall()) if cursor.description else []


def ignore_all() -> None:
    """As pgtrigger.ignore() does, for each trigger that there is."""
    names = [name for name, *_ in asked(_TRIGGERS)]
    asked("SELECT set_config('pgtrigger.ignore', %s, true)", "{" + ",".join(names) + "}")


def test_it_works() -> None:
    ignore_all()
    answers = asked(
        "SELECT tgname, public._pgtrigger_should_ignore(tgname) FROM pg_trigger"
        " WHERE NOT tgisinternal"
    )
    assert len(answers) >= 9
    assert {ignored for _, ignored in answers} == {False}


def test_every_trigger_is_firm() -> None:
    for name, table, source, config, enabled in asked(_TRIGGERS):
        settings = set(re.findall(r"current_setting\(\s*'([^']+)'", source, re.IGNORECASE))
        assert settings <= _ASKED, (name, table)
        assert config == ["search_path=pg_catalog, public, pg_temp"], (name, table)
        assert enabled == "O", (name, table)


def test_the_answer_is_no_for_whoever_asks() -> None:
    [(source, volatility)] = asked(
        "SELECT prosrc, provolatile FROM pg_proc WHERE proname = '_pgtrigger_should_ignore'"
    )
    assert (source, volatility) == ("SELECT false", "i")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE media_jobs_job SET status = 'queued', finished_at = NULL",
        "UPDATE media_jobs_job SET attempt = attempt - 1",
    ],
    ids=["a final status", "a fence that falls"],
)
def test_jobs_keep_their_rules(statement: str) -> None:
    JobFactory.create(completed=True, attempt=2)
    ignore_all()
    with pytest.raises(DatabaseError, match=r"Invalid transition|Cannot update"):
        asked(statement)


def test_events_are_not_diverted() -> None:
    """A temporary table of the name that a trigger writes to."""
    asked("CREATE TEMPORARY TABLE media_jobs_jobevent (LIKE public.media_jobs_jobevent)")
    ignore_all()
    try:
        JobFactory.create()
        assert asked("SELECT count(*) FROM pg_temp.media_jobs_jobevent") == [(0,)]
        assert asked("SELECT count(*) FROM public.media_jobs_jobevent") != [(0,)]
    finally:
        asked("DROP TABLE pg_temp.media_jobs_jobevent")
    assert JobEvent.objects.exists()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("place", "9223372036854775807"),
        ("seq", "1"),
        ("prev_hash", "'0'"),
        ("hash", "'0'"),
        ("personal_digest", "'0'"),
        ("xid", "'1'"),
    ],
)
def test_no_record_is_added_as_if_it_were_sealed(column: str, value: str) -> None:
    ignore_all()
    with pytest.raises(DatabaseError, match="permission denied"):
        asked(forged(column, value))


def refused_to_the_owner(statement: str) -> str:
    """Why a superuser can't do so, whom neither grants nor triggers stop."""
    with superuser() as cursor, pytest.raises(psycopg.Error) as refused:
        cursor.execute(statement)
    return str(refused.value)


@pytest.mark.parametrize(
    ("columns", "values", "constraint"),
    [
        ("place", "7", "audit_sealed_as_a_whole"),
        ("seq, hash", "7, '0'", "audit_sealed_as_a_whole"),
        (
            "seq, place, prev_hash, hash, personal_digest",
            f"1, {2**62 + 1}, '', '', ''",
            "audit_numbers_within_bounds",
        ),
        (
            "seq, place, prev_hash, hash, personal_digest",
            "0, 1, '', '', ''",
            "audit_numbers_within_bounds",
        ),
    ],
)
def test_nor_by_the_owner_past_the_triggers(columns: str, values: str, constraint: str) -> None:
    assert constraint in refused_to_the_owner(forged(columns, values))


@pytest.mark.parametrize(
    "statement",
    [
        "SET session_replication_role = replica",
        "ALTER TABLE media_jobs_job DISABLE TRIGGER ALL",
        "ALTER TABLE accounts_auditrecord DISABLE TRIGGER ALL",
        """CREATE OR REPLACE FUNCTION public._pgtrigger_should_ignore(trigger_name name)
        RETURNS boolean LANGUAGE sql AS 'SELECT true'""",
        """CREATE FUNCTION public.upper(text) RETURNS text LANGUAGE sql AS 'SELECT $1'""",
        "CREATE SCHEMA ffapi",
        "DROP TRIGGER pgtrigger_audit_kept_aa7e6 ON accounts_auditrecord",
        "ALTER ROLE ffapi SUPERUSER",
    ],
)
def test_the_sites_role_can_t_change_them(statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match=r"must be (the )?owner|permission denied"),
        transaction.atomic(),
    ):
        asked(statement)
