from __future__ import annotations

from django.db import migrations

from ffapi_site.lib import row_level_security


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_rate_bucket")]
    operations = [
        row_level_security.by_tenant("accounts_tenant", "id"),
        row_level_security.by_tenant("accounts_membership"),
        row_level_security.by_tenant("accounts_apikey"),
        row_level_security.by_tenant("accounts_idempotentrequest"),
    ]
