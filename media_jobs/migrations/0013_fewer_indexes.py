"""Each index costs every transition of a job: those that another one begins with are dropped."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("media_jobs", "0012_claim_by_index")]

    operations = [
        migrations.AlterField(
            model_name="job",
            name="api_key",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to="accounts.apikey",
            ),
        ),
        migrations.AlterField(
            model_name="jobattempt",
            name="job",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="attempts",
                to="media_jobs.job",
            ),
        ),
        migrations.AlterField(
            model_name="jobevent",
            name="job",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="events",
                to="media_jobs.job",
            ),
        ),
        migrations.AlterField(
            model_name="jobinput",
            name="job",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="inputs",
                to="media_jobs.job",
            ),
        ),
        migrations.AlterField(
            model_name="joboutput",
            name="job",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="outputs",
                to="media_jobs.job",
            ),
        ),
        migrations.AlterField(
            model_name="jobstep",
            name="job",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="steps",
                to="media_jobs.job",
            ),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["api_key"], name="job_of_key"),
        ),
        migrations.AddIndex(
            model_name="jobevent",
            index=models.Index(fields=["job", "id"], name="event_of_job"),
        ),
    ]
