"""What is counted for Prometheus, a helper for each: whoever does it calls the helper, at the edge of the product.

Every label has few values: codes, providers and states, never ids. What happens in a transaction is counted when it
is committed; all other helpers count at once. Counting takes about two microseconds.
"""

from datetime import datetime
from functools import partial

from django.db import transaction
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from wallets.metrics import files
from wallets.metrics.backups import Backups
from wallets.metrics.queues import Queues

COUNTED = CollectorRegistry()
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0

_postings = Counter("wallet_postings", "Postings committed to the books.", ["kind"], registry=COUNTED)
_refusals = Counter("wallet_refusals", "Requests and batch items refused for what the books or rules say.", ["code"],
                    registry=COUNTED)  # fmt: skip
_problems = Counter("wallet_http_problems", "Problem documents made, replays not among them.", ["code"],
                    registry=COUNTED)  # fmt: skip
_syncs_tried = Counter("wallet_balance_syncs_tried", "Balance syncs begun.", ["provider"], registry=COUNTED)
_syncs = Counter("wallet_balance_syncs", "Balance syncs by outcome: new, unchanged, replayed, put_off, failed.",
                 ["provider", "outcome"], registry=COUNTED)  # fmt: skip
_sync_seconds = Histogram("wallet_balance_sync_seconds", "How long a balance sync takes, the provider's part included.",
                          ["provider"], registry=COUNTED)  # fmt: skip
_drift_alerts = Counter("wallet_drift_alerts", "Alerts opened since a provider's balance and our books differ.",
                        ["provider", "currency"], registry=COUNTED)  # fmt: skip
_payouts = Counter("wallet_payouts", "Withdrawals that came into a state.", ["provider", "state"], registry=COUNTED)
_payout_outcomes = Counter("wallet_payout_outcomes", "What orders came to when they were sent; watch `unknown`.",
                           ["provider", "outcome"], registry=COUNTED)  # fmt: skip
_payout_retries = Counter("wallet_payout_retries", "Orders sent once more, under the same reference.", ["provider"],
                          registry=COUNTED)  # fmt: skip
_payout_seconds = Histogram(
    "wallet_payout_settle_seconds", "From asking for a withdrawal to knowing that it was paid.", ["provider"],
    buckets=(1, 2, 5, 10, 30, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 3 * DAY), registry=COUNTED,
)  # fmt: skip
_circuits = Gauge("wallet_provider_circuit", "Circuit breaker, of an account with a currency: 0 closed, 1 half open, 2"
                  " open.", ["provider", "currency"], multiprocess_mode="mostrecent", registry=COUNTED)  # fmt: skip
_usage_events = Counter("wallet_usage_events", "Usage events by outcome: accepted, duplicate, conflict, rejected.",
                        ["outcome"], registry=COUNTED)  # fmt: skip
_usage_alerts = Counter("wallet_usage_alerts", "Alerts opened since a wallet's current balance or runway is low.",
                        ["kind"], registry=COUNTED)  # fmt: skip
_automatic_top_ups = Counter("wallet_automatic_top_ups", "Automatic top-ups: completed, declined.", ["outcome"],
                             registry=COUNTED)  # fmt: skip
_webhooks = Counter("wallet_webhooks", "Webhooks by verdict.", ["provider", "verdict"], registry=COUNTED)

_broken = Gauge("wallet_verification_broken", "What the last proof of the books found broken; alert above 0.",
                multiprocess_mode="mostrecent", registry=COUNTED)  # fmt: skip
_verified = Gauge("wallet_verification_time_seconds", "When the books were last proven, in seconds since 1970.",
                  multiprocess_mode="mostrecent", registry=COUNTED)  # fmt: skip

CIRCUIT = {"closed": 0, "half_open": 1, "open": 2}
_queues, _backups = Queues(), Backups()


def posted(kind: str, number: int = 1) -> None:
    """Postings of a kind (deposit, transfer, withdrawal …) that the current transaction makes, once it commits."""
    transaction.on_commit(partial(_postings.labels(kind).inc, number))


def refused(code: str) -> None:
    """Somebody was refused with this code: insufficient_funds, wallet_frozen …"""
    _refusals.labels(code).inc()


def problem(code: str) -> None:
    """An HTTP problem with this code."""
    _problems.labels(code).inc()


def sync_tried(provider: str) -> None:
    """A balance sync begins."""
    _syncs_tried.labels(provider).inc()


def sync_ended(provider: str, outcome: str, seconds: float) -> None:
    """A balance sync ended as new, unchanged, replayed, put_off or failed."""
    _syncs.labels(provider, outcome).inc()
    _sync_seconds.labels(provider).observe(seconds)


def drift_alerted(provider: str, currency: str) -> None:
    """An alert of drift is opened by the current transaction, once it commits."""
    transaction.on_commit(_drift_alerts.labels(provider, currency).inc)


def payout_became(provider: str, state: str) -> None:
    """A withdrawal comes into a state by the current transaction, once it commits."""
    transaction.on_commit(_payouts.labels(provider, state).inc)


def payout_answered(provider: str, outcome: str) -> None:
    """A provider's answer to an order, a `SubmitOutcome`."""
    _payout_outcomes.labels(provider, outcome).inc()


def payout_retried(provider: str) -> None:
    """An order that is known not to have arrived is sent once more."""
    _payout_retries.labels(provider).inc()


def payout_settled(provider: str, seconds: float) -> None:
    """A withdrawal is paid by the current transaction, so many seconds after it was asked for, once it commits."""
    transaction.on_commit(partial(_payout_seconds.labels(provider).observe, seconds))


def circuit_became(provider: str, currency: str, state: str) -> None:
    """The circuit breaker of a provider ("" for the currency) or of an account there is closed, half_open or open."""
    _circuits.labels(provider, currency).set(CIRCUIT[state])


def webhook_came(provider: str, verdict: str) -> None:
    """A webhook for an enabled provider was stored, duplicate, forged, unreadable …"""
    _webhooks.labels(provider, verdict).inc()


def verified(at: datetime, broken: int) -> None:
    """The books were proven, from that moment on, and so many offenders found."""
    _broken.set(broken)
    _verified.set(at.timestamp())


def usage_taken(outcome: str, number: int) -> None:
    """Usage events that the current transaction takes or doesn't, once it commits."""
    transaction.on_commit(partial(_usage_events.labels(outcome).inc, number))


def usage_alerted(kind: str) -> None:
    """An alert of a low balance or runway is opened by the current transaction, once it commits."""
    transaction.on_commit(_usage_alerts.labels(kind).inc)


def topped_up(outcome: str) -> None:
    """The current transaction tops a wallet up by itself, or is declined that, once it commits."""
    transaction.on_commit(_automatic_top_ups.labels(outcome).inc)


def exposition() -> bytes:
    """Everything, of all processes, as Prometheus reads it."""
    everything = CollectorRegistry()
    everything.register(files.Files() if files.FOLDER else COUNTED)
    everything.register(_queues)
    everything.register(_backups)
    return generate_latest(everything)
