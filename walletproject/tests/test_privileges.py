"""The application's own role, as migrations leave it."""

import pytest
from django.db import DatabaseError, connection, transaction

pytestmark = pytest.mark.django_db


def may(privilege, table):
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, %s)", [table, privilege])
        return cursor.fetchone()[0]


def test_it_reads_every_table():
    assert [table for table in connection.introspection.table_names() if not may("SELECT", table)] == []


@pytest.mark.parametrize(
    ("table", "privilege"),
    [
        ("django_migrations", "INSERT"),
        ("django_migrations", "DELETE"),
        ("users_auditevent", "UPDATE"),
        ("users_auditevent", "DELETE"),
        ("users_auditevent", "TRUNCATE"),
        ("ledger_entry", "UPDATE"),
        ("ledger_entry", "TRUNCATE"),
    ],
)
def test_it_may_not_rewrite_what_has_happened(table, privilege):
    assert not may(privilege, table)


def test_it_may_not_switch_a_trigger_off():
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_entry DISABLE TRIGGER USER")


def test_it_writes_where_it_must():
    assert may("INSERT", "users_user") and may("UPDATE", "users_user") and may("INSERT", "django_session")
