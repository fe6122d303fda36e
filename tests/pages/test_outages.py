"""While the database does not do what it is asked, people get a page and machines a problem."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection
from django.test import Client

from accounts.models import Membership
from tests.api.sending import code_of
from tests.factories import MembershipFactory
from tests.harness.api_client import client_of
from tests.harness.superuser import superuser

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def member() -> Membership:
    return MembershipFactory.create()


@pytest.fixture
def machine(member: Membership) -> Client:
    client = client_of(member.tenant)
    client.raise_request_exception = False
    return client


@pytest.fixture
def person(member: Membership) -> Client:
    client = Client(raise_request_exception=False)  # what no view raises is answered too
    client.force_login(member.user)
    return client


@contextmanager
def jobs_held(setting: str) -> Iterator[None]:
    """Have somebody keep all jobs to themselves, and nobody wait for them for long."""
    told = connection.settings_dict
    with psycopg.connect(
        dbname=told["NAME"], host=told["HOST"], user=told["OWNER"]["USER"]
    ) as other:
        other.execute("LOCK TABLE media_jobs_job IN ACCESS EXCLUSIVE MODE")
        with connection.cursor() as cursor:
            cursor.execute(f"SET {setting} = 300")
            try:
                yield
            finally:
                cursor.execute(f"RESET {setting}")


def page_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert answer["Retry-After"].isdecimal()
    return answer.content.decode()


def test_what_takes_too_long_is_no_absence(machine: Client, person: Client) -> None:
    with jobs_held("statement_timeout"):
        refused = machine.get("/v1/jobs", {"search": "a"})
        page = page_of(person, "/jobs")
    assert code_of(refused, 503) == "took_too_long"
    assert refused["Retry-After"] == "30"
    assert "narrow it" in refused.json()["detail"]
    assert "narrow it" in page
    assert "away" not in page


def test_who_is_in_the_way_is_gone_in_a_moment(machine: Client) -> None:
    with jobs_held("lock_timeout"):
        refused = machine.get("/v1/jobs")
    assert code_of(refused, 503) == "database_busy"
    assert refused["Retry-After"] == "1"


@contextmanager
def cut_off() -> Iterator[None]:
    """End the connection under whoever works with it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    with superuser() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    try:
        yield
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/jobs", "/", "/files"])
def test_people_are_told_by_a_page(person: Client, path: str) -> None:
    with cut_off():
        assert "The database is away" in page_of(person, path)


def test_machines_are_told_by_a_problem(machine: Client, person: Client) -> None:
    with cut_off():
        assert code_of(machine.get("/v1/jobs"), 503) == "database_unavailable"
    with cut_off():
        of_script = person.get("/jobs", headers={"Accept": "application/json"})
        assert code_of(of_script, 503) == "database_unavailable"
