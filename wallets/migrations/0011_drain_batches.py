"""What workers are at, and how many of them died of it. A column with a constant default touches no row."""

import django.contrib.postgres.fields
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("wallets", "0010_circuits_of_accounts")]

    operations = [
        migrations.AddField(
            model_name="transfer",
            name="deaths",
            field=models.SmallIntegerField(db_default=0, help_text="How many workers died that were at it."),
        ),
        migrations.CreateModel(
            name="DrainBatch",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "transfers",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=None),
                ),
                ("begun_at", models.DateTimeField()),
                (
                    "backend",
                    models.IntegerField(help_text="The process of the database that serves it, and since when."),
                ),
                ("backend_since", models.DateTimeField()),
            ],
        ),
    ]
