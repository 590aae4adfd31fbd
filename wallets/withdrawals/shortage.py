"""Too little of our money at a provider: finance is told while orders wait for it, and told again while it lasts."""

from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, QuerySet, Sum

from wallets import finance
from wallets.currencies import exponent
from wallets.documents.document import major
from wallets.models import ProviderCircuit, Withdrawal

# Also where it is over in between: what is enough for small orders may not be for the next large one.
AGAIN = timedelta(hours=6)


def untold(*, now: datetime) -> list[ProviderCircuit]:
    """The accounts that have too little, and of which finance hasn't heard lately."""
    return list(_untold(now).exclude(currency="").exclude(opened_at=None).order_by("opened_at"))


def mail(circuit: ProviderCircuit, *, now: datetime) -> None:
    """Tell finance, once, whoever else is about to. Raises what the mail server says."""
    if not _untold(now).filter(pk=circuit.pk).update(mailed_at=now):
        return
    try:
        finance.mail(f"{circuit.provider} holds too little {circuit.currency} for our payouts", _letter(circuit, now))
    except Exception:
        ProviderCircuit.objects.filter(pk=circuit.pk, mailed_at=now).update(mailed_at=circuit.mailed_at)
        raise


def _untold(now: datetime) -> QuerySet[ProviderCircuit]:
    return ProviderCircuit.objects.filter(Q(mailed_at=None) | Q(mailed_at__lte=now - AGAIN))


def _letter(circuit: ProviderCircuit, now: datetime) -> str:
    waiting = Withdrawal.objects.filter(
        status=Withdrawal.Status.PENDING, provider=circuit.provider, currency=circuit.currency
    ).aggregate(count=Count("pk"), sum=Sum("amount"), since=Min("created_at"))
    since = f", the oldest since {waiting['since']:%Y-%m-%d %H:%M} UTC" if waiting["since"] else ""
    amount = major(waiting["sum"] or 0, exponent(circuit.currency))
    return (
        f"{circuit.reason}\n\n"
        f"{waiting['count']} withdrawals of {circuit.currency} {amount:,} in all wait at {circuit.provider}{since}.\n"
        "Nobody's withdrawal has failed for it. Put money into the account: they are sent by themselves within ten"
        " minutes.\n\n"
        "While that lasts, this mail comes every six hours. The back office has it under Circuits.\n"
    )
