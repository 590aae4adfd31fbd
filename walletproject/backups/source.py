"""The server that is to be saved, and what must be so before it can be."""

from dataclasses import dataclass
from typing import NamedTuple

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from walletproject.backups.failures import BackupError
from walletproject.local.installation import plain_environment

LOOK = """
SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000,
       (SELECT sum(pg_database_size(oid)) FROM pg_database WHERE has_database_privilege(oid, 'CONNECT'))::bigint,
       rolname, rolreplication OR rolsuper,
       ARRAY(SELECT spcname FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global'))::text[]
FROM pg_roles WHERE rolname = current_user
"""


class Look(NamedTuple):
    """What a server is: its version in full, the major one, and the size of its databases in bytes."""

    version: str
    major: int
    size: int


@dataclass(frozen=True, slots=True)
class Source:
    """A server by its address, in a role that may copy it."""

    url: str

    def look(self) -> Look:
        """What is there to be saved. Raises BackupError where it can't be."""
        try:
            with psycopg.connect(self.url, autocommit=True, connect_timeout=10) as connection:
                version, major, size, role, may_copy, elsewhere = connection.execute(LOOK).fetchone() or ()
        except psycopg.Error as error:
            raise BackupError(f"The server can't be asked: {error} DATABASE_BACKUP_URL says where it is.") from error
        if not may_copy:
            raise BackupError(
                f"The role {role} may not copy the server. As its superuser: ALTER ROLE {role} REPLICATION; or set"
                " DATABASE_BACKUP_URL to a role that may. docs/operations.md has the SQL."
            )
        if elsewhere:
            raise BackupError(
                f"The tablespaces {', '.join(elsewhere)} lie elsewhere: save this server with pgBackRest."
            )
        self._try_to_replicate(role)
        return Look(version, major, size)

    def arguments(self) -> list[str]:
        """What leads PostgreSQL's programs there; the password isn't in it, since everybody may see a command line."""
        words = {name: str(value) for name, value in conninfo_to_dict(self.url).items() if name != "password"}
        return ["--no-password", f"--dbname={make_conninfo('', **words)}"]

    def environment(self) -> dict[str, str]:
        """For those programs: the password, and nothing else that would lead them elsewhere."""
        password = conninfo_to_dict(self.url).get("password")
        return plain_environment() | ({"PGPASSWORD": str(password)} if password else {})

    def _try_to_replicate(self, role: str) -> None:
        try:
            psycopg.connect(self.url, autocommit=True, connect_timeout=10, replication="true").close()
        except psycopg.Error as error:
            raise BackupError(
                f"The server doesn't let itself be copied: {error} It needs wal_level = replica, max_wal_senders of 3"
                f" or more, and in pg_hba.conf a line such as `host replication {role} samenet scram-sha-256`."
            ) from error
