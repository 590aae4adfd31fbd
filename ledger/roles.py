"""What the application's own role may do to the tables: never more than it needs, and never what an owner may."""

from django.apps import AppConfig
from django.conf import settings
from django.db import connections

EVERYTHING = "SELECT, INSERT, UPDATE, DELETE"


def grant(sender: AppConfig, using: str, **_: object) -> None:
    """Give the application's role its privileges on one app's tables, after that app's migrations.

    An app says what its role may do in `privileges`, a dictionary from table to SQL privileges; a table that is not
    named there is open for reading and writing. Functions that only some may call stand in `functions`. Does nothing
    where the application is its own owner.
    """
    role, connection = settings.DATABASE_APP_ROLE, connections[using]
    if not role or connection.settings_dict["USER"] == role:
        return
    limits: dict[str, str] = getattr(sender, "privileges", {})
    present = set(connection.introspection.table_names())
    tables = [model._meta.db_table for model in sender.get_models(include_auto_created=True)]
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for table in sorted(present.intersection(tables)):
            cursor.execute(f"REVOKE ALL ON {quote(table)} FROM {quote(role)}")
            cursor.execute(f"GRANT {limits.get(table, EVERYTHING)} ON {quote(table)} TO {quote(role)}")
        for function in getattr(sender, "functions", ()):
            cursor.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {quote(role)}")
        cursor.execute(f"GRANT SELECT ON django_migrations TO {quote(role)}")
        cursor.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {quote(role)}")
