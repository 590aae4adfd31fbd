"""How far events were copied to another store. A new table: nothing waits for a lock."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("wallets", "0024_kafka_offsets")]

    operations = [
        migrations.CreateModel(
            name="UsageFeed",
            fields=[
                ("store", models.CharField(max_length=32, primary_key=True, serialize=False)),
                (
                    "transaction",
                    models.BigIntegerField(default=0, help_text="That of the last event that was copied."),
                ),
                (
                    "key",
                    models.UUIDField(
                        help_text="Of that event: those of one transaction are copied in the order of their keys."
                    ),
                ),
                ("events", models.BigIntegerField(default=0, help_text="How many were copied.")),
                ("moved_at", models.DateTimeField()),
            ],
        ),
    ]
