"""How the audit log's chains stand, for people and for health checks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.audit_chain.records import INSTALLATION
from accounts.audit_chain.verifier.digests import digest
from accounts.models import (
    AuditCheckpoint,
    AuditForwarding,
    AuditKey,
    AuditRecord,
    AuditSealer,
)
from ffapi_site.lib import scope

_LATE = timedelta(seconds=60)
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class ChainState:
    sealed_to: int
    unsealed: int
    checkpoint: AuditCheckpoint | None
    fingerprint: str
    trouble: str


def of(tenant_id: str | None) -> ChainState:
    records = AuditRecord.objects.filter(tenant_id=tenant_id)
    last = records.filter(seq__isnull=False).order_by("-seq").values_list("seq", flat=True).first()
    checkpoints = AuditCheckpoint.objects.filter(tenant_id=tenant_id)
    fingerprints = [key["fingerprint"] for key in public_keys()]
    sealer = AuditSealer.objects.first()
    if sealer is None or timezone.now() - sealer.heartbeat_at > _LATE:
        trouble = "Nothing is sealed just now: the sealer does not run."
    else:
        known = {each["chain"]: str(each["detail"]) for each in sealer.troubles}
        trouble = known.get(tenant_id or INSTALLATION, "")
    return ChainState(
        sealed_to=last or 0,
        unsealed=records.filter(seq=None).count(),
        checkpoint=checkpoints.order_by("-number").first(),
        fingerprint=fingerprints[-1] if fingerprints else "",
        trouble=trouble,
    )


def public_keys() -> list[dict[str, Any]]:
    """Every key that ever signed, oldest first, with the fingerprint to compare."""
    envelopes = AuditKey.objects.order_by("at").values_list("envelope", flat=True)
    return [
        {
            "key_id": each["statement"]["key_id"],
            "algorithm": "Ed25519",
            "public_key": each["statement"]["public_key"],
            "fingerprint": digest(bytes.fromhex(each["statement"]["public_key"])),
            "since": each["statement"]["at"],
            "introduced_by": each["statement"]["previous"],
        }
        for each in envelopes
    ]


def health() -> dict[str, Any]:
    """What ``/health/detailed`` tells; ``warning`` is there where somebody should look."""
    with scope.within(scope.EVERY_TENANT):
        sealer = AuditSealer.objects.first()
        now = timezone.now()
        # Not of a time that Python can't read: such a record is told of as a trouble of its chain.
        waiting = AuditRecord.objects.filter(seq=None, at__range=(_FIRST, now))
        oldest = waiting.order_by("xid").values_list("at", flat=True).first()
        lag_s = round((now - oldest).total_seconds(), 1) if oldest else 0.0
        failures = AuditForwarding.objects.exclude(failure="").values_list("target", "failure")
        warnings = [f"{target} is away: {failure}" for target, failure in failures]
        if sealer is None:
            warnings.append("no sealer ever ran")
        else:
            warnings += [str(each["detail"]) for each in sealer.troubles]
            if timezone.now() - sealer.heartbeat_at > _LATE:
                warnings.append("the sealer is silent")
    if lag_s > _LATE.total_seconds():
        warnings.append(f"the oldest unsealed record is {lag_s:.0f} s old")
    # An embedded server takes whoever has its folder for its owner, the web process too.
    is_reduced = settings.EMBEDDED_DATABASE or (sealer is not None and sealer.is_reduced)
    facts = {
        "mode": "reduced" if is_reduced else "separate role",
        "lag_seconds": lag_s,
    }
    return facts | ({"warning": "; ".join(warnings)} if warnings else {})
