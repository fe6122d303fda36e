from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("media_jobs", "0004_devices")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="quarantined_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("quarantined_at__isnull", False)),
                fields=["quarantined_at"],
                name="job_quarantined",
            ),
        ),
        migrations.AddField(
            model_name="slot", name="memory_mb", field=models.PositiveIntegerField(default=0)
        ),
        migrations.AddField(
            model_name="slot", name="scratch_mb", field=models.PositiveIntegerField(default=0)
        ),
    ]
