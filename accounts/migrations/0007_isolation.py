from __future__ import annotations

from django.db import migrations

from ffapi_site.lib import isolation


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_rate_bucket")]
    operations = [
        isolation.by_tenant("accounts_tenant", "id"),
        isolation.by_tenant("accounts_membership"),
        isolation.by_tenant("accounts_apikey"),
        isolation.by_tenant("accounts_idempotentrequest"),
    ]
