"""When a tenant last had its turn is looked up for those that wait, not for all."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("media_jobs", "0019_row_bytes")]

    operations = [
        migrations.AddIndex(
            model_name="webhookendpoint",
            index=models.Index(fields=["tenant", "turn_at"], name="webhook_endpoint_turn"),
        ),
    ]
