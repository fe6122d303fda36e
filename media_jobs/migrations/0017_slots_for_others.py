"""A tenant without a cap of its own leaves a slot of the lane to the others.

The functions of before stay beside these: slots that still run older code call them.
"""

from __future__ import annotations

from importlib import import_module

from django.db import migrations

# How many jobs a tenant without a cap may run at once in a lane: `wanted`, or for 0 one less than
# the lane has slots, where it has several and there is somebody to leave one to. Null: no bound.
DEFAULT_CAP = """
CREATE FUNCTION ffapi_default_cap(the_lane text, wanted int, silent interval)
RETURNS int LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN wanted > 0 THEN wanted
        WHEN wanted = 0 AND lane_has.slots > 1 AND (
            SELECT count(*) FROM (SELECT FROM accounts_tenant WHERE is_active LIMIT 2) AS active
        ) > 1 THEN lane_has.slots - 1
    END
    FROM (SELECT count(*)::int AS slots FROM media_jobs_slot
           WHERE lane = the_lane AND heartbeat_at > statement_timestamp() - silent
             AND coalesce((sandbox->>'allowed')::boolean, true)) AS lane_has
$$;
"""

_REPLACED = [
    ("CREATE OR REPLACE FUNCTION", "CREATE FUNCTION"),
    ("half_life_s float\n)", "half_life_s float,\n    default_cap int, silent interval\n)"),
    ("    space_mb int;\n", "    space_mb int;\n    share int;\n"),
    ("    FOR tenant IN\n", """\
    share := ffapi_default_cap(the_lane, default_cap, silent);
    FOR tenant IN
"""),
    ("        SELECT j.id, j.attempt INTO job", """\
        CONTINUE WHEN tenant.cap IS NULL AND share <= (
            SELECT count(*) FROM media_jobs_job r
             WHERE r.status = 'running' AND r.tenant_id = tenant.id AND r.lane = the_lane);
        SELECT j.id, j.attempt INTO job"""),
]  # fmt: skip


def _claim() -> str:
    claim: str = import_module("media_jobs.migrations.0011_held_tenants").CLAIM
    for before, after in _REPLACED:
        head, found, tail = claim.partition(before)
        if not found:
            raise LookupError(before)
        claim = head + after + tail
    return claim


_SIGNATURE = "(text, text, text, float, int, int, float, int, interval)"
CLAIM_JOB = """
CREATE FUNCTION ffapi_claim_job(
    the_lane text, the_slot text, the_host text,
    lease_s float, memory_mb int, scratch_mb int, half_life_s float,
    default_cap int, silent interval
) RETURNS SETOF media_jobs_job LANGUAGE plpgsql
    -- As for the one before: there is one right plan.
    SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
    SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    claimed text;
BEGIN
    claimed := ffapi_claim(the_lane, the_slot, the_host, lease_s, memory_mb, scratch_mb,
                           half_life_s, default_cap, silent);
    RETURN QUERY SELECT j.* FROM media_jobs_job j WHERE j.id = claimed;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("media_jobs", "0016_slot_says_what_hangs")]

    operations = [
        migrations.RunSQL(DEFAULT_CAP, "DROP FUNCTION ffapi_default_cap"),
        migrations.RunSQL(_claim(), f"DROP FUNCTION ffapi_claim{_SIGNATURE}"),
        migrations.RunSQL(CLAIM_JOB, f"DROP FUNCTION ffapi_claim_job{_SIGNATURE}"),
    ]
