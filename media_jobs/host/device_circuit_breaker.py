"""Leave a device that keeps failing alone for a while: a row for each device of each host."""

from __future__ import annotations

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from ffapi_site.lib.lengths import fitted
from media_jobs.models import DeviceHealth

_TOLERATED = 2
_COOL_DOWN_S = 60
_LONGEST_S = 3600

# One statement, since all slots of a host count together.
_FAIL = """
INSERT INTO media_jobs_devicehealth AS h
    (host, device, failures, reason, fallbacks, changed_at, open_until)
VALUES (%(host)s, %(device)s, 1, %(reason)s, 0, statement_timestamp(), NULL)
ON CONFLICT (host, device) DO UPDATE SET
    failures = h.failures + 1, reason = excluded.reason, changed_at = statement_timestamp(),
    open_until = CASE WHEN h.failures >= %(tolerated)s THEN statement_timestamp()
        + make_interval(secs => least(%(longest_s)s,
            %(cool_down_s)s * power(2, least(h.failures - %(tolerated)s, 16)))) END
"""


_LET_THROUGH = """
UPDATE media_jobs_devicehealth SET open_until = statement_timestamp()
    + make_interval(secs => least(%(longest_s)s,
        %(cool_down_s)s * power(2, least(failures - %(tolerated)s - 1, 16))))
WHERE host = %(host)s AND device = %(device)s
    AND coalesce(open_until, statement_timestamp()) <= statement_timestamp()
"""


def refusal(host: str, device: str) -> str:
    """Say why no job may try ``device`` now; empty where one may.

    After a cool-down one is let through: it has the device to itself for as long again.
    """
    row = DeviceHealth.objects.filter(host=host, device=device).first()
    if row is None or row.failures <= _TOLERATED:
        return ""
    with connection.cursor() as cursor:
        cursor.execute(_LET_THROUGH, _facts(host, device))
        if cursor.rowcount:
            return ""
    return row.reason or "the device failed several times in a row"


def failed(host: str, device: str, reason: str) -> None:
    told = fitted(DeviceHealth, "reason", reason)
    with connection.cursor() as cursor:
        cursor.execute(_FAIL, {**_facts(host, device), "reason": told})


def succeeded(host: str, device: str) -> None:
    rows = DeviceHealth.objects.filter(host=host, device=device, failures__gt=0)
    rows.update(failures=0, open_until=None, reason="", changed_at=Now())


def fell_back(host: str, device: str) -> None:
    """Count a job that the CPU did in the place of ``device``."""
    DeviceHealth.objects.get_or_create(host=host, device=device)
    rows = DeviceHealth.objects.filter(host=host, device=device)
    rows.update(fallbacks=F("fallbacks") + 1)


def left_alone() -> set[tuple[str, str]]:
    """The host and kind of all devices that are not tried at present."""
    cooling = DeviceHealth.objects.filter(failures__gt=_TOLERATED, open_until__gt=Now())
    return set(cooling.values_list("host", "device"))


def _facts(host: str, device: str) -> dict[str, str | int]:
    return {
        "host": host,
        "device": device,
        "tolerated": _TOLERATED,
        "cool_down_s": _COOL_DOWN_S,
        "longest_s": _LONGEST_S,
    }
