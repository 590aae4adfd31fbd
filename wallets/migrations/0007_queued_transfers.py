"""Transfers that wait for a worker. What is made at once has nothing in the new columns, and isn't in the indexes."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # The indexes are built while others write.
    atomic = False

    dependencies = [("wallets", "0006_checked_payouts")]

    operations = [
        migrations.AlterModelOptions(
            name="transfer",
            options={
                "permissions": [("rescue_transfer", "Can say what becomes of a transfer that was set aside")],
            },
        ),
        migrations.AlterField(
            model_name="transfer",
            name="status",
            field=models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("completed", "Completed"),
                    ("failed", "Failed"),
                    ("set_aside", "Set Aside"),
                ],
                default="completed",
                max_length=9,
            ),
        ),
        migrations.AddField(
            model_name="transfer",
            name="next_at",
            field=models.DateTimeField(help_text="When a worker shall look at it; null once it has ended.", null=True),
        ),
        migrations.AddField(
            model_name="transfer",
            name="tries",
            field=models.SmallIntegerField(db_default=0, help_text="How often it had to be put off."),
        ),
        migrations.AddField(
            model_name="transfer",
            name="trouble",
            field=models.CharField(blank=True, db_default="", help_text="What kept a worker from it.", max_length=500),
        ),
        migrations.AddField(
            model_name="transfer",
            name="failure",
            field=models.JSONField(help_text="Why it failed, as its client is told.", null=True),
        ),
        AddIndexConcurrently(
            model_name="transfer",
            index=models.Index(
                "next_at", "id", condition=models.Q(("next_at__isnull", False)), name="wallets_transfer_due"
            ),
        ),
        AddIndexConcurrently(
            model_name="transfer",
            index=models.Index("id", condition=models.Q(("status", "set_aside")), name="wallets_transfer_set_aside"),
        ),
    ]
