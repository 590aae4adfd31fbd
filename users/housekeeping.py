"""Throwing away what has served: the periodic job calls `purge`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from users import staff_sessions
from users.models import RefreshToken, SignatureNonce

# A token that comes back after it expired is refused by its own claims; its row is kept a little for inquiries.
_TOKEN_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows went."""

    tokens: int
    nonces: int


def purge(now: datetime) -> Purged:
    """Delete refresh tokens that expired a week ago, and nonces whose signatures are too old to come again.

    Sessions of the back office that can't be alive any more go, too.
    """
    tokens, _ = RefreshToken.objects.filter(expires_at__lt=now - _TOKEN_KEPT).delete()
    nonces, _ = SignatureNonce.objects.filter(expires_at__lt=now).delete()
    staff_sessions.forget_old(now)
    return Purged(tokens=tokens, nonces=nonces)
