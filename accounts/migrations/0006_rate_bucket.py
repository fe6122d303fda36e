from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_queue_limit")]

    operations = [
        migrations.DeleteModel("RateWindow"),
        migrations.CreateModel(
            name="RateBucket",
            fields=[
                ("subject", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("tokens", models.FloatField()),
                ("counted_at", models.DateTimeField()),
                ("is_granted", models.BooleanField()),
            ],
        ),
        migrations.RunSQL(
            "ALTER TABLE accounts_ratebucket SET UNLOGGED",
            "ALTER TABLE accounts_ratebucket SET LOGGED",
        ),
    ]
