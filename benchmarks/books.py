"""Books of the benchmark's own: databases made by the owner with the real migrations, filled through the real door."""

import random
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

import psycopg
from django.core.management import call_command
from django.db import connections, transaction
from psycopg import sql
from uuid_utils.compat import uuid7

from ledger.accounts import BUSY, Line, NewAccount, find_one, open_accounts
from ledger.posting import post
from ledger.requests import Leg, Posting

CHUNK = 5_000
FUNDS = 10**9


def now() -> datetime:
    return datetime.now(UTC)


def use(name: str) -> None:
    """Point this thread's connections to another database of the same server."""
    for alias in ("default", "owner"):
        connection = connections[alias]
        connection.close()
        connection.settings_dict = {**connection.settings_dict, "NAME": name}


def address(alias: str) -> dict[str, str]:
    """Where the server is and who an alias is there, in libpq's words."""
    parameters = connections[alias].get_connection_params()
    return {key: str(parameters[key]) for key in ("user", "password", "host", "port") if parameters.get(key)}


def owner(name: str = "postgres") -> psycopg.Connection:
    """A plain connection as the owner, to a database or to the one that is always there."""
    return psycopg.connect(**address("owner"), dbname=name, autocommit=True)


def application(name: str) -> psycopg.Connection:
    """A plain connection in the application's role, as quick as psycopg is: every statement prepared at once."""
    return psycopg.connect(**address("default"), dbname=name, autocommit=True, prepare_threshold=0)


def databases() -> list[str]:
    """The names of all databases of the server."""
    with owner() as server:
        return [name for (name,) in server.execute("SELECT datname FROM pg_database")]


def drop(name: str) -> None:
    """Throw a database away. Autovacuum at work in it can't be ended by us, and is waited for."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with owner() as server:
        for _ in range(60):
            try:
                server.execute(statement)
                return
            except psycopg.errors.InsufficientPrivilege:
                time.sleep(1)
        server.execute(statement)


def create(name: str) -> None:
    """Make a database with empty books, in place of an older one, and use it."""
    drop(name)
    with owner() as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    use(name)
    call_command("migrate", database="owner", verbosity=0)
    connections["owner"].close()


def copy(name: str, to: str) -> None:
    """Make a database as another one is, which nobody may be connected to."""
    drop(to)
    for connection in connections.all():
        connection.close()
    with owner() as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(to), sql.Identifier(name)))


def open_wallets(count: int, code: str = "wallets:{number}") -> list[UUID]:
    """Open as many accounts of one lane that may not fall below 0."""
    accounts = [NewAccount(code.format(number=number), "liability", "NGN", floor=0) for number in range(count)]
    for chunk in chunks(accounts):
        with transaction.atomic():
            open_accounts(chunk, now=now())
    return [account.id for account in accounts]


def open_till(code: str = "assets:till", lanes: int = BUSY) -> Line:
    """Open an internal account that has no floor."""
    with transaction.atomic():
        open_accounts([NewAccount(code, "asset", "NGN", lanes=lanes)], now=now())
    return find_one(code)


def fund(wallets: Sequence[UUID], till: Line, amount: int = FUNDS) -> None:
    """Give every wallet something to spend."""
    for chunk in chunks(wallets):
        with transaction.atomic():
            post([transfer(till.debit(amount), Leg(wallet, -amount)) for wallet in chunk], now=now())


FILLED = """
SELECT quote_ident(relname) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
"""


def settle(name: str) -> None:
    """Let the server do its housekeeping now, and not while something is measured.

    Empty tables are left as they were made: of one that was looked at, it believes that it stays empty, and plans to
    read it whole until it looks again.
    """
    with owner(name) as server:
        for (table,) in server.execute(FILLED).fetchall():
            server.execute(f"VACUUM ANALYZE {table}")


def transfer(debit: Leg, credit: Leg) -> Posting:
    id = uuid7()
    return Posting("transfer", f"t:{id.hex}", (debit, credit), id=id)


def between(wallets: Sequence[UUID], most: int = 100) -> Posting:
    """A transfer of a small amount between two wallets, any two."""
    source, destination = random.sample(wallets, 2)
    amount = random.randint(1, most)
    return transfer(Leg(source, amount), Leg(destination, -amount))


def some(wallets: Sequence[UUID]) -> Line:
    """Any of the wallets, as a line of the chart."""
    return Line(random.choice(wallets), "", "liability", "NGN", 1)


def chunks(items: Sequence) -> Iterable[Sequence]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
