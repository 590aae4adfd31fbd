"""Staff look for what a provider calls by its own name."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("wallets", "0013_proposals")]

    operations = [
        AddIndexConcurrently(
            "payoutattempt",
            models.Index(models.F("provider_id"), name="wallets_attempt_provider_id", condition=~Q(provider_id="")),
        ),
        AddIndexConcurrently(
            "topup", models.Index(models.F("payment_id"), name="wallets_top_up_payment", condition=~Q(payment_id=""))
        ),
    ]
