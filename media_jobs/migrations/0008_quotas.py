from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_quota_change"),
        ("media_jobs", "0007_isolation"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="reserved_cpu_ms",
            field=models.PositiveBigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="webhookdelivery",
            name="data",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AlterField(
            model_name="webhookdelivery",
            name="job",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="webhook_deliveries",
                to="media_jobs.job",
            ),
        ),
    ]
