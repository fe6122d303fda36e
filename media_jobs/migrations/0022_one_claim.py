"""The claim of before `0017_slots_for_others` goes: nothing calls it but slots older than that."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations

_SIGNATURE = "(text, text, text, float, int, int, float)"
_CLAIM = import_module("media_jobs.migrations.0011_held_tenants").CLAIM
_CLAIM_JOB = import_module("media_jobs.migrations.0010_claimed_job").CLAIM_JOB
_SETTINGS = import_module("media_jobs.migrations.0012_claim_by_index").SETTINGS


class Migration(migrations.Migration):
    dependencies = [("media_jobs", "0021_maintenance_chore")]

    operations = [
        migrations.RunSQL(f"DROP FUNCTION ffapi_claim{_SIGNATURE}", _CLAIM),
        migrations.RunSQL(
            f"DROP FUNCTION ffapi_claim_job{_SIGNATURE}",
            [
                _CLAIM_JOB,
                *(
                    f"ALTER FUNCTION ffapi_claim_job{_SIGNATURE} SET {name} = {value}"
                    for name, value in _SETTINGS.items()
                ),
            ],
        ),
    ]
