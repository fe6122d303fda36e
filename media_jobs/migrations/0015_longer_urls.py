from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """A longer varchar: PostgreSQL changes its catalogue alone, no row."""

    dependencies = [("media_jobs", "0014_webhook_turns")]

    operations = [
        migrations.AlterField(
            model_name="job",
            name="webhook_url",
            field=models.CharField(blank=True, max_length=4096),
        ),
        migrations.AlterField(
            model_name="jobinput",
            name="url",
            field=models.CharField(blank=True, max_length=4096),
        ),
        migrations.AlterField(
            model_name="webhookdelivery",
            name="url",
            field=models.CharField(max_length=4096),
        ),
    ]
