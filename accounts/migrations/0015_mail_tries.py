from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0013_audit_chain")]

    operations = [
        migrations.AddField(
            model_name="quotaalert",
            name="mail_tries",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="quotaalert",
            name="next_mail_at",
            field=models.DateTimeField(null=True),
        ),
    ]
