"""A slot says what of it stands still, and which chores of its guard fail."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("media_jobs", "0015_longer_urls")]

    operations = [
        migrations.AddField(
            model_name="slot",
            name="hung",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddField(
            model_name="slot",
            name="troubles",
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
    ]
