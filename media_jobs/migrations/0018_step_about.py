from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """What a kept answer is about; those of before are about nothing that is known."""

    dependencies = [("media_jobs", "0017_slots_for_others")]

    operations = [
        migrations.AddField(
            model_name="jobstep",
            name="about",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
    ]
