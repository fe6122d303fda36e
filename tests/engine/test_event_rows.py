"""Nobody but the room of the events writes down that something happened, or queues a webhook."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.server import ROOT

_PACKAGES = ("accounts", "ffapi_site", "media_jobs", "storage")
_MODELS = {"JobEvent", "WebhookDelivery"}
_MAKES = {
    f"{prefix}{verb}"
    for prefix in ("", "a")
    for verb in ("create", "bulk_create", "get_or_create", "update_or_create")
}
_RELATED = re.compile(r"\.(events|webhook_deliveries|webhookdelivery_set)\b")
_INSERT = re.compile(r"INSERT\s+INTO\s+media_jobs_(jobevent|webhookdelivery)\b", re.IGNORECASE)

KNOWN = {
    "media_jobs/events/__init__.py": "`append`",
    "media_jobs/events/webhooks/outbox.py": "the subscriber that queues webhooks",
    "media_jobs/models/job.py": "the trigger of a submission; `jobs.submit` tells of it",
    "media_jobs/sql/ffapi_claim.sql": "the claim, one statement; `states.claim` tells of it",
}


def _makes_one(tree: ast.Module) -> bool:
    models = _MODELS | set(_other_names(tree))
    named = re.compile(rf"\b({'|'.join(models)})\b")
    rows = set(_names_of_rows(tree, named))
    return any(
        (isinstance(node, ast.Call) and _is_making(node.func, models, named, rows))
        or (isinstance(node, ast.Constant) and _INSERT.search(str(node.value)))
        for node in ast.walk(tree)
    )


def _other_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (each.asname for each in node.names if each.name in _MODELS and each.asname)


def _names_of_rows(tree: ast.Module, named: re.Pattern[str]) -> Iterator[str]:
    """The variables that hold a manager or a queryset of them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _are_rows(node.value, named):
            yield from map(ast.unparse, node.targets)


def _are_rows(node: ast.expr, named: re.Pattern[str]) -> bool:
    told = ast.unparse(node)
    return bool(named.search(told) or _RELATED.search(told))


def _is_making(called: ast.expr, models: set[str], named: re.Pattern[str], rows: set[str]) -> bool:
    if ast.unparse(called).rpartition(".")[2] in models:
        return True
    if not (isinstance(called, ast.Attribute) and called.attr in _MAKES):
        return False
    return _are_rows(called.value, named) or ast.unparse(called.value).split(".")[0] in rows


def _found(folder: Path) -> set[str]:
    """The files that make one; a migration is what was once, not what is."""
    sources = [path for path in folder.rglob("*.py") if "migrations" not in path.parts]
    made = [path for path in sources if _makes_one(ast.parse(path.read_text()))]
    made += [path for path in folder.rglob("*.sql") if _INSERT.search(path.read_text())]
    return {str(path.relative_to(ROOT)) for path in made}


def test_each_is_known() -> None:
    assert set().union(*(_found(ROOT / package) for package in _PACKAGES)) == set(KNOWN)


@pytest.mark.parametrize(
    "source",
    [
        "JobEvent.objects.create(job=job)",
        "JobEvent(job=job).save()",
        "models.WebhookDelivery(url=url)",
        "from media_jobs.models import JobEvent as Log\nLog.objects.bulk_create(rows)",
        "job.events.create(reason='new')",
        "tenant.webhookdelivery_set.create(url=url)",
        "rows = WebhookDelivery.objects.for_tenant(tenant)\nrows.get_or_create(url=url)",
        "await JobEvent.objects.acreate(job=job)",
        "cursor.execute('INSERT INTO media_jobs_jobevent (job_id) VALUES (%s)')",
    ],
)
def test_a_new_one_is_seen(source: str) -> None:
    assert _makes_one(ast.parse(source))


@pytest.mark.parametrize(
    "source",
    [
        "JobEvent.objects.filter(job=job).exists()",
        "Job.objects.create(reason=fitted(JobEvent, 'reason', reason))",
        "class Events(JobEventAdmin):\n    model = JobEvent",
    ],
)
def test_who_only_looks_is_let_alone(source: str) -> None:
    assert not _makes_one(ast.parse(source))
