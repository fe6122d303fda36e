"""Jobs of a tenant that its quotas suspended wait: nothing of them is claimed until that ends."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations

_CREATE, _REPLACE = "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
_ACTIVE = "WHERE t.is_active"

BEFORE = import_module("media_jobs.migrations.0003_claim").CLAIM.replace(_CREATE, _REPLACE)
CLAIM = BEFORE.replace(_ACTIVE, f"{_ACTIVE} AND t.quota_suspended_at IS NULL")


class Migration(migrations.Migration):
    dependencies = [("media_jobs", "0010_claimed_job"), ("accounts", "0009_quotas")]

    operations = [migrations.RunSQL(CLAIM, BEFORE)]
