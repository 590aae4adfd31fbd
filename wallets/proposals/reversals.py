"""Undoing a transaction by its mirror image, where nothing of the product's own hangs on it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from ledger.posting import post_one
from ledger.reversal import Undoable, look, reversal
from wallets import metrics
from wallets.access import NotFound
from wallets.opening import InvalidState
from wallets.proposals.deed import Deed, Two
from wallets.proposals.journals import check_open, check_still_open

# Money out has its own ways back: what is undone here must not leave a row that says that it was done.
KINDS = ("transfer", "deposit", "adjustment", "fee")


class Reversal(Deed, frozen=True):
    """Post the mirror image of a transaction. What of a deposit still waits for its release is let go by it."""

    kind: ClassVar[str] = "reversal"

    transaction: UUID

    def subject(self) -> tuple[str, str]:
        return "transaction", str(self.transaction)

    def says(self) -> str:
        return f"Reverse {self._found().reference}."

    def basis(self) -> Mapping[str, Any]:
        found = self._found()
        if found.is_reversal or found.reversed_by:
            raise InvalidState("It is a reversal, or has been reversed already.")
        if found.kind not in KINDS:
            raise InvalidState(f"A {found.kind} isn't reversed here; {', '.join(KINDS)} are.")
        check_open(found.codes)
        return {"reference": found.reference}

    def do(self, by: Two, *, proposal: UUID, now: datetime) -> UUID:
        posting = reversal(self.transaction, reference=f"reversal:{self.transaction}", description=by.reason[:255])
        post_one(posting, now=now)
        check_still_open(self._found().codes)
        metrics.posted(posting.kind)
        return posting.id

    def _found(self) -> Undoable:
        found = look(self.transaction)
        if found is None:
            raise NotFound("transaction")
        return found
