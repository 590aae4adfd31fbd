"""How far topics of Kafka were read. A new table: nothing waits for a lock."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("wallets", "0023_usage_proposals")]

    operations = [
        migrations.CreateModel(
            name="KafkaOffset",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "consumers", "topic", "partition", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("consumers", models.CharField(help_text="The name of the group.", max_length=200)),
                ("topic", models.CharField(max_length=249)),
                ("partition", models.IntegerField()),
                ("next_offset", models.BigIntegerField(help_text="The first that isn't taken.")),
                ("end_offset", models.BigIntegerField(help_text="Where the partition ended when it was last seen.")),
                ("term", models.BigIntegerField(help_text="Only the consumer of the newest term may move it.")),
                ("holder", models.CharField(help_text="Host and process of that consumer.", max_length=200)),
                ("claimed_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(help_text="When the holder last said where the partition ends.")),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("next_offset__gte", 0), ("term__gt", 0)), name="wallets_kafka_offset_term"
                    )
                ],
            },
        ),
    ]
