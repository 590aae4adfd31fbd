"""What others say about our payouts: a reason to ask the bank, and nothing else."""

from datetime import datetime
from functools import partial

from django.db import transaction

from ledger import sql
from wallets import bell

LOOK = """
UPDATE wallets_withdrawal SET next_at = least(next_at, %s) WHERE id = %s AND status = 'processing'
"""


def heard(provider: str, reference: str, *, now: datetime) -> bool:
    """Somebody says that something happened to a payout: have it looked at now. False where it is none of ours."""
    find = "SELECT withdrawal_id FROM wallets_payoutattempt WHERE provider = %s AND reference = %s"
    for (withdrawal_id,) in sql.rows(find, (provider, reference)):
        if sql.run(LOOK, (now, withdrawal_id)).rowcount:
            transaction.on_commit(partial(bell.ring, "wallets.advance_withdrawal", str(withdrawal_id)))
        return True
    return False
