"""Laws over any answer: nothing raises, and money is given back for words that say so and for no others."""

import json
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets.providers.fincra import answers as fincra
from wallets.providers.fincra import webhooks as fincra_webhooks
from wallets.providers.flutterwave import answers as flutterwave
from wallets.providers.flutterwave import webhooks as flutterwave_webhooks
from wallets.providers.paystack import answers as paystack
from wallets.providers.paystack import webhooks as paystack_webhooks
from wallets.providers.port import ProviderEvent, RemoteStatus, SubmitOutcome
from wallets.providers.transport import Reply, decode
from wallets.tests.providers.examples import REFERENCE

ALL = pytest.mark.parametrize("answers", [paystack, flutterwave, fincra], ids=lambda module: module.NAME)
WEBHOOKS = pytest.mark.parametrize("webhooks", [paystack_webhooks, flutterwave_webhooks, fincra_webhooks])
WORDS = st.sampled_from(
    [
        "status", "success", "data", "message", "error", "errorType", "code", "type", "reference", "customerReference",
        "merchantReference", "tx_ref", "amount", "amountReceived", "currency", "destinationCurrency", "id", "fee",
        "fees",
        "fee_charged", "failed", "FAILED", "successful", "SUCCESSFUL", "pending", "event", "requires_approval",
        "RESOURCE_NOT_FOUND", "INTERNAL_SERVER_ERROR", "NGN", REFERENCE, "Transfer not found", "", "\x00", "\ud800",
    ]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=6), max_leaves=12
)
BODIES = st.none() | st.dictionaries(WORDS, VALUES, max_size=6)
STATUSES = st.sampled_from([200, 201, 202, 204, 302, 400, 401, 403, 404, 408, 409, 422, 429, 500, 502, 503, 599, 999])


def reply_of(status: int, body: object) -> Reply:
    """As the transport would have read it."""
    return Reply(status, None if body is None else decode(json.dumps(body).encode()))


def says_no(answers: ModuleType, reply: Reply) -> bool:
    word = {"Paystack": ("status", False), "Flutterwave": ("status", "error"), "Fincra": ("success", False)}[
        answers.NAME
    ]
    return reply.body is not None and reply.body.get(word[0]) == word[1]


@ALL
@given(STATUSES, BODIES)
def test_an_order_is_refused_only_in_their_own_words(answers, status, body):
    reply = reply_of(status, body)
    result = answers.classify_payout(reply, REFERENCE)
    if result.outcome is SubmitOutcome.REJECTED:
        assert status < 500
        assert says_no(answers, reply) or (status in (401, 403) and reply.body is not None)
    if result.outcome is SubmitOutcome.NOT_SENT:
        assert status == 429 or says_no(answers, reply)
    if result.outcome in (SubmitOutcome.ACCEPTED, SubmitOutcome.ACTION_REQUIRED):
        assert 200 <= status < 300
        assert REFERENCE in json.dumps(body)
    json.dumps(result.raw).encode()
    result.detail.encode()


@ALL
@given(STATUSES, BODIES)
def test_an_end_is_believed_only_of_our_reference(answers, status, body):
    state = answers.classify_payout_query(reply_of(status, body), REFERENCE)
    if state.status not in (RemoteStatus.UNKNOWN, RemoteStatus.NOT_FOUND):
        assert status == 200
        assert REFERENCE in json.dumps(body)
    if state.status is RemoteStatus.NOT_FOUND:
        assert status in (200, 400, 404, 422)
    assert state.amount is None or isinstance(state.amount, int)
    json.dumps(state.raw).encode()


@ALL
@given(STATUSES, BODIES, st.sampled_from([(REFERENCE, ""), ("", "1"), ("", "")]))
def test_a_deposit_is_believed_only_where_it_is_named(answers, status, body, asked):
    state = answers.classify_deposit_query(reply_of(status, body), *asked)
    if state.status is RemoteStatus.SUCCEEDED:
        assert status == 200
        assert (asked[0] or asked[1]) in json.dumps(body)
        assert any(asked)


@WEBHOOKS
@given(st.binary(max_size=50) | BODIES.map(lambda body: json.dumps(body).encode()))
def test_a_webhook_is_an_event_or_a_value_error(webhooks, body):
    try:
        (event,) = webhooks.parse(body)
    except ValueError:
        return
    assert isinstance(event, ProviderEvent)
    assert 0 < len(event.dedupe_key) <= 150
    "".join((event.dedupe_key, event.reference, event.provider_id, event.hinted_status)).encode()
