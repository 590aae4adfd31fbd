"""References are looked up whole, never by how they begin: the second index that Django makes for a unique text is
paid for with every transaction and hold, and read by nobody.
"""

from django.db import migrations

DROP = "DROP INDEX ledger_transaction_reference_30876d8b_like, ledger_hold_reference_9828a36e_like"
MAKE = """
CREATE INDEX ledger_transaction_reference_30876d8b_like ON ledger_transaction (reference varchar_pattern_ops);
CREATE INDEX ledger_hold_reference_9828a36e_like ON ledger_hold (reference varchar_pattern_ops);
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_version_at")]

    operations = [migrations.RunSQL(DROP, MAKE)]
