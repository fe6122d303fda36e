"""What was begun before a suspension is counted, and stored, as if there were none."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations

BEFORE = import_module("accounts.migrations.0010_quota_change").CHANGE
_COLUMNS = "used_by bigint[], reserved_by bigint[], is_checked boolean"
_IF_SUSPENDED = "IF is_checked AND is_suspended THEN"

CHANGE = BEFORE.replace(_COLUMNS, _COLUMNS + ", is_begun boolean").replace(
    _IF_SUSPENDED, "IF is_checked AND is_suspended AND NOT is_begun THEN"
)

# The code before this, which may run beside it, calls it without the last argument.
AS_BEFORE = """
CREATE OR REPLACE FUNCTION ffapi_quota_change(
    the_tenant text, the_key text, at timestamptz, names text[], windows text[], scales bigint[],
    used_by bigint[], reserved_by bigint[], is_checked boolean
) RETURNS TABLE (
    subject text, name text, kind text, maximum bigint, used bigint, reserved bigint,
    window_start timestamptz
) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT * FROM ffapi_quota_change(
        the_tenant, the_key, at, names, windows, scales, used_by, reserved_by, is_checked, false);
END $$;
"""
_DROP = """
DROP FUNCTION ffapi_quota_change(
    text, text, timestamptz, text[], text[], bigint[], bigint[], bigint[], boolean, boolean)
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0015_mail_tries")]

    operations = [
        migrations.RunSQL(CHANGE, _DROP),
        migrations.RunSQL(AS_BEFORE, BEFORE.replace("CREATE", "CREATE OR REPLACE", 1)),
    ]
