from __future__ import annotations

import csv

from django.test import Client
from django.urls import reverse

from accounts.models import AuditRecord
from tests.admin.conftest import REASON, act
from tests.factories import ApiKeyFactory, FileFactory
from tests.harness.cast import Cast


def test_it_works(root: Client, cast: Cast) -> None:
    files = FileFactory.create_batch(2, tenant=cast.tenant)
    text = act(root, "storage_file", "export", *(file.pk for file in files))
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["id"] for row in rows} == {file.pk for file in files}
    assert {row["tenant"] for row in rows} == {"studio"}
    record = AuditRecord.objects.get()
    assert (record.event_type, record.details["rows"]) == ("file.exported", 2)
    assert record.details["reason"] == REASON


def test_no_cell_is_a_formula(root: Client, cast: Cast) -> None:
    for begin in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "|cmd", "%x"):
        ApiKeyFactory.create(tenant=cast.tenant, name=begin)
    keys = list(cast.tenant.api_keys.values_list("pk", flat=True))
    text = act(root, "accounts_apikey", "export", *keys)
    names = [row["name"] for row in csv.DictReader(text.splitlines())]
    assert len(names) == 7
    assert all(name.startswith("'") for name in names)


def test_it_asks_first(root: Client, cast: Cast) -> None:
    file = FileFactory.create(tenant=cast.tenant)
    form = {"action": "export", "_selected_action": [file.pk]}
    answer = root.post(reverse("admin:storage_file_changelist"), form)
    assert answer["Content-Type"].startswith("text/html")
    assert not AuditRecord.objects.exists()


def test_a_secret_is_not_in_it(root: Client, cast: Cast) -> None:
    key = ApiKeyFactory.create(tenant=cast.tenant)
    assert key.secret_digest not in act(root, "accounts_apikey", "export", key.pk)
