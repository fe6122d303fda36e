from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("media_jobs", "0008_quotas")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="DeadLetter",
            fields=[],
            options={
                "ordering": ["-quarantined_at"],
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("media_jobs.job",),
        ),
    ]
