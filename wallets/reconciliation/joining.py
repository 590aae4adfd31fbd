"""Joining lines and transactions by hand, and taking such a match apart again."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Max, Min, QuerySet, Sum

from ledger.durable import durable
from users import audit
from users.callers import Actor
from wallets.models import BooksItem, Match, ReconciledAccount, StatementLine
from wallets.opening import InvalidState
from wallets.reconciliation import accounts, undoing, worklist

BY_HAND = "By hand"


@durable
def match_by_hand(
    account_id: UUID, *, lines: Collection[UUID], items: Collection[UUID], by: Actor, reason: str, now: datetime
) -> Match:
    """Let a person say that these belong together, whatever they sum to; the difference stays on the books. Breaks of
    which nothing is left are resolved by it.

    Raises InvalidState where one of them isn't open, or isn't of the account.
    """
    account = accounts.locked_by_id(account_id)
    theirs = StatementLine.objects.filter(pk__in=lines, account=account, match=None, status="booked")
    ours = BooksItem.objects.filter(pk__in=items, account=account, match=None)
    if not (lines or items) or (theirs.count(), ours.count()) != (len(set(lines)), len(set(items))):
        raise InvalidState("Not all of these are open; look at the page again.")
    made = join(account, theirs, ours, rule=BY_HAND, by=by, reason=reason, now=now)
    worklist.close_explained(account, by=by, now=now)
    audit.record(
        actor=by, action="match.made", kind="match", object_id=made.pk,
        data={"account": str(account), "difference": made.difference, "reason": reason}, now=now,
    )  # fmt: skip
    return made


@durable
def unmatch(match_id: UUID, *, actor: Actor, reason: str, now: datetime) -> None:
    """Take a match apart: what it joined is open again, and from now on only people match it. Raises InvalidState."""
    found = Match.objects.select_related("account").get(pk=match_id)
    accounts.locked_by_id(found.account_id)
    if not Match.objects.filter(pk=match_id, undone_at=None).exists():
        raise InvalidState("The match was undone before.")
    undoing.undo([match_id], by=actor, because=reason, by_hand=True, now=now)
    audit.record(
        actor=actor, action="match.undone", kind="match", object_id=match_id,
        data={"account": str(found.account), "rule": found.rule, "reason": reason}, now=now,
    )  # fmt: skip


def join(
    account: ReconciledAccount, lines: QuerySet[StatementLine], items: QuerySet[BooksItem], *, rule: str, by: Actor,
    reason: str, now: datetime,
) -> Match:  # fmt: skip
    """Make one match of open lines and transactions, inside the caller's transaction, which has the account locked."""
    line_ids, item_ids = (list(found.values_list("pk", flat=True)) for found in (lines, items))
    theirs = StatementLine.objects.filter(pk__in=line_ids)
    ours = BooksItem.objects.filter(pk__in=item_ids)
    told = theirs.aggregate(sum=Sum("amount"), first=Min("booked_on"), last=Max("booked_on"))
    booked = ours.aggregate(sum=Sum("amount"), first=Min("effective_on"), last=Max("effective_on"))
    sums = int(told["sum"] or 0), int(booked["sum"] or 0)
    made = Match.objects.create(
        account=account, rule=rule, lines=len(line_ids), items=len(item_ids), theirs=sums[0], ours=sums[1],
        difference=sums[1] - sums[0], first_on=min(filter(None, (told["first"], booked["first"]))),
        last_on=max(filter(None, (told["last"], booked["last"]))), made_by=":".join(by.actor)[:60],
        made_because=reason[:255], made_at=now,
    )  # fmt: skip
    theirs.update(match=made)
    ours.update(match=made)
    return made
