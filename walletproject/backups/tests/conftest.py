"""A server of the tests' own, which can be saved: the suite's writes too little WAL for that."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg.conninfo import conninfo_to_dict

from ledger.durable import durable
from ledger.tests.conftest import Books, open_books
from walletproject.backups import server as copy
from walletproject.backups import taking
from walletproject.backups.source import Source
from walletproject.local import postgres
from walletproject.local.folder import DataFolder
from walletproject.local.postgres import APPLICATION, BACKUP, OWNER, SUPERUSER, Postgres


def own_server(folder: Path) -> Postgres:
    """A server that runs, and writes enough WAL to be saved."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres, "VOLATILE", {"fsync": "off"})
        server = Postgres(DataFolder(folder), durable=False)
        server.start()
    return server


def copy_tables(server: Postgres) -> None:
    """The suite's tables, with their laws and privileges, as migrations left them."""
    suite = connections["owner"].get_connection_params()
    words = [f"--host={suite['host']}", f"--username={suite['user']}", suite["dbname"]]
    port = {"PGPORT": str(suite["port"])} if "port" in suite else {}
    dumped = subprocess.run(
        [server.bin / "pg_dump", *words], env=os.environ | port | {"PGPASSWORD": suite["password"]},
        capture_output=True, check=True,
    )  # fmt: skip
    command = [server.bin / "psql", "--quiet", "--set=ON_ERROR_STOP=1", server.url(SUPERUSER)]
    subprocess.run(command, input=dumped.stdout, capture_output=True, check=True)


@pytest.fixture(scope="module", autouse=True)
def forgetful_disk() -> Iterator[None]:
    """What a test restores needn't survive a power cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(taking, "OPTIONS", (*taking.OPTIONS, "--no-sync"))
        patch.setattr(copy, "SETTINGS", copy.SETTINGS | {"fsync": "off"})
        yield


@pytest.fixture(scope="module")
def server(tmp_path_factory, django_db_setup, django_db_blocker) -> Iterator[Postgres]:
    """A server of its own with the product's tables, which all of Django's connections lead to."""
    server = own_server(tmp_path_factory.mktemp("own"))
    usual = {alias: connections[alias] for alias in ("default", "owner")}
    try:
        with django_db_blocker.unblock():
            copy_tables(server)
            for alias, role in (("default", APPLICATION), ("owner", OWNER)):
                connections[alias] = DatabaseWrapper(usual[alias].settings_dict | address(server, role), alias)
            yield server
    finally:
        for alias, connection in usual.items():
            connections[alias].close()
            connections[alias] = connection
        server.child.ask_to_stop()
        server.child.process.wait()


@pytest.fixture(scope="module")
def source(server) -> Source:
    return Source(server.url(BACKUP))


def address(server: Postgres, role: str) -> dict[str, str]:
    """Where Django finds it."""
    words = conninfo_to_dict(server.url(role))
    names = {"HOST": "host", "PORT": "port", "NAME": "dbname", "USER": "user", "PASSWORD": "password"}
    return {name: str(words.get(word, "")) for name, word in names.items()}


@pytest.fixture(scope="module")
def books(source) -> Books:
    return durable(open_books)()
