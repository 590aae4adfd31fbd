"""Webhooks whose bodies are let go after a time. Nothing waits but for the moment in which the column may be null."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

REFUSE = """
CREATE TRIGGER wallets_webhookevent_body BEFORE UPDATE OF body ON wallets_webhookevent
    FOR EACH ROW WHEN (NEW.body IS NOT NULL) EXECUTE FUNCTION wallets_refuse_change();
"""

ALLOW = """
DROP TRIGGER wallets_webhookevent_body ON wallets_webhookevent;
"""


class Migration(migrations.Migration):
    # The index is built while others write.
    atomic = False

    dependencies = [("wallets", "0011_drain_batches")]

    operations = [
        migrations.AlterField(
            model_name="webhookevent",
            name="body",
            field=models.BinaryField(help_text="Let go of some months after it was handled.", null=True),
        ),
        migrations.RunSQL(REFUSE, ALLOW),
        AddIndexConcurrently(
            model_name="webhookevent",
            index=models.Index(
                "handled_at",
                condition=models.Q(("body__isnull", False), ("handled_at__isnull", False)),
                name="wallets_webhook_body",
            ),
        ),
    ]
