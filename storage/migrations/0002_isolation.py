from __future__ import annotations

from django.db import migrations

from ffapi_site.lib import row_level_security


class Migration(migrations.Migration):
    dependencies = [("storage", "0001_initial")]
    operations = [row_level_security.by_tenant("storage_file")]
