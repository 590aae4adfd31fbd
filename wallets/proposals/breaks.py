"""Resolving a break by a posting: our books are made to say what the statement says."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, ClassVar
from uuid import UUID

from backoffice.money import format_money
from ledger.closing import PeriodClosed, first_open_day
from ledger.durable import within
from wallets.access import NotFound
from wallets.models import Break
from wallets.opening import InvalidState
from wallets.proposals.deed import Deed, Two
from wallets.proposals.journals import JournalLeg
from wallets.reconciliation import accounts, resolving
from wallets.reconciliation.members import lacking
from wallets.reconciliation.postings import Against, sides


class BreakPosting(Deed, frozen=True):
    """Post what a break lacks, effective on a day: `amount` minor units onto the clearing account, off it if negative,
    against what explains it.
    """

    kind: ClassVar[str] = "break_posting"

    break_id: UUID
    amount: int
    against: Against
    on: date

    def subject(self) -> tuple[str, str]:
        return "break", str(self.break_id)

    def says(self) -> str:
        account = self._found().account
        verb, where = ("Take", "off") if self.amount < 0 else ("Book", "onto")
        clearing, other = sides(account, self.against)
        what = format_money(abs(self.amount), account.currency)
        return f"{verb} {what} {where} {clearing.code}, against {other.code}, as the statement has it."

    def basis(self) -> Mapping[str, Any]:
        found = self._found()
        if found.state != Break.State.OPEN:
            raise InvalidState("The break was resolved before.")
        if not self.amount:
            raise InvalidState("The amounts agree, so there is nothing to post; accept the break with a reason.")
        if lacking(found) != self.amount:
            raise InvalidState("The break isn’t about the same amount any more; let the posting be asked for anew.")
        if (opens := first_open_day()) and self.on < opens:
            raise PeriodClosed(str(opens))
        return {"kind": found.kind, "theirs": found.theirs, "ours": found.ours}

    def do(self, by: Two, *, proposal: UUID, now: datetime) -> UUID:
        if self.on > now.astimezone(UTC).date():
            raise InvalidState(f"{self.on} hasn't come yet; approve it then.")
        accounts.locked_by_id(self._found().account_id)
        # A run may have come in between; from now on none can.
        self.basis()
        return within(resolving.post)(
            self.break_id, requested_by=by.asked, approved_by=by.approved, reason=by.reason, now=now,
            against=self.against, on=self.on,
        )  # fmt: skip

    def legs(self) -> tuple[JournalLeg, JournalLeg]:
        """What it posts, the debit first."""
        clearing, other = (line.code for line in sides(self._found().account, self.against))
        debit, credit = (clearing, other) if self.amount > 0 else (other, clearing)
        return JournalLeg(debit, debit=abs(self.amount)), JournalLeg(credit, credit=abs(self.amount))

    def _found(self) -> Break:
        found = Break.objects.select_related("account").filter(pk=self.break_id).first()
        if found is None:
            raise NotFound("break")
        return found
