"""What a job takes in the database counts as storage of its tenant."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("media_jobs", "0018_step_about")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="row_bytes",
            field=models.PositiveBigIntegerField(db_default=0, default=0),
        ),
    ]
