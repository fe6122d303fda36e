"""The claimed job itself in the claim's one round trip, not only its id."""

from __future__ import annotations

from django.db import migrations, models

# A statement of its own: one and the same would still see the row as it was before the claim.
CLAIM_JOB = """
CREATE FUNCTION ffapi_claim_job(
    the_lane text, the_slot text, the_host text,
    lease_s float, memory_mb int, scratch_mb int, half_life_s float
) RETURNS SETOF media_jobs_job LANGUAGE plpgsql AS $$
DECLARE
    claimed text;
BEGIN
    claimed := ffapi_claim(the_lane, the_slot, the_host, lease_s, memory_mb, scratch_mb, half_life_s);
    RETURN QUERY SELECT j.* FROM media_jobs_job j WHERE j.id = claimed;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("media_jobs", "0009_dead_letter")]

    operations = [
        migrations.RunSQL(CLAIM_JOB, "DROP FUNCTION ffapi_claim_job"),
        migrations.AlterField(
            "job",
            "tenant",
            models.ForeignKey(
                on_delete=models.CASCADE,
                related_name="jobs",
                to="accounts.tenant",
                db_index=False,
            ),
        ),
    ]
