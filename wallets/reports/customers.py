"""A wallet's statement, as its owner has it."""

from wallets.access import NotFound
from wallets.documents.document import Document
from wallets.models import Wallet
from wallets.reports.report import Parameters, Report
from wallets.statements import document as statements
from wallets.statements.statement import statement_of


def wallet_statement(parameters: Parameters) -> Document:
    """Opening balance, every transaction with the balance after it, closing balance. Raises NotFound."""
    assert parameters.since and parameters.until and parameters.wallet
    wallet = Wallet.objects.select_related("owner").filter(pk=parameters.wallet).first()
    if wallet is None:
        raise NotFound("wallet")
    return statements.document(statement_of(wallet, parameters.since, parameters.until))


WALLET_STATEMENT = Report(
    "wallet-statement", "Wallet statement", "What happened in a wallet, with the balance after each transaction.",
    ("since", "until", "wallet"), wallet_statement, may=(),
)  # fmt: skip
