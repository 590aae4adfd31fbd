"""Importing a statement: all of it or nothing, the same file once, and each line once however many files tell it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from hashlib import sha256
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from ledger import sql
from ledger.durable import durable
from users import audit
from users.callers import Actor
from wallets.models import ColumnMapping, ReconciledAccount, Statement
from wallets.reconciliation import accounts, undoing
from wallets.reconciliation.formats import files
from wallets.reconciliation.formats.columns import Columns
from wallets.reconciliation.formats.lines import File, StatementRefused
from wallets.reconciliation.identity import Named, named

CHUNK = 10_000
TABLES = ("csv", "xlsx")
STANDARD = "standard"
Told = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import. `fresh` is False where the same file had been imported before: then nothing was done."""

    statement: Statement
    fresh: bool
    passed_over: int
    changed: int

    @property
    def known_lines(self) -> int:
        """How many lines other statements had told before."""
        return self.statement.lines - self.statement.new_lines


@dataclass(frozen=True, slots=True)
class Upload:
    """A file, for which account, and how it is to be read. The balances are for files that state none."""

    provider: str
    currency: str
    name: str
    content: bytes
    format: str
    mapping: str = ""
    opening: int | None = None
    closing: int | None = None


def read(upload: Upload) -> File:
    """What it says, read and checked, with nothing stored. Raises StatementRefused."""
    if upload.format not in TABLES:
        return files.read(upload.content, upload.format, upload.currency)
    mapping = _mapping(upload.mapping or STANDARD)
    return files.read(
        upload.content, upload.format, upload.currency, by=columns(mapping), encoding=mapping.encoding,
        delimiter=mapping.delimiter, opening=upload.opening, closing=upload.closing,
    )  # fmt: skip


def columns(mapping: ColumnMapping) -> Columns:
    """A saved mapping, as it is used. Raises StatementRefused where it makes no sense: so a form can tell."""
    return Columns(**{each.name: getattr(mapping, each.name) for each in fields(Columns)})


@durable
def store(
    upload: Upload, file: File, *, by: Actor, now: datetime, dry_run: bool = False, told: Told | None = None
) -> Imported:
    """Keep what was read. `told` hears how many lines are stored so far; a dry run keeps nothing and tells the same.

    Raises StatementRefused where the account's statements have always been of another account.
    """
    account = accounts.locked(upload.provider, upload.currency, now=now)
    digest = sha256(upload.content).digest()
    if known := Statement.objects.filter(account=account, digest=digest).first():
        return Imported(known, False, file.passed_over, 0)
    _check_same_account(account, file)
    statement = _statement(account, upload, file, digest, by, now)
    new, changed = _store_lines(account, statement, file, told)
    Statement.objects.filter(pk=statement.pk).update(new_lines=new)
    statement.new_lines = new
    undoing.undo_unbooked(changed, now=now)
    _widen(account, file)
    audit.record(
        actor=by, action="statement.imported", kind="statement", object_id=statement.pk,
        data={
            "account": str(account), "file": statement.file_name, "lines": statement.lines, "new": new,
            "changed": len(changed),
        },
        now=now,
    )  # fmt: skip
    transaction.set_rollback(dry_run)
    return Imported(statement, True, file.passed_over, len(changed))


def import_statement(upload: Upload, *, by: Actor, now: datetime, dry_run: bool = False) -> Imported:
    """Read a file and keep what it says. Raises StatementRefused, and then nothing of it was kept."""
    return store(upload, read(upload), by=by, now=now, dry_run=dry_run)


def _mapping(name: str) -> ColumnMapping:
    row = ColumnMapping.objects.filter(pk=name).first()
    if row is None:
        there = ", ".join(ColumnMapping.objects.order_by("pk").values_list("pk", flat=True))
        raise StatementRefused.at(0, "", f"There is no mapping {name}; there are: {there or 'none yet'}.")
    return row


def _check_same_account(account: ReconciledAccount, file: File) -> None:
    if file.external_account and account.external_account not in ("", file.external_account):
        says = (
            f"It is about {file.external_account}, and the statements of {account} are about"
            f" {account.external_account}; import it for the account that it belongs to."
        )
        raise StatementRefused.at(0, "", says)


def _statement(
    account: ReconciledAccount, upload: Upload, file: File, digest: bytes, by: Actor, now: datetime
) -> Statement:
    first_on, last_on = file.days()
    return Statement.objects.create(
        account=account, digest=digest, file_name=upload.name[-255:], format=upload.format, mapping=upload.mapping,
        first_on=first_on, last_on=last_on, opening_balance=file.opening, closing_balance=file.closing,
        lines=len(file.lines), new_lines=0, imported_by=":".join(by.actor)[:60], imported_at=now,
    )  # fmt: skip


# A line that is known already may have news: what was pending is booked, what was booked came back; never the reverse.
STORE = """
INSERT INTO wallets_statementline AS known (id, account_id, statement_id, number, booked_on, amount, fee, reference,
    external_id, batch, description, status, identity, names, by_hand)
SELECT id, %(account)s, %(statement)s, number, booked_on, amount, fee, reference, external_id, batch, description,
       status, identity, CASE names WHEN '' THEN '{}' ELSE string_to_array(names, E'\\x1f') END, false
FROM unnest(%(ids)s::uuid[], %(numbers)s::int4[], %(days)s::date[], %(amounts)s::int8[], %(fees)s::int8[],
            %(references)s::text[], %(external_ids)s::text[], %(batches)s::text[], %(descriptions)s::text[],
            %(statuses)s::text[], %(identities)s::bytea[], %(names)s::text[])
    AS t (id, number, booked_on, amount, fee, reference, external_id, batch, description, status, identity, names)
ON CONFLICT (account_id, identity) DO UPDATE SET status = EXCLUDED.status
WHERE known.status = 'pending' AND EXCLUDED.status <> 'pending'
   OR known.status = 'booked' AND EXCLUDED.status IN ('failed', 'reversed')
RETURNING id, statement_id
"""


def _store_lines(
    account: ReconciledAccount, statement: Statement, file: File, told: Told | None
) -> tuple[int, list[UUID]]:
    """Insert what is new; returns how many were, and the known lines whose status changed."""
    new, changed, done = 0, list[UUID](), 0
    for chunk in _chunks(named(file.lines)):
        for id, of in sql.rows(STORE, _arrays(account, statement, chunk)):
            if of == statement.pk:
                new += 1
            else:
                changed.append(id)
        done += len(chunk)
        if told is not None:
            told(done)
    return new, changed


def _chunks(lines: Iterator[Named]) -> Iterator[list[Named]]:
    while chunk := list(islice(lines, CHUNK)):
        yield chunk


def _arrays(account: ReconciledAccount, statement: Statement, chunk: list[Named]) -> dict[str, Any]:
    lines = [found.line for found in chunk]
    return {
        "account": account.pk, "statement": statement.pk, "ids": sql.uuids(uuid7() for _ in lines),
        "numbers": sql.integers(line.number for line in lines), "days": sql.days(line.on for line in lines),
        "amounts": sql.integers(line.amount for line in lines), "fees": sql.integers(line.fee for line in lines),
        "references": sql.texts(line.reference for line in lines),
        "external_ids": sql.texts(line.external_id for line in lines),
        "batches": sql.texts(line.batch for line in lines),
        "descriptions": sql.texts(line.description for line in lines),
        "statuses": sql.texts(line.status for line in lines),
        "identities": sql.binaries(found.identity for found in chunk),
        "names": sql.texts("\x1f".join(line.names) for line in lines),
    }  # fmt: skip


def _widen(account: ReconciledAccount, file: File) -> None:
    """The account is reconciled from its first statement's first day on; an older one makes our side be read again."""
    first, _ = file.days()
    changes: dict[str, Any] = {}
    if account.since is None or first < account.since:
        changes |= {"since": first, "versions": []}
    if file.external_account and not account.external_account:
        changes |= {"external_account": file.external_account}
    if changes:
        ReconciledAccount.objects.filter(pk=account.pk).update(**changes)


def covered(account: ReconciledAccount) -> date | None:
    """The last day that any statement covers."""
    return Statement.objects.filter(account=account).order_by("-last_on").values_list("last_on", flat=True).first()
