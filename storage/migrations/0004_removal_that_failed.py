"""A file that can't be removed is remembered, so that it holds up no other."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("storage", "0003_file_of_key")]

    operations = [
        migrations.AddField(
            model_name="file",
            name="removal_failed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="file",
            index=models.Index(
                condition=models.Q(("removal_failed_at__isnull", False)),
                fields=["removal_failed_at"],
                name="file_not_removed",
            ),
        ),
    ]
