"""What an answer of the bank means, given what is known of the order: pure, so that a table can test all of it.

Only a conclusive refusal gives money back, only a payment of exactly what was ordered spends it, and nothing is sent
again unless the first is known, or for good reasons taken, not to have arrived.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from wallets.models import PayoutAttempt, Withdrawal
from wallets.providers.port import PayoutState, RemoteStatus, SubmitOutcome, SubmitResult
from wallets.withdrawals import timing
from wallets.withdrawals.timing import Terms

Outcome = PayoutAttempt.Outcome
Status = Withdrawal.Status
# Refused as it was given: nothing was taken, if the bank says the same when it is asked.
AT_THE_DOOR = (Outcome.REJECTED, Outcome.UNDERFUNDED)


class Act(StrEnum):
    """What is to be done next."""

    ASK = "ask"
    SEND = "send"
    COMPLETE = "complete"
    FAIL = "fail"
    REVIEW = "review"
    RETURN = "return"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an order before the answer is read. `outcome` is what the last answer made of it."""

    amount: int
    currency: str
    terms: Terms
    started_at: datetime
    sent_at: datetime
    status: Status = Status.PROCESSING
    outcome: Outcome = Outcome.UNKNOWN
    detail: str = ""
    sends: int = 1
    checks: int = 0
    doubtful: bool = False
    misses: int = 0
    missed_at: datetime | None = None
    answered_at: datetime | None = None
    action_since: datetime | None = None
    completed_at: datetime | None = None

    def silent_for(self, now: datetime) -> timedelta:
        """Since when the bank has said nothing that we understand."""
        return now - max(self.sent_at, self.answered_at or self.sent_at)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and what the attempt is from then on; None leaves its outcome as it is.

    `pause` is in seconds, of which `at_least` so many must pass; `code` tells why it fails or needs a person, and
    `words` what happened. `understood` is whether the bank said something that we understand.
    """

    act: Act
    words: str
    outcome: Outcome | None = None
    pause: float = 0.0
    at_least: float = 0.0
    code: str = ""
    detail: str = ""
    understood: bool = False
    missed: bool = False
    restart: bool = False


def on_answer(known: Known, result: SubmitResult, now: datetime) -> Decision:
    """What the answer to an order means. A refusal is not the end of it: the bank is asked once more."""
    why = f": {result.detail}" if result.detail else "."
    match result.outcome:
        case SubmitOutcome.REJECTED if result.misconfigured:
            return _unsent(known, f"The provider refused us, not the order{why}", result.detail, now)
        case SubmitOutcome.NOT_SENT:
            return _unsent(known, f"It couldn't be sent{why}", result.detail, now, at_least=result.retry_after or 0.0)
        case SubmitOutcome.REJECTED if result.underfunded:
            return _ask(known, Outcome.UNDERFUNDED, f"We hold too little there for it{why}", detail=result.detail)
        case SubmitOutcome.REJECTED:
            return _ask(known, Outcome.REJECTED, f"The bank refused it{why}", detail=result.detail)
        case SubmitOutcome.ACCEPTED:
            return _ask(known, Outcome.ACCEPTED, "The bank took the order.", understood=True, restart=True)
        case SubmitOutcome.ACTION_REQUIRED:
            return _action(known, result.detail, now)
        case SubmitOutcome.ALREADY_EXISTS:
            # The opposite of a refusal: it proves that an earlier sending arrived.
            return _ask(known, Outcome.UNKNOWN, "The bank has seen this reference before: it has the order.")
        case _:
            return _ask(known, Outcome.UNKNOWN, f"No answer that tells what became of it{why}", detail=result.detail)


def on_state(known: Known, state: PayoutState, now: datetime) -> Decision:
    """What the bank's word on an order means."""
    if known.status == Status.COMPLETED:
        return _after_payment(known, state, now)
    if known.status != Status.PROCESSING:
        return _after_refusal(known, state)
    match state.status:
        case RemoteStatus.SUCCEEDED if (state.amount, state.currency) != (known.amount, known.currency):
            words = f"The bank says it paid {_money(state)}, and {known.amount} {known.currency} was ordered."
            return Decision(Act.REVIEW, words, code="mismatch", understood=True)
        case RemoteStatus.SUCCEEDED:
            return Decision(Act.COMPLETE, "The bank paid.", Outcome.PAID, understood=True)
        case RemoteStatus.FAILED | RemoteStatus.REVERSED:
            return _failed(known, state)
        case RemoteStatus.PENDING:
            return _ask(known, Outcome.ACCEPTED, "The bank has it, and hasn't paid yet.", understood=True)
        case RemoteStatus.ACTION_REQUIRED:
            return _action(known, state.detail, now)
        case RemoteStatus.NOT_FOUND:
            return _not_found(known, now)
        case _:
            return _silence(known, f"The bank's answer tells nothing: {state.detail or 'an unknown state'}.", now)


def after_word(decision: Decision) -> Decision:
    """What a decision becomes where somebody said meanwhile that the bank has news: before money is given back,
    anything is sent again or a person called, the bank is asked once more. The attempt's outcome stays as it was.
    """
    if decision.act not in (Act.FAIL, Act.SEND, Act.REVIEW):
        return decision
    words = f"{decision.words} Word came meanwhile that the bank has news, so it is asked first."
    return replace(decision, act=Act.ASK, words=words, outcome=None, pause=0.0, at_least=0.0, code="", restart=False)


def _ask(
    known: Known, outcome: Outcome | None, words: str, *, detail: str = "", understood: bool = False,
    restart: bool = False, missed: bool = False,
) -> Decision:  # fmt: skip
    """Ask again, later the more often it was asked; `restart` begins the schedule anew."""
    pause = known.terms.pause(0 if restart else known.checks)
    return Decision(
        Act.ASK, words, outcome, pause, detail=detail, understood=understood, restart=restart, missed=missed
    )


def _unsent(known: Known, words: str, detail: str, now: datetime, *, at_least: float = 0.0) -> Decision:
    """Send the same again later, for a day."""
    if now - known.started_at > timing.SENDING_PATIENCE:
        return Decision(Act.REVIEW, words, Outcome.NOT_SENT, code="not_sent", detail=detail)
    pause = max(timing.sending_pause(known.sends), at_least)
    return Decision(Act.SEND, words, Outcome.NOT_SENT, pause, at_least, detail=detail, restart=True)


def _failed(known: Known, state: PayoutState) -> Decision:
    """A conclusive failure. What the bank refused at the door keeps its first reason."""
    refused, ours = known.outcome in AT_THE_DOOR, known.outcome == Outcome.UNDERFUNDED or state.underfunded
    detail = known.detail if refused and known.detail else state.detail
    words = "The bank says that it failed" if state.status == RemoteStatus.FAILED else "The bank sent it back"
    code = "not_paid_by_us" if ours else "refused_by_bank" if refused else "returned_by_bank"
    return Decision(Act.FAIL, _sentence(words, detail), Outcome.REFUSED, code=code, detail=detail, understood=True)


def _action(known: Known, detail: str, now: datetime) -> Decision:
    """Somebody has to act at the bank: it never resolves alone, so it is soon before a person."""
    first = known.action_since is None
    words = _sentence("The bank waits for somebody to act", detail)
    if known.action_since is not None and (
        now - known.action_since >= timing.ACTION_PATIENCE or known.checks >= timing.ACTION_CHECKS
    ):
        return Decision(Act.REVIEW, words, Outcome.ACTION_REQUIRED, code="action_required", understood=True)
    return _ask(known, Outcome.ACTION_REQUIRED, words, detail=detail, understood=True, restart=first)


def _not_found(known: Known, now: datetime) -> Decision:
    """No proof that it never came, until it has been said often enough, late enough, by a bank that pays once."""
    missed = known.missed_at is None or now - known.missed_at >= known.terms.spacing
    misses = known.misses + missed
    believed = known.terms.believes_a_miss(now - known.sent_at, misses)
    # What was sent twice and refused once may have arrived the first time, or may still: whoever was to send it first
    # may only have slept. So it is sent on under its own reference, which is paid once, until a person must look.
    if known.outcome == Outcome.UNDERFUNDED and not known.doubtful:
        words = _sentence("The bank doesn't know it, and is sent it again when it may have money of ours", known.detail)
        return _unsent(known, words, known.detail, now)
    if known.outcome == Outcome.REJECTED and not known.doubtful:
        words = _sentence("The bank refused it, and doesn't know it", known.detail)
        return Decision(Act.FAIL, words, Outcome.REFUSED, code="refused_by_bank", detail=known.detail, understood=True)
    taken = known.outcome in (Outcome.ACCEPTED, Outcome.ACTION_REQUIRED)
    patient = now - known.sent_at <= known.terms.patience and now - known.started_at <= timing.SENDING_PATIENCE
    if patient and not taken:
        if believed:
            words = "The bank has never heard of it, however often it was asked: it is sent again as it was."
            return Decision(Act.SEND, words, Outcome.NOT_SENT, missed=missed, restart=True)
        return _ask(known, None, "The bank doesn't know it. That proves nothing yet.", missed=missed)
    words = "The bank doesn't know what it took." if taken else "The bank doesn't know it, for long enough."
    return _silence(known, words, now, code="not_found", missed=missed)


def _silence(known: Known, words: str, now: datetime, *, code: str = "silent", missed: bool = False) -> Decision:
    """Nothing conclusive: ask on, and after a while let a person look."""
    if known.silent_for(now) > known.terms.patience:
        return Decision(Act.REVIEW, words, code=code, missed=missed)
    return _ask(known, None, words, missed=missed)


def _after_payment(known: Known, state: PayoutState, now: datetime) -> Decision:
    """A bank that paid is asked again: it may have got the money back."""
    look = timing.next_look(known.completed_at or known.sent_at, now)
    rest = (look - now).total_seconds() if look else 0.0
    match state.status:
        case RemoteStatus.REVERSED | RemoteStatus.FAILED if _other_money(known, state):
            words = f"The bank sent {_money(state)} back, and {known.amount} {known.currency} was paid."
            return Decision(Act.REVIEW, words, code="mismatch", understood=True)
        case RemoteStatus.FAILED if known.outcome != Outcome.PAID:
            words = _sentence("The bank says that it failed, and a person settled it as paid", state.detail)
            return Decision(Act.REVIEW, words, code="contradiction", understood=True)
        case RemoteStatus.REVERSED | RemoteStatus.FAILED:
            words = _sentence("The bank had paid, and the money came back", state.detail)
            return Decision(Act.RETURN, words, code="returned_by_bank", detail=state.detail, understood=True)
        case RemoteStatus.SUCCEEDED:
            return Decision(
                Act.REST, "The bank still says that it paid.", Outcome.PAID, pause=rest, understood=True, restart=True
            )
        case RemoteStatus.UNKNOWN if known.checks < timing.LATE_CHECKS:
            return _ask(known, None, "The bank's answer about what it paid tells nothing.")
        case _:
            words = f"The bank paid, and now says {state.status.replace('_', ' ')}."
            return Decision(Act.REST, words, pause=rest, restart=True)


def _after_refusal(known: Known, state: PayoutState) -> Decision:
    """The money was given back. A bank that has the order after all contradicts itself, and a person must look."""
    match state.status:
        case RemoteStatus.SUCCEEDED | RemoteStatus.PENDING | RemoteStatus.ACTION_REQUIRED:
            words = f"The bank says {state.status.replace('_', ' ')} of what it had refused; the money was given back."
            return Decision(Act.REVIEW, words, Outcome.UNKNOWN, code="contradiction", understood=True)
        case RemoteStatus.UNKNOWN if known.checks < timing.LATE_CHECKS:
            return _ask(known, None, "The bank's answer about what it refused tells nothing.")
        case _:
            return Decision(Act.REST, "The bank stays with its refusal.", restart=True)


def _other_money(known: Known, state: PayoutState) -> bool:
    """Whether the bank names another amount; where it names none, the whole order is meant."""
    return state.amount is not None and (state.amount, state.currency) != (known.amount, known.currency)


def _money(state: PayoutState) -> str:
    return "an amount that it doesn't tell" if state.amount is None else f"{state.amount} {state.currency}"


def _sentence(words: str, detail: str) -> str:
    return f"{words}: {detail}" if detail else f"{words}."


def rejected(known: Known, result: SubmitResult) -> Known:
    """What is known once the bank has refused an order, and before it was asked about it."""
    outcome = Outcome.UNDERFUNDED if result.underfunded else Outcome.REJECTED
    return replace(known, outcome=outcome, detail=result.detail)
