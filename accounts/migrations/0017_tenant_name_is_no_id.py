from __future__ import annotations

from django.db import migrations, models

import ffapi_site.lib.ids


class Migration(migrations.Migration):
    dependencies = [("accounts", "0016_begun_work")]

    operations = [
        migrations.AlterField(
            model_name="tenant",
            name="name",
            field=models.SlugField(
                max_length=64, unique=True, validators=[ffapi_site.lib.ids.refuse_public_id]
            ),
        ),
    ]
