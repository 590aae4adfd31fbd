"""The feed's index keeps up with new rows by itself. Until the next vacuum it had nothing to tell of them, so that
whoever follows the events read up to a fifth of the newest day again with every look.

Its ranges are larger, so that a minute of the quickest intake has no more of them than the 256 which autovacuum notes
down. Events, and whoever reads them, wait while it is made anew: a second for some millions.
"""

from django.db import migrations

MAKE = """
DROP INDEX wallets_usage_event_feed;
CREATE INDEX wallets_usage_event_feed ON wallets_usageevent USING brin (written_by) WITH ({how})
"""


class Migration(migrations.Migration):
    dependencies = [("wallets", "0025_usage_feed")]

    operations = [
        migrations.RunSQL(
            MAKE.format(how="pages_per_range = 128, autosummarize = on"), MAKE.format(how="pages_per_range = 16")
        ),
    ]
