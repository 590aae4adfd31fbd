"""A manual journal: any legs that balance, for what no other part of the product posts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, ClassVar
from uuid import UUID

from msgspec import Struct

from ledger.accounts import Line, find
from ledger.durable import TryAgain
from ledger.money import MAX_POSTING
from ledger.posting import Posting, post_one
from users.validation import FieldError, ValidationError
from wallets import metrics
from wallets.access import WalletClosed
from wallets.chart import wallet_of
from wallets.models import Wallet
from wallets.opening import InvalidState
from wallets.proposals.deed import Deed, Two


class JournalLeg(Struct, frozen=True, forbid_unknown_fields=True):
    """One line: an account by its code, and an amount in minor units on one of its sides."""

    account: str
    debit: int = 0
    credit: int = 0

    @property
    def amount(self) -> int:
        """Signed as the books have it: a debit is positive."""
        return self.debit - self.credit


class Journal(Deed, frozen=True):
    """Post legs on a day, today unless another is said. `attachments` name documents that are kept elsewhere."""

    kind: ClassVar[str] = "journal"

    legs: tuple[JournalLeg, ...]
    description: str
    effective_on: date | None = None
    attachments: tuple[str, ...] = ()

    def subject(self) -> tuple[str, str]:
        return "account", self.legs[0].account if self.legs else ""

    def says(self) -> str:
        accounts = ", ".join(leg.account for leg in self.legs[:3])
        return f"Post “{self.description}” to {accounts}{' and others' if len(self.legs) > 3 else ''}."

    def basis(self) -> Mapping[str, Any]:
        self._lines()
        return {}

    def do(self, by: Two, *, proposal: UUID, now: datetime) -> UUID:
        lines = self._lines()
        if self.effective_on and self.effective_on > now.astimezone(UTC).date():
            raise InvalidState(f"{self.effective_on} hasn't come yet; approve it then.")
        posting = Posting(
            "adjustment", f"journal:{proposal}",
            tuple(_leg(lines[leg.account], leg.amount) for leg in self.legs), description=self.description,
            metadata={"asked_by": str(by.asked.pk), "attachments": list(self.attachments)},
            effective_at=datetime.combine(self.effective_on, time(), UTC) if self.effective_on else None,
        )  # fmt: skip
        post_one(posting, now=now)
        check_still_open(lines)
        metrics.posted(posting.kind)
        return posting.id

    def _lines(self) -> dict[str, Line]:
        """The lines of the chart that it names. Raises ValidationError for what can't be posted."""
        lines = find({leg.account for leg in self.legs})
        if errors := [*_wrong_legs(self.legs, lines), *self._wrong_words()]:
            raise ValidationError(errors)
        check_open(lines)
        return lines

    def _wrong_words(self) -> list[FieldError]:
        wrong = [] if self.description.strip() else [_error("description", "required", "Say what it is for.")]
        if not _balances(self.legs):
            wrong.append(_error("legs", "unbalanced", "Debits and credits differ; they must be equal."))
        return wrong


def check_open(codes: Iterable[str]) -> None:
    """Raise WalletClosed where one of the accounts is a closed wallet's."""
    ids = [id for code in codes if (id := wallet_of(code))]
    for closed in Wallet.objects.filter(pk__in=ids, status=Wallet.Status.CLOSED)[:1]:
        raise WalletClosed(f"The wallet {closed.pk} is closed; nothing can be posted to it.")


def check_still_open(codes: Iterable[str]) -> None:
    """The same, now that their accounts are locked: whatever was closed just now undoes it all."""
    try:
        check_open(codes)
    except WalletClosed as error:
        raise TryAgain("A wallet was closed just now.") from error


def _leg(line: Line, amount: int) -> Any:
    return line.debit(amount) if amount > 0 else line.credit(-amount)


def _wrong_legs(legs: Sequence[JournalLeg], lines: Mapping[str, Line]) -> list[FieldError]:
    wrong = [] if len(legs) > 1 else [_error("legs", "too_few", "A journal has two lines or more.")]
    for number, leg in enumerate(legs):
        if leg.account not in lines:
            wrong.append(_error(f"legs.{number}.account", "unknown", f"The chart has no account {leg.account}."))
        if (leg.debit > 0) == (leg.credit > 0) or min(leg.debit, leg.credit) < 0 or abs(leg.amount) > MAX_POSTING:
            wrong.append(_error(f"legs.{number}", "invalid", "Write an amount as a debit or as a credit."))
    if len({line.currency for line in lines.values()}) > 1:
        wrong.append(_error("legs", "currencies", "A journal is in one currency; make one for each."))
    return wrong


def _balances(legs: Sequence[JournalLeg]) -> bool:
    return sum(leg.amount for leg in legs) == 0


def _error(field: str, code: str, detail: str) -> FieldError:
    return FieldError(field=field, code=code, detail=detail)
