"""What the back office needs to reconcile: a permission, a posting that two people ask for and approve, and the order
in which its lists are read.
"""

from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q

KINDS = {
    "journal": "manual journal",
    "reversal": "reversal",
    "account": "new account of the chart",
    "freeze": "freeze of a wallet, or its end",
    "credit_limit": "credit limit of a wallet",
    "rule": "change of fees, limits and approval rules",
    "receipt": "unmatched receipt",
    "review": "withdrawal that a person must judge",
    "bank_account": "block of a bank account, or its end",
    "break_posting": "posting that resolves a break",
    "roles": "roles of staff",
}


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("wallets", "0017_closed_trail"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="break",
            options={
                "permissions": [
                    ("reconcile", "Can import statements, match them, and look after breaks"),
                    ("set_reconciliation", "Can change matching rules and column mappings"),
                ]
            },
        ),
        migrations.AlterModelOptions(
            name="proposal",
            options={
                "permissions": [
                    *((f"ask_{kind}", f"Can ask: {what}") for kind, what in KINDS.items()),
                    *((f"decide_{kind}", f"Can decide: {what}") for kind, what in KINDS.items()),
                ]
            },
        ),
        migrations.AlterModelOptions(
            name="matchrule", options={"ordering": ["position", "name"], "verbose_name": "matching rule"}
        ),
        migrations.AlterField(
            model_name="proposal",
            name="kind",
            field=models.CharField(choices=[(kind, what.capitalize()) for kind, what in KINDS.items()], max_length=20),
        ),
        AddIndexConcurrently("break", models.Index(F("first_on"), F("id"), name="wallets_break_oldest")),
        AddIndexConcurrently(
            "break",
            models.Index(F("first_on"), F("id"), condition=Q(("state", "open")), name="wallets_break_oldest_open"),
        ),
        AddIndexConcurrently("match", models.Index(F("account"), F("id"), name="wallets_match_of_account")),
        AddIndexConcurrently(
            "match", models.Index(F("id"), condition=Q(("undone_at__isnull", False)), name="wallets_match_undone")
        ),
    ]
