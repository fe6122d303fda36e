from __future__ import annotations

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("media_jobs", "0003_claim")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="device_asked",
            field=models.CharField(
                choices=[("auto", "Auto"), ("cpu", "Cpu"), ("gpu", "Gpu")],
                db_default="auto",
                default="auto",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="slot",
            name="devices",
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.CreateModel(
            name="DeviceHealth",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("host", models.CharField(max_length=64)),
                ("device", models.CharField(max_length=16)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("open_until", models.DateTimeField(blank=True, null=True)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("fallbacks", models.PositiveBigIntegerField(default=0)),
                (
                    "changed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={"ordering": ["host", "device"], "verbose_name_plural": "device health"},
        ),
        migrations.AddConstraint(
            model_name="devicehealth",
            constraint=models.UniqueConstraint(fields=("host", "device"), name="device_of_host"),
        ),
    ]
