from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import ffapi_site.lib.ids
from ffapi_site.lib import row_level_security

_NOW = django.db.models.functions.datetime.Now()
_CASCADE = django.db.models.deletion.CASCADE


def _id() -> models.BigAutoField[int, int]:
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_audit")]

    operations = [
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("name", models.SlugField(max_length=64, primary_key=True, serialize=False)),
                ("limits", models.JSONField(blank=True, default=dict)),
                (
                    "suspend_after_violations",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="How many refusals a day (UTC) suspend a tenant; empty: never",
                        null=True,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={"ordering": ["name"]},
        ),
        migrations.AddField(
            model_name="tenant",
            name="plan",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="tenants",
                to="accounts.plan",
            ),
        ),
        migrations.AddField(
            model_name="tenant",
            name="quota",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="tenant",
            name="limits",
            field=models.JSONField(db_default={}, default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="tenant",
            name="quota_suspended_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="tenant",
            name="quota_suspended_for",
            field=models.CharField(blank=True, db_default="", editable=False, max_length=200),
        ),
        migrations.AddField(
            model_name="tenant",
            name="alert_webhook_url",
            field=models.CharField(blank=True, db_default="", max_length=2000),
        ),
        migrations.AddField(
            model_name="apikey",
            name="quota",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
        migrations.CreateModel(
            name="QuotaCounter",
            fields=[
                ("id", _id()),
                ("subject", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=32)),
                ("window_start", models.DateTimeField()),
                ("used", models.BigIntegerField(default=0)),
                ("reserved", models.BigIntegerField(default=0)),
                ("warned", models.PositiveSmallIntegerField(default=0)),
                (
                    "tenant",
                    models.ForeignKey(on_delete=_CASCADE, related_name="+", to="accounts.tenant"),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["window_start"], name="quota_counter_age")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("subject", "name", "window_start"), name="quota_counter_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StorageHold",
            fields=[
                ("id", ffapi_site.lib.ids.PublicIdField(prefix="hold", serialize=False)),
                ("size_bytes", models.BigIntegerField()),
                ("created_at", models.DateTimeField(db_default=_NOW)),
                (
                    "api_key",
                    models.ForeignKey(
                        null=True, on_delete=_CASCADE, related_name="+", to="accounts.apikey"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(on_delete=_CASCADE, related_name="+", to="accounts.tenant"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="QuotaAlert",
            fields=[
                ("id", ffapi_site.lib.ids.PublicIdField(prefix="alert", serialize=False)),
                ("subject", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=32)),
                ("percent", models.PositiveSmallIntegerField()),
                ("maximum", models.BigIntegerField()),
                ("taken", models.BigIntegerField()),
                ("resets_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(db_default=_NOW)),
                ("mailed_at", models.DateTimeField(null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=_CASCADE,
                        related_name="quota_alerts",
                        to="accounts.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("mailed_at", None)),
                        fields=["id"],
                        name="quota_alert_to_mail",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageEntry",
            fields=[
                ("id", _id()),
                ("work_id", models.CharField(max_length=40, unique=True)),
                ("operation", models.CharField(max_length=64)),
                ("outcome", models.CharField(max_length=10)),
                ("did_run", models.BooleanField()),
                ("submitted_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(db_default=_NOW)),
                ("cpu_ms", models.BigIntegerField(default=0)),
                ("wall_ms", models.BigIntegerField(default=0)),
                ("input_bytes", models.BigIntegerField(default=0)),
                ("output_bytes", models.BigIntegerField(default=0)),
                (
                    "api_key",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.apikey",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=_CASCADE, related_name="usage", to="accounts.tenant"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "usage entries",
                "indexes": [
                    models.Index(fields=["tenant", "ended_at"], name="usage_by_end"),
                    models.Index(fields=["tenant", "submitted_at"], name="usage_by_submission"),
                ],
            },
        ),
        row_level_security.by_tenant("accounts_quotacounter"),
        row_level_security.by_tenant("accounts_storagehold"),
        row_level_security.by_tenant("accounts_quotaalert"),
        row_level_security.by_tenant("accounts_usageentry"),
    ]
