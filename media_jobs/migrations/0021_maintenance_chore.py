"""What came of each chore of the installation the last time."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("media_jobs", "0020_webhook_endpoint_turn")]

    operations = [
        migrations.CreateModel(
            name="MaintenanceChore",
            fields=[
                ("name", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("every_s", models.FloatField()),
                ("host", models.CharField(max_length=64)),
                ("began_at", models.DateTimeField()),
                ("took_s", models.FloatField()),
                ("succeeded_at", models.DateTimeField(null=True)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("trouble", models.CharField(blank=True, default="", max_length=100)),
            ],
            options={"ordering": ["name"]},
        ),
    ]
