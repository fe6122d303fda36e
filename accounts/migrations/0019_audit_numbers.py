from __future__ import annotations

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    """Not looked for among old records: each is checked by its chain, and a scan would lock."""

    dependencies = [("accounts", "0018_longer_alert_url")]

    operations = [
        AddConstraintNotValid(
            model_name="auditrecord",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("hash", None),
                    ("personal_digest", None),
                    ("place", None),
                    ("prev_hash", None),
                    ("seq", None),
                )
                | models.Q(
                    ("hash__isnull", False),
                    ("personal_digest__isnull", False),
                    ("place__isnull", False),
                    ("prev_hash__isnull", False),
                    ("seq__isnull", False),
                ),
                name="audit_sealed_as_a_whole",
            ),
        ),
        AddConstraintNotValid(
            model_name="auditrecord",
            constraint=models.CheckConstraint(
                condition=models.Q(("place__range", (1, 2**62)), ("seq__range", (1, 2**62))),
                name="audit_numbers_within_bounds",
            ),
        ),
    ]
