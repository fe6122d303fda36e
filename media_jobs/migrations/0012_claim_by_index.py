"""The claim walks the index of what is due, however small the table is said to be."""

from __future__ import annotations

from django.db import migrations

# Once a long queue has been worked off its index is still large and the table small: then the
# planner would rather read the whole table, once for each tenant that waits. There is one right
# plan, and to find it again for each claim took a third of its time.
SETTINGS = {
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_sort": "off",
    "plan_cache_mode": "force_generic_plan",
}
# What it calls is planned so, too.
_CLAIM = "ALTER FUNCTION ffapi_claim_job"


class Migration(migrations.Migration):
    dependencies = [("media_jobs", "0011_held_tenants")]

    operations = [
        migrations.RunSQL(f"{_CLAIM} SET {name} = {value}", f"{_CLAIM} RESET {name}")
        for name, value in SETTINGS.items()
    ]
