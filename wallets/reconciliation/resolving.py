"""What people do with a break: take it, write down what they found out, accept it, or post what it lacks.

A posting needs two people: one who asks and one who approves. Whoever brings them together calls `resolve_by_posting`
in the transaction that posts, or `post` for both at once.
"""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from ledger.durable import durable
from ledger.posting import post_one
from users import audit
from users.callers import Actor
from users.models import User
from users.permissions import PermissionDenied
from wallets import metrics
from wallets.models import BooksItem, Break, BreakNote
from wallets.opening import InvalidState
from wallets.reconciliation import accounts, books, joining
from wallets.reconciliation.members import lacking, members
from wallets.reconciliation.postings import Against, propose_posting


@durable
def assign(break_id: UUID, *, owner: User | None, by: Actor, now: datetime) -> None:
    """Make it somebody's to look after, or nobody's. Raises InvalidState for one that is resolved."""
    found = _open(break_id)
    Break.objects.filter(pk=found.pk).update(owner=owner)
    _record(found, by, "break.assigned", {"owner": str(owner.pk) if owner else None}, now)


@durable
def note(break_id: UUID, *, text: str, by: Actor, now: datetime) -> BreakNote:
    """Write down what was found out. Notes are only ever added to."""
    found = _locked(break_id)
    made = BreakNote.objects.create(of=found, author=":".join(by.actor)[:60], text=text[:1000], at=now)
    _record(found, by, "break.noted", {"note": str(made.pk), "text": made.text}, now)
    return made


@durable
def accept(break_id: UUID, *, actor: Actor, reason: str, now: datetime) -> None:
    """Resolve it by a note: what it is about counts as explained, and its difference as accepted.

    Raises InvalidState.
    """
    found = _open(break_id)
    if not reason.strip():
        raise InvalidState("Say why it is accepted; that is all that will be left of it.")
    lines, items = members(found)
    if lines.exists() or items.exists():
        joining.join(found.account, lines, items, rule="Accepted", by=actor, reason=reason, now=now)
    _resolve(found, Break.Resolution.NOTE, by=actor, reason=reason, now=now)


def resolve_by_posting(
    break_id: UUID, *, transaction: UUID, requested_by: Actor, approved_by: Actor, reason: str, now: datetime
) -> None:
    """Resolve it by a transaction that was posted for it, inside the caller's transaction, which may have posted it.

    Raises PermissionDenied for a single person, and InvalidState unless the transaction moves exactly what is missing
    on the clearing account, and explains nothing else.
    """
    found = _open(break_id)
    asked, approved = (":".join(who.actor)[:60] for who in (requested_by, approved_by))
    if asked == approved:
        raise PermissionDenied("You asked for this posting; somebody else must approve it.")
    books.collect(found.account)
    item = BooksItem.objects.filter(account=found.account, transaction=transaction, match=None).first()
    needed = lacking(found)
    if item is None or item.amount != needed:
        moved = "nothing" if item is None else item.amount
        raise InvalidState(f"It moves {moved} on the clearing account, and the break lacks {needed} minor units.")
    lines, items = members(found)
    both = BooksItem.objects.filter(pk__in=[item.pk, *items.values_list("pk", flat=True)])
    joining.join(found.account, lines, both, rule="Posted", by=approved_by, reason=reason, now=now)
    changes = {"transaction_id": transaction, "requested_by": asked}
    _resolve(found, Break.Resolution.POSTING, by=approved_by, reason=reason, now=now, **changes)


@durable
def post(
    break_id: UUID, *, requested_by: Actor, approved_by: Actor, reason: str, now: datetime,
    against: Against | None = None, on: date | None = None,
) -> UUID:  # fmt: skip
    """Post what it lacks and resolve it by that; returns the transaction. Raises as `propose_posting` and
    `resolve_by_posting` do.
    """
    found = _open(break_id)
    posting = propose_posting(found, against=against, on=on)
    post_one(posting, now=now)
    metrics.posted(posting.kind)
    resolve_by_posting(
        break_id, transaction=posting.id, requested_by=requested_by, approved_by=approved_by, reason=reason, now=now
    )
    return posting.id


def _locked(break_id: UUID) -> Break:
    """The break, with its account locked first, as a run does."""
    found = Break.objects.only("account_id").get(pk=break_id)
    accounts.locked_by_id(found.account_id)
    return Break.objects.select_for_update(no_key=True, of=("self",)).select_related("account").get(pk=break_id)


def _open(break_id: UUID) -> Break:
    found = _locked(break_id)
    if found.state != Break.State.OPEN:
        raise InvalidState("The break was resolved before.")
    return found


def _resolve(found: Break, how: Break.Resolution, *, by: Actor, reason: str, now: datetime, **changes: object) -> None:
    Break.objects.filter(pk=found.pk).update(
        state=Break.State.RESOLVED, resolution=how, resolved_at=now, resolved_by=":".join(by.actor)[:60],
        reason=reason[:255], **changes,
    )  # fmt: skip
    data = {"how": how.value, "reason": reason} | {name: str(value) for name, value in changes.items()}
    _record(found, by, "break.resolved", data, now)


def _record(found: Break, by: Actor, action: str, data: Mapping[str, object], now: datetime) -> None:
    data = {"account": str(found.account), "kind": found.kind, **data}
    audit.record(actor=by, action=action, kind="break", object_id=found.pk, data=data, now=now)
