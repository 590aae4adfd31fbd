"""Clients and staff look for a transaction by the name that the client gave it."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("ledger", "0008_verifications")]

    operations = [
        AddIndexConcurrently(
            "transaction",
            models.Index(
                models.F("external_reference"), name="ledger_transaction_external", condition=~Q(external_reference="")
            ),
        ),
    ]
