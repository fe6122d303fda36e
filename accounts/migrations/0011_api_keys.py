from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import ffapi_site.lib.crypto

_SET_NULL = django.db.models.deletion.SET_NULL


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_quota_change")]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="allowed_ips",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=43),
                blank=True,
                db_default=[],
                default=list,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="follows_creator",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="apikey",
            name="known_addresses",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=45),
                blank=True,
                db_default=[],
                default=list,
                editable=False,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="last_used_address",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=45
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="made_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=_SET_NULL,
                related_name="made",
                to="accounts.apikey",
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="rate_limit_per_minute",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="apikey",
            name="replaces",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=_SET_NULL,
                related_name="successor",
                to="accounts.apikey",
            ),
        ),
        migrations.AddField(
            model_name="idempotentrequest",
            name="answer",
            field=ffapi_site.lib.crypto.EncryptedTextField(db_default="", default=""),
        ),
    ]
