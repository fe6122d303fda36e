"""R26: a server that is away is told from one that refuses, by what each really says."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from django.db import DataError, InterfaceError, OperationalError, connection, transaction

from ffapi_site.lib.database_away import database_away

pytestmark = pytest.mark.django_db


def _killed() -> None:
    params = connection.get_connection_params()
    keys = ("host", "port", "user", "password", "dbname")
    with psycopg.connect(**{key: params[key] for key in keys if key in params}) as other:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [other.info.backend_pid])
        other.execute("SELECT 1")


def _nobody_listens() -> None:
    psycopg.connect(host="127.0.0.1", port=1, connect_timeout=2)


@pytest.mark.parametrize("lose", [_killed, _nobody_listens])
def test_a_lost_connection(lose: Callable[[], None]) -> None:
    with pytest.raises(psycopg.OperationalError) as told:
        lose()
    assert database_away(told.value)


@pytest.mark.parametrize("state", ["08006", "57P01", "57P02", "57P03", "53300"])
def test_a_server_that_stops_or_starts(state: str) -> None:
    assert database_away(as_django_tells(psycopg.errors.lookup(state)()))


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_what_no_server_said(kind: type[Exception]) -> None:
    assert database_away(kind("the connection is closed"))


@pytest.mark.parametrize("state", ["53100", "53200", "54000", "55P03", "57014", "58030", "40P01"])
def test_a_server_that_refuses(state: str) -> None:
    """Full disk, memory, limits, a lock, a time-out, a bad disk, a deadlock."""
    assert not database_away(as_django_tells(psycopg.errors.lookup(state)()))


def test_a_statement_that_took_too_long() -> None:
    with pytest.raises(OperationalError) as told, transaction.atomic():
        run("SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)")
    assert not database_away(told.value)


@pytest.mark.parametrize("error", [DataError(), ValueError(), OSError()])
def test_what_is_no_trouble_of_the_database(error: Exception) -> None:
    assert not database_away(error)


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def as_django_tells(error: psycopg.Error) -> OperationalError:
    told = OperationalError("told")
    told.__cause__ = error
    return told
