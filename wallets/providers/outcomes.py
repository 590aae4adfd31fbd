"""From an answer to what is known: the one ladder that all providers' answers go down.

Refused means that the provider read the order and said no in its own words. Whatever can't be read, comes from in
between, or has a word that nobody documented, is unknown: then the provider is asked, and nothing is sent again.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from wallets.providers import reading
from wallets.providers.port import (
    AccountNotResolved,
    CheckoutExists,
    DepositState,
    PayoutState,
    ProviderUnavailable,
    RemoteStatus,
    SubmitOutcome,
    SubmitResult,
)
from wallets.providers.redaction import redacted
from wallets.providers.transport import Answer, Lost, NotSent, Reply

Body = Mapping[str, Any]
State = TypeVar("State", PayoutState, DepositState)

UNAUTHORIZED = (401, 403)
# Said by something on the way, or about the moment rather than the order.
SAYS_NOTHING = (408, 409, 425)
# Official advice to "use a new reference" is what pays twice: the reference exists because the first order arrived.
DUPLICATE = re.compile(r"(?=.*reference)(?=.*(exist|duplicate|unique|already|used))", re.IGNORECASE | re.DOTALL)
# Of a payout: the money that is wanting is ours.
UNDERFUNDED = re.compile(
    r"(?=.*(insufficient|n[o']t (have )?enough))(?=.*(balance|funds?\b|money))", re.IGNORECASE | re.DOTALL
)

SUBMITTED = {
    RemoteStatus.PENDING: SubmitOutcome.ACCEPTED,
    RemoteStatus.SUCCEEDED: SubmitOutcome.ACCEPTED,
    # Taken, and failed since: a query confirms it before anything is released.
    RemoteStatus.FAILED: SubmitOutcome.ACCEPTED,
    RemoteStatus.REVERSED: SubmitOutcome.ACCEPTED,
    RemoteStatus.ACTION_REQUIRED: SubmitOutcome.ACTION_REQUIRED,
}


class Refused(StrEnum):
    """What a "no" is about."""

    ORDER = "this order"
    US = "our keys, our address or our rights"
    FUNDS = "what we hold there"
    DUPLICATE = "a reference that it has"
    BUSY = "this moment"
    NOTHING = "nothing that can be relied on"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A "no" in the provider's own words."""

    about: Refused
    detail: str
    code: str = ""


class Unsendable(ValueError):
    """An order that can't be written in the provider's words; nothing of it is sent."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def unsendable(error: Unsendable) -> SubmitResult:
    """What became of an order that can't be written: it is refused, by us."""
    return SubmitResult(SubmitOutcome.REJECTED, detail=str(error), code=error.code)


def submitted(
    answer: Answer, *, provider: str, refusal: Callable[[Body], Refusal | None], payout: Callable[[Body], PayoutState]
) -> SubmitResult:
    """What is known after an order was given. `refusal` and `payout` read a body in the provider's own way."""
    match answer:
        case NotSent(why):
            return SubmitResult(SubmitOutcome.NOT_SENT, detail=f"{provider} wasn't reached ({why}).")
        case Lost(why):
            return SubmitResult(SubmitOutcome.UNKNOWN, detail=f"{provider} was asked and didn't answer ({why}).")
        case Reply(status=429):
            detail = f"{provider} has had too many requests from us."
            return SubmitResult(SubmitOutcome.NOT_SENT, detail=detail, retry_after=answer.retry_after)
    no = refusal(answer.body) if answer.body is not None and answer.status < 500 else None
    if answer.body is None or answer.status >= 500 or not 200 <= answer.status < 500 or 300 <= answer.status < 400:
        return _unknown(answer, provider)
    if no is not None:
        return _refused(answer, no, provider)
    if answer.status in UNAUTHORIZED:
        return _refused(answer, Refusal(Refused.US, ""), provider)
    if answer.status >= 400:
        return _unknown(answer, provider)
    state = payout(answer.body)
    outcome = SUBMITTED.get(state.status, SubmitOutcome.UNKNOWN)
    return SubmitResult(outcome, state.provider_id, state.detail, raw=state.raw)


def queried(
    answer: Answer,
    *,
    provider: str,
    state: type[State],
    missing: Callable[[int, Body], bool],
    found: Callable[[Body], State],
) -> State:
    """What the provider says when asked: `missing` tells its "no such thing", `found` reads what it has."""
    if not isinstance(answer, Reply):
        return state(RemoteStatus.UNKNOWN, detail=f"{provider} can't be asked now ({answer.why}).")
    if answer.body is not None and answer.status in (200, 400, 404, 422) and missing(answer.status, answer.body):
        return state(RemoteStatus.NOT_FOUND, detail=f"{provider} doesn't know it.", raw=redacted(answer.body))
    if answer.body is None or answer.status != 200:
        return state(RemoteStatus.UNKNOWN, detail=_unclear(answer, provider), raw=redacted(answer.body or {}))
    return found(answer.body)


def read(answer: Answer, *, provider: str, agreed: Callable[[Body], bool]) -> Body:
    """The body of an answer to a question that moves no money, where it says itself that it is a good one.

    Raises ProviderUnavailable.
    """
    if not isinstance(answer, Reply):
        raise ProviderUnavailable(f"{provider} can't be reached now; try again later.")
    if answer.status in UNAUTHORIZED:
        raise ProviderUnavailable(f"{provider} refuses our keys or our address (HTTP {answer.status}).")
    if answer.body is None or not 200 <= answer.status < 300 or not agreed(answer.body):
        raise ProviderUnavailable(f"{provider} gave no usable answer (HTTP {answer.status}); try again later.")
    return answer.body


def opened(
    answer: Answer, *, provider: str, agreed: Callable[[Body], bool], refusal: Callable[[Body], Refusal | None]
) -> Body:
    """The body of an answer with a checkout. Raises CheckoutExists where it has the reference, else as `read`."""
    if isinstance(answer, Reply) and answer.body is not None and 400 <= answer.status < 500:
        no = refusal(answer.body)
        if no is not None and no.about is Refused.DUPLICATE:
            raise CheckoutExists(f"{provider} has a checkout by this reference, and doesn't say where.")
    return read(answer, provider=provider, agreed=agreed)


def resolved(
    answer: Answer, *, provider: str, agreed: Callable[[Body], bool], refusal: Callable[[Body], Refusal | None]
) -> Body:
    """The body of an answer about an account. Raises AccountNotResolved where it says no, else as `read`."""
    if isinstance(answer, Reply) and answer.body is not None and answer.status in (200, 400, 404, 422):
        no = refusal(answer.body)
        if no is not None and no.about not in (Refused.US, Refused.FUNDS, Refused.BUSY):
            raise AccountNotResolved(f"{provider} knows no such account: {no.detail or 'no reason given'}.")
    return read(answer, provider=provider, agreed=agreed)


def is_duplicate(message: str) -> bool:
    """Whether a message says that the reference was used before."""
    return DUPLICATE.match(message) is not None


def about(message: str) -> Refused:
    """What a provider's refusal of a payout is about, where only its words tell."""
    if is_duplicate(message):
        return Refused.DUPLICATE
    return Refused.FUNDS if UNDERFUNDED.match(message) else Refused.ORDER


def failed_underfunded(status: RemoteStatus, message: str) -> bool:
    """Whether a payout failed since we hold too little there."""
    return status is RemoteStatus.FAILED and UNDERFUNDED.match(message) is not None


def is_asked_for(asked: str, theirs: str) -> bool:
    """Whether an answer is about what was asked for, under the name that it was asked for by."""
    return bool(asked) and asked == theirs


def beside(state: type[State], body: Body, *, provider: str, theirs: str) -> State:
    """What is known from an answer that isn't a good one about the reference that was asked for: nothing."""
    about = f"about another reference, {theirs}" if theirs else "without a reference"
    return state(RemoteStatus.UNKNOWN, detail=f"{provider} answered {about}.", raw=redacted(body))


def link(body: Body, *path: str, provider: str) -> str:
    """The address of a checkout. Raises ProviderUnavailable where there is none that a browser may be sent to."""
    url = reading.text(reading.inside(body, *path), 2000)
    if not url.startswith(("https://", "http://")):
        raise ProviderUnavailable(f"{provider} opened no checkout; try again later.")
    return url


def _refused(answer: Reply, no: Refusal, provider: str) -> SubmitResult:
    about = no.about
    if answer.status in UNAUTHORIZED and about is not Refused.DUPLICATE:
        about = Refused.US
    if answer.status in SAYS_NOTHING and about is not Refused.DUPLICATE:
        about = Refused.NOTHING
    outcome = {
        Refused.ORDER: SubmitOutcome.REJECTED,
        Refused.US: SubmitOutcome.REJECTED,
        Refused.FUNDS: SubmitOutcome.REJECTED,
        Refused.DUPLICATE: SubmitOutcome.ALREADY_EXISTS,
        Refused.BUSY: SubmitOutcome.NOT_SENT,
        Refused.NOTHING: SubmitOutcome.UNKNOWN,
    }[about]
    detail = f"{provider}: {no.detail}" if no.detail else f"{provider} said no without a reason (HTTP {answer.status})."
    return SubmitResult(
        outcome, detail=detail, code=no.code, retry_after=answer.retry_after, misconfigured=about is Refused.US,
        underfunded=about is Refused.FUNDS, raw=redacted(answer.body),
    )  # fmt: skip


def _unknown(answer: Reply, provider: str) -> SubmitResult:
    return SubmitResult(
        SubmitOutcome.UNKNOWN, detail=_unclear(answer, provider), retry_after=answer.retry_after,
        misconfigured=answer.status in UNAUTHORIZED, raw=redacted(answer.body or {}),
    )  # fmt: skip


def _unclear(answer: Reply, provider: str) -> str:
    what = "something that isn't JSON" if answer.body is None else "no clear answer"
    return f"{provider} gave {what} (HTTP {answer.status})."
