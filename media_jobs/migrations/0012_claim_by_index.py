"""The claim walks the index of what is due, however small the table is said to be."""

from __future__ import annotations

from django.db import migrations

# What it calls is planned so, too.
_CLAIM = "ALTER FUNCTION ffapi_claim_job"

# Once a long queue has been worked off its index is still large and the table small: then the
# planner would rather read the whole table, once for each tenant that waits.
BY_INDEX = f"{_CLAIM} SET enable_seqscan = off"
AS_PLANNED = f"{_CLAIM} RESET enable_seqscan"


class Migration(migrations.Migration):
    dependencies = [("media_jobs", "0011_held_tenants")]

    operations = [migrations.RunSQL(BY_INDEX, AS_PLANNED)]
