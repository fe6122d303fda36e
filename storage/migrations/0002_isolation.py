from __future__ import annotations

from django.db import migrations

from ffapi_site.lib import isolation


class Migration(migrations.Migration):
    dependencies = [("storage", "0001_initial")]
    operations = [isolation.by_tenant("storage_file")]
