from __future__ import annotations

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="idempotentrequest",
            name="claimed_at",
            field=models.DateTimeField(db_default=Now()),
        ),
        migrations.AddField(
            model_name="idempotentrequest",
            name="made",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AlterField(
            model_name="idempotentrequest",
            name="created_at",
            field=models.DateTimeField(db_default=Now()),
        ),
    ]
