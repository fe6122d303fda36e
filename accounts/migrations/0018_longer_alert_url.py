from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """A longer varchar: PostgreSQL changes its catalogue alone, no row."""

    dependencies = [("accounts", "0017_tenant_name_is_no_id")]

    operations = [
        migrations.AlterField(
            model_name="tenant",
            name="alert_webhook_url",
            field=models.CharField(blank=True, db_default="", max_length=4096),
        ),
    ]
