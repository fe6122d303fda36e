from __future__ import annotations

from django.db import migrations

from ffapi_site.lib import row_level_security

_OF_A_JOB = ("jobinput", "joboutput", "jobevent", "jobattempt", "jobstep")


class Migration(migrations.Migration):
    dependencies = [("media_jobs", "0006_submitted_event")]
    operations = [
        row_level_security.by_tenant("media_jobs_job"),
        row_level_security.by_tenant("media_jobs_fairshare"),
        row_level_security.by_tenant("media_jobs_webhookdelivery"),
        *(
            row_level_security.by_parent(f"media_jobs_{each}", "job_id", "media_jobs_job")
            for each in _OF_A_JOB
        ),
    ]
