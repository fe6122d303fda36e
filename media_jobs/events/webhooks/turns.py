"""Whose event goes next."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from media_jobs.events.webhooks import receivers
from media_jobs.events.webhooks.receivers import ORIGIN
from media_jobs.models import WebhookDelivery

TO_ONE_ENDPOINT = 4
OF_ONE_TENANT = 6
KNOWN_OF_ONE_TENANT = 1000

_LOCK = 0x46464157  # whoever claims holds it: then no bound is passed by two at once
_LEASE_S = 60  # longer than one attempt: then another program may try
_LOOKED_AT = 100
_FORGET_AFTER = timedelta(days=7)
_FORGET_SOUND_AFTER = timedelta(days=1)

_IS_DUE = """next_attempt_at <= statement_timestamp()
          AND (claimed_until IS NULL OR claimed_until <= statement_timestamp())"""

# The tenants that wait are found by jumping from one to the next along the index, not by reading
# all that waits.
_WAITING = """
WITH RECURSIVE waiting(tenant_id) AS (
    (SELECT tenant_id FROM media_jobs_webhookdelivery WHERE next_attempt_at IS NOT NULL
     ORDER BY tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT tenant_id FROM media_jobs_webhookdelivery AS later
            WHERE next_attempt_at IS NOT NULL AND later.tenant_id > waiting.tenant_id
            ORDER BY tenant_id LIMIT 1)
    FROM waiting WHERE waiting.tenant_id IS NOT NULL
)"""

# Of each the oldest due event counts whose endpoint may be tried; the tenant with the fewest on the
# way goes first, then the one whose last turn is longest ago.
_NEXT = f"""{_WAITING}, flying AS (
    SELECT tenant_id, {ORIGIN} AS origin, count(*) AS number FROM media_jobs_webhookdelivery
    WHERE claimed_until > statement_timestamp() GROUP BY 1, 2
), busy AS (
    SELECT tenant_id, sum(number) AS number FROM flying GROUP BY 1
)
SELECT picked.id
FROM waiting LEFT JOIN busy USING (tenant_id)
CROSS JOIN LATERAL (
    SELECT max(turn_at) AS at FROM media_jobs_webhookendpoint AS endpoint
    WHERE endpoint.tenant_id = waiting.tenant_id
) AS turn
CROSS JOIN LATERAL (
    SELECT due.id
    FROM (
        SELECT id, tenant_id, next_attempt_at, {ORIGIN} AS origin FROM media_jobs_webhookdelivery
        WHERE tenant_id = waiting.tenant_id AND {_IS_DUE}
        ORDER BY next_attempt_at LIMIT %(looked_at)s
    ) AS due
    LEFT JOIN LATERAL (
        SELECT failures, open_until FROM media_jobs_webhookendpoint
        WHERE tenant_id = due.tenant_id AND origin = due.origin LIMIT 1
    ) AS endpoint ON true
    LEFT JOIN flying USING (tenant_id, origin)
    WHERE (endpoint.open_until IS NULL OR endpoint.open_until <= statement_timestamp())
      AND coalesce(flying.number, 0) <
          CASE WHEN endpoint.failures >= %(opens)s THEN 1 ELSE %(to_one)s END
    ORDER BY due.next_attempt_at LIMIT 1
) AS picked
WHERE coalesce(busy.number, 0) < %(of_one)s
ORDER BY coalesce(busy.number, 0), turn.at NULLS FIRST LIMIT 1
"""  # noqa: S608 -- constants of this module

# What waits for a receiver that is left alone is not looked at again and again meanwhile. What is
# looked up is named by an array or by a LATERAL with a LIMIT, not joined, here and elsewhere: where
# the statistics know of few rows, a join may begin with all of them.
_PUT_OFF = f"""{_WAITING}, behind AS MATERIALIZED (
    SELECT due.id, endpoint.open_until
    FROM waiting CROSS JOIN LATERAL (
        SELECT id, {ORIGIN} AS origin FROM media_jobs_webhookdelivery
        WHERE tenant_id = waiting.tenant_id AND {_IS_DUE}
        ORDER BY next_attempt_at LIMIT %(looked_at)s
    ) AS due
    CROSS JOIN LATERAL (
        SELECT open_until FROM media_jobs_webhookendpoint
        WHERE tenant_id = waiting.tenant_id AND origin = due.origin
          AND open_until > statement_timestamp()
        LIMIT 1
    ) AS endpoint
)
UPDATE media_jobs_webhookdelivery AS put_off
SET next_attempt_at = (SELECT open_until FROM behind WHERE behind.id = put_off.id)
WHERE id = ANY (ARRAY(SELECT id FROM behind))
"""  # noqa: S608 -- as above

# By the indexes alone, whatever the statistics say of a table that grew a moment ago.
_PREPARE = """
SELECT pg_advisory_xact_lock(%s), set_config('enable_seqscan', 'off', true),
    set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true)
"""

_TAKE_TURN = f"""
INSERT INTO media_jobs_webhookendpoint (tenant_id, origin, failures, turn_at)
SELECT tenant_id, {ORIGIN}, 0, clock_timestamp() FROM media_jobs_webhookdelivery WHERE id = %s
ON CONFLICT (tenant_id, origin) DO UPDATE SET turn_at = excluded.turn_at
"""  # noqa: S608 -- as above


def claim() -> WebhookDelivery | None:
    """Take the next event that may be sent, and keep other programs off it for a minute."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_PREPARE, [_LOCK])
        cursor.execute(_PUT_OFF, {"looked_at": _LOOKED_AT})
        cursor.execute(
            _NEXT,
            {
                "looked_at": _LOOKED_AT,
                "opens": receivers.FAILURES_THAT_OPEN,
                "to_one": TO_ONE_ENDPOINT,
                "of_one": OF_ONE_TENANT,
            },
        )
        row = cursor.fetchone()
        if row is None:
            return None
        until = Now() + timedelta(seconds=_LEASE_S)
        taken = WebhookDelivery.objects.filter(pk=row[0])
        taken.update(claimed_until=until, attempt=F("attempt") + 1)
        # After the event, as whoever writes down how it ended has them.
        cursor.execute(_TAKE_TURN, row)
        # Not its tenant: where no key opens that one's secret, this is for `deliver` to say.
        return taken.get()


# Who is being written to just now stays; and two that forget at once don't wait for each other.
_FORGET = """
WITH known AS MATERIALIZED (
    SELECT id, failures, turn_at,
        row_number() OVER (PARTITION BY tenant_id ORDER BY turn_at DESC) AS place
    FROM media_jobs_webhookendpoint
), free AS MATERIALIZED (
    SELECT id FROM media_jobs_webhookendpoint
    WHERE id = ANY (ARRAY(
        SELECT id FROM known
        WHERE place > %(most)s OR turn_at < now() - make_interval(secs => %(failing_s)s)
           OR failures = 0 AND turn_at < now() - make_interval(secs => %(sound_s)s)))
    FOR UPDATE SKIP LOCKED
)
DELETE FROM media_jobs_webhookendpoint WHERE id = ANY (ARRAY(SELECT id FROM free))
"""


def forget_old() -> None:
    """Forget receivers to which nothing was sent for a week; for a day, where none failed.

    Of one tenant's the last thousand stay at most: each event may name another.
    """
    bounds = {
        "most": KNOWN_OF_ONE_TENANT,
        "failing_s": _FORGET_AFTER.total_seconds(),
        "sound_s": _FORGET_SOUND_AFTER.total_seconds(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, bounds)
