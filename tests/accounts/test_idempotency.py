from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpResponse

from accounts import idempotency
from accounts.idempotency import Claim, claim
from accounts.models import IdempotentRequest, Tenant
from ffapi_site.lib.problems import Conflict, Invalid, Malformed
from tests.factories import TenantFactory

pytestmark = pytest.mark.django_db

FINGERPRINT = "f" * 64


@pytest.fixture
def tenant() -> Tenant:
    return TenantFactory.create()


def claimed(tenant: Tenant, key: str = "k", fingerprint: str = FINGERPRINT) -> Claim:
    answer = claim(tenant, key, fingerprint, takeover_after_s=60)
    assert isinstance(answer, Claim)
    return answer


def replayed(tenant: Tenant) -> HttpResponse:
    answer = claim(tenant, "k", FINGERPRINT, takeover_after_s=60)
    assert isinstance(answer, HttpResponse)
    return answer


def age(by: timedelta) -> None:
    IdempotentRequest.objects.update(created_at=Now() - by, claimed_at=Now() - by)


def test_it_works(tenant: Tenant) -> None:
    first = HttpResponse(b"made", status=201, headers={"Location": "/v1/x", "X-Else": "y"})
    claimed(tenant).keep(first)
    again = replayed(tenant)
    assert (again.status_code, again.content, again["Location"]) == (201, b"made", "/v1/x")
    assert again["Idempotency-Replayed"] == "true"
    assert not again.has_header("X-Else")


def test_a_second_one_waits_for_the_first(tenant: Tenant) -> None:
    claimed(tenant)
    with pytest.raises(Conflict) as refused:
        claim(tenant, "k", FINGERPRINT, takeover_after_s=60)
    assert refused.value.code == "idempotent_request_in_flight"


def test_another_request_under_the_key_is_refused(tenant: Tenant) -> None:
    claimed(tenant)
    with pytest.raises(Invalid):
        claim(tenant, "k", "0" * 64, takeover_after_s=60)


def test_tenants_do_not_share_keys(tenant: Tenant) -> None:
    claimed(tenant).keep(HttpResponse(b"mine"))
    claimed(TenantFactory.create())


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_by_itself_is_not_kept(tenant: Tenant, status: int) -> None:
    claimed(tenant).keep(HttpResponse(status=status))
    claimed(tenant)


def test_a_refusal_is_kept(tenant: Tenant) -> None:
    claimed(tenant).keep(HttpResponse(b"no", status=422))
    assert replayed(tenant).status_code == 422


def test_a_crashed_holder_is_taken_over_with_what_it_made(tenant: Tenant) -> None:
    crashed = claimed(tenant)
    with transaction.atomic():
        crashed.note_made("job_1")
    age(timedelta(seconds=61))
    heir = claimed(tenant)
    assert heir.made == "job_1"
    crashed.keep(HttpResponse(b"too late"))
    heir.keep(HttpResponse(b"in time"))
    assert replayed(tenant).content == b"in time"


def test_who_lost_the_claim_makes_nothing(tenant: Tenant) -> None:
    slow = claimed(tenant)
    age(timedelta(seconds=61))
    claimed(tenant)
    with pytest.raises(Conflict):
        slow.note_made("job_1")


def test_an_error_after_the_making_leaves_the_made_to_the_next(tenant: Tenant) -> None:
    first = claimed(tenant)
    first.note_made("job_1")
    first.release()
    assert claimed(tenant).made == "job_1"


def test_after_a_day_the_key_is_free(tenant: Tenant) -> None:
    claimed(tenant).keep(HttpResponse(b"old"))
    age(timedelta(hours=24, seconds=1))
    assert claimed(tenant).made == ""


def test_old_ones_are_forgotten(tenant: Tenant) -> None:
    claimed(tenant)
    assert idempotency.forget_old() == 0
    age(timedelta(hours=25))
    assert idempotency.forget_old() == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "ü", "\x00"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(Malformed):
        idempotency.read_key(key)
