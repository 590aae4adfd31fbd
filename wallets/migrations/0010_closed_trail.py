"""The audit trail is closed where the books are: one boundary for both, though neither knows of the other."""

from django.db import migrations

ONE = """
CREATE OR REPLACE FUNCTION users_trail_opens() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT opens::timestamp AT TIME ZONE 'UTC' FROM public.ledger_boundary
$$;
"""
NONE = """
CREATE OR REPLACE FUNCTION users_trail_opens() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT '-infinity'::timestamptz
$$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("wallets", "0007_queued_transfers"),
        ("users", "0010_closed_trail"),
        ("ledger", "0010_closed_days"),
    ]

    operations = [migrations.RunSQL(ONE, NONE)]
