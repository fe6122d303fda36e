"""Each thing that changes something leaves exactly one record, in the change's transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from django.apps import apps
from django.db import OperationalError, connection

from accounts.models import AuditRecord
from tests.audit_coverage.admin_cases import ADMIN
from tests.audit_coverage.api_cases import API, Case
from tests.audit_coverage.page_cases import PAGES, UNSEEN
from tests.audit_coverage.stage import Ask, Stage, actor_of, sender_of
from tests.audit_coverage.what_there_is import admin_acts, routes
from tests.harness.media import Samples

pytestmark = pytest.mark.django_db

# What takes no form at all: pages, figures, and Django's own views of them.
OPEN = {
    *("POST /health/live", "POST /health/ready", "POST /health/detailed", "POST /metrics"),
    *("POST error-codes", "POST /favicon.ico", "POST openapi", "POST /admin/(?P<url>.*)$"),
}
CASES: dict[str, Case] = {**API, **PAGES, **ADMIN}
CHANGES = {name: case for name, case in CASES.items() if case[0]}
READS = [name for name, case in CASES.items() if not case[0]]
# What they are about is found in the record itself.
_ANYTHING = "*"


@pytest.fixture(autouse=True)
def _open_to_everybody(settings: Any) -> None:
    settings.REGISTRATION = "open"
    settings.MAIL_IS_SET_UP = True


@pytest.fixture
def stage(media: Samples) -> Stage:
    return Stage(media)


def method_of(name: str) -> str:
    """The method of a route's row; what staff do in the admin is posted."""
    first = name.partition(" ")[0]
    return first if first.isupper() else "POST"


def told(request_id: str) -> list[AuditRecord]:
    return list(AuditRecord.objects.filter(request_id=request_id))


def test_every_route_has_a_row() -> None:
    assert sorted(set(routes()) - CASES.keys() - OPEN) == []


def test_everything_that_staff_can_do_has_a_row() -> None:
    assert sorted(set(admin_acts()) - CASES.keys()) == []


def test_no_row_is_left_over() -> None:
    assert sorted(CASES.keys() - set(routes()) - set(admin_acts())) == []


def test_it_works(stage: Stage, subtests: pytest.Subtests) -> None:
    for name, (event, prepare) in CHANGES.items():
        with subtests.test(name), stage.case():
            _leaves_one_record(stage, name, event, prepare(stage))


def _leaves_one_record(stage: Stage, name: str, event: str, ask: Ask) -> None:
    before = picture()
    answer = stage.send(method_of(name), ask, "req-one")
    assert answer.status_code < 400, (answer.status_code, answer.content[:2000])
    [record] = told("req-one")
    assert (record.event_type, record.outcome) == (event, "success")
    assert record.actor_type == actor_of(ask)
    if ask.of_tenant and record.resource_type not in {"totp", "password"}:
        assert record.tenant_id == stage.tenant.pk
    assert record.resource_id == about(ask, answer, record)
    assert (picture() != before) == (name not in UNSEEN and not name.startswith("export "))


def about(ask: Ask, answer: Any, record: AuditRecord) -> str:
    if ask.about == _ANYTHING:
        assert record.resource_id
        return record.resource_id
    if ask.about is not None:
        return ask.about
    is_json = answer["Content-Type"].startswith("application/json")
    return str(answer.json()["id"]) if is_json else answer["Location"].rpartition("/")[2]


def test_what_changes_nothing_leaves_nothing(stage: Stage, subtests: pytest.Subtests) -> None:
    for name in READS:
        with subtests.test(name), stage.case():
            ask = CASES[name][1](stage)
            before = picture()
            answer = stage.send(method_of(name), ask, "req-one")
            assert answer.status_code < 500
            assert [each.event_type for each in told("req-one")] in ([], ["request.denied"])
            assert picture() == before


def test_who_may_not_leaves_nothing_but_the_refusal(
    media: Samples, subtests: pytest.Subtests
) -> None:
    stage = Stage(media, is_weak=True)
    for name, (_, prepare) in CHANGES.items():
        with subtests.test(name), stage.case():
            ask = prepare(stage)
            if sender_of(ask) != "nobody":  # what nobody sends is for everybody
                _is_refused(stage, name, _as_somebody_weaker(ask))


def _is_refused(stage: Stage, name: str, ask: Ask) -> None:
    before = picture()
    answer = stage.send(method_of(name), ask, "req-one")
    assert answer.status_code in {302, 401, 403, 404}, answer.content[:500]
    assert {each.event_type for each in told("req-one")} <= {"request.denied"}
    assert picture() == before


# What every signed-in person may do for themselves, and pages that know no roles.
_PERSONAL = ("/profile", "/login", "/logout", "/tenant", "/audit/export", "/admin/logout", "/staff")


def _as_somebody_weaker(ask: Ask) -> Ask:
    is_personal = ask.path.startswith(_PERSONAL)
    return Ask(ask.path, ask.body, by="nobody") if is_personal else ask


# Their record is all that they write.
_ALONE = ("export ", "POST audit_export", "POST logout", "POST admin:logout")


def test_what_is_not_written_down_does_not_happen(stage: Stage, subtests: pytest.Subtests) -> None:
    for name in (name for name in CHANGES if not name.startswith(_ALONE)):
        with subtests.test(name), stage.case():
            ask = CHANGES[name][1](stage)
            before = picture()
            with failing_log():
                answer = stage.send(method_of(name), ask, "req-one")
            assert answer.status_code >= 500, answer.status_code
            assert told("req-one") == []
            assert picture() == before


POSTS = [name for name in API if name.startswith("POST ") and name in CHANGES]


def test_a_repeated_request_is_one_record(stage: Stage, subtests: pytest.Subtests) -> None:
    for name in POSTS:
        with subtests.test(name), stage.case():
            ask = CHANGES[name][1](stage)
            key = {"Idempotency-Key": "once"}
            first = stage.send("POST", _again(ask), "req-one", **key)
            second = stage.send("POST", _again(ask), "req-two", **key)
            assert second["Idempotency-Replayed"] == "true", second.content[:500]
            assert first.content == second.content
            assert (len(told("req-one")), len(told("req-two"))) == (1, 0)


def _again(ask: Ask) -> Ask:
    """A file is read by sending it."""
    if isinstance(ask.body, dict) and "file" in ask.body and hasattr(ask.body["file"], "seek"):
        ask.body["file"].seek(0)
    return ask


@contextmanager
def failing_log() -> Iterator[None]:
    """Let each record be written, and then lose the connection."""

    def lost(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        if "INSERT INTO accounts_auditrecord" in sql:
            raise OperationalError("the connection is lost")
        return result

    with connection.execute_wrapper(lost):
        yield


# Counters of rates, sessions, what is remembered of a request, and the log itself.
_PASSING = {
    *("accounts_auditrecord", "accounts_browsersession", "accounts_ratebucket"),
    *("accounts_idempotentrequest", "axes_accessattempt", "axes_accesslog"),
    *("axes_accessfailurelog", "django_admin_log", "django_session"),
}
_COLUMNS = [
    "last_used_at",
    "last_used_address",
    "last_login",
    "known_addresses",
    "last_step",
    "failed_at",
]
# A file that nobody sees yet is a crash's business, not an auditor's.
_SEEN = {"storage_file": "WHERE published_at IS NOT NULL"}


def picture() -> dict[str, str | None]:
    """A digest of each table."""
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(map(_digest, _tables())), [_COLUMNS] * len(_tables()))
        return dict(cursor.fetchall())


@cache
def _tables() -> list[str]:
    return sorted(
        {model._meta.db_table for model in apps.get_models() if model._meta.managed} - _PASSING
    )


def _digest(table: str) -> str:
    return (
        f"(SELECT '{table}', md5(string_agg(row, '' ORDER BY row)) FROM"  # noqa: S608 -- our own tables
        f" (SELECT md5((to_jsonb(t) - %s::text[])::text) AS row"
        f" FROM {table} t {_SEEN.get(table, '')}) AS rows)"
    )
