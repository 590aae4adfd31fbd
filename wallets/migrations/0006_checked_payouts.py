"""What takes as long as there are rows, and locks out nobody meanwhile: checks of what is there, and indexes."""

from django.contrib.postgres.operations import AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("wallets", "0005_payouts")]

    operations = [
        AddIndexConcurrently(
            model_name="withdrawal",
            index=models.Index(
                models.F("status"),
                models.F("id"),
                condition=models.Q(
                    ("status__in", ("awaiting_approval", "in_review", "failed", "cancelled", "returned"))
                ),
                name="wallets_withdrawal_others",
            ),
        ),
        AddIndexConcurrently(
            model_name="withdrawal",
            index=models.Index(
                models.F("provider"),
                models.F("currency"),
                condition=models.Q(("status__in", ("processing", "in_review"))),
                name="wallets_withdrawal_in_flight",
            ),
        ),
        AddIndexConcurrently(
            model_name="withdrawal",
            index=models.Index(models.F("wallet"), models.F("created_at"), name="wallets_withdrawal_of_wallet"),
        ),
        ValidateConstraint("withdrawal", "wallets_withdrawal_state"),
        ValidateConstraint("withdrawal", "wallets_withdrawal_next"),
        ValidateConstraint("withdrawal", "wallets_withdrawal_paid"),
        ValidateConstraint("withdrawal", "wallets_withdrawal_returned"),
        ValidateConstraint("withdrawal", "wallets_withdrawal_fee"),
        ValidateConstraint("withdrawal", "wallets_withdrawal_four_eyes"),
        ValidateConstraint("withdrawal", "wallets_withdrawal_approved"),
    ]
