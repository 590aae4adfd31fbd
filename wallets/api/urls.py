from django.urls import path

from wallets.api import deposits, statements, transfers, wallets, withdrawals

urlpatterns = [
    path("wallets", wallets.WalletsView.as_view()),
    path("wallets/<uuid:id>", wallets.WalletView.as_view()),
    path("wallets/<uuid:id>/close", wallets.CloseView.as_view()),
    path("wallets/<uuid:id>/members", wallets.MembersView.as_view()),
    path("wallets/<uuid:id>/members/<uuid:user_id>", wallets.MemberView.as_view()),
    path("wallets/<uuid:id>/balance", wallets.BalanceView.as_view()),
    path("wallets/<uuid:id>/transactions", wallets.TransactionsView.as_view()),
    path("wallets/<uuid:id>/statement", statements.StatementView.as_view()),
    path("wallets/<uuid:id>/deposits", deposits.DepositsView.as_view()),
    path("wallets/<uuid:id>/withdrawals", withdrawals.WalletWithdrawalsView.as_view()),
    path("transfers", transfers.TransfersView.as_view()),
    path("transfers/batch", transfers.BatchView.as_view()),
    path("transfers/<uuid:id>", transfers.TransferView.as_view()),
    path("withdrawals", withdrawals.WithdrawalsView.as_view()),
    path("withdrawals/<uuid:id>", withdrawals.WithdrawalView.as_view()),
    path("withdrawals/<uuid:id>/cancel", withdrawals.CancelView.as_view()),
    path("bank-accounts", withdrawals.BankAccountsView.as_view()),
    path("bank-accounts/<uuid:id>", withdrawals.BankAccountView.as_view()),
    path("banks", withdrawals.BanksView.as_view()),
]
