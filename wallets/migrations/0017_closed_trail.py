"""The audit trail is closed where the books are: one boundary for both, though neither knows of the other. And which
heads of the seals were mailed.
"""

from django.db import migrations, models

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
        ("wallets", "0016_exports"),
        ("users", "0005_closed_trail"),
        ("ledger", "0006_closed_days"),
    ]

    operations = [
        migrations.RunSQL(ONE, NONE),
        migrations.CreateModel(
            name="MailedHead",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("mailed_at", models.DateTimeField()),
            ],
        ),
    ]
