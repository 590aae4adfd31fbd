"""The feed's index keeps up with new rows by itself. Until the next vacuum it had nothing to tell of them, so that
whoever follows the events read up to a fifth of the newest day again with every look.

It is made anew within the lock of a moment for each million events; events wait meanwhile.
"""

from django.db import migrations

MAKE = """
DROP INDEX wallets_usage_event_feed;
CREATE INDEX wallets_usage_event_feed ON wallets_usageevent USING brin (written_by) WITH (pages_per_range = 16{more})
"""


class Migration(migrations.Migration):
    dependencies = [("wallets", "0025_usage_feed")]

    operations = [migrations.RunSQL(MAKE.format(more=", autosummarize = on"), MAKE.format(more=""))]
