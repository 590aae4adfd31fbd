"""The record of verifications: that the books were found broken once can't be undone by finding them clean again."""

import uuid_utils.compat
from django.db import migrations, models

APPEND_ONLY = """
CREATE TRIGGER ledger_verification_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_verification
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0007_sealed_days")]

    operations = [
        migrations.CreateModel(
            name="Verification",
            fields=[
                ("id", models.UUIDField(default=uuid_utils.compat.uuid7, primary_key=True, serialize=False)),
                ("started_at", models.DateTimeField()),
                ("took", models.DurationField()),
                ("rows", models.JSONField(help_text="How many rows of each table were proven.")),
                ("broken", models.IntegerField(help_text="How many offenders were found.")),
                ("report", models.JSONField(help_text="The first of them, in words.")),
                (
                    "head",
                    models.CharField(blank=True, help_text="The newest seal that was checked.", max_length=80),
                ),
            ],
            options={
                "indexes": [models.Index(models.F("started_at"), name="ledger_verification_newest")],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, "DROP TRIGGER ledger_verification_append_only ON ledger_verification"),
    ]
