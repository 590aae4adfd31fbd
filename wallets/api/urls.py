from django.urls import path

from wallets.api import deposits, snapshots, statements, topups, transfers, wallets, webhooks, withdrawals

urlpatterns = [
    # The busiest first: they are tried in turn.
    path("wallets/<uuid:id>/balance", wallets.BalanceView.as_view()),
    path("transfers", transfers.TransfersView.as_view()),
    path("wallets", wallets.WalletsView.as_view()),
    path("wallets/<uuid:id>", wallets.WalletView.as_view()),
    path("wallets/<uuid:id>/close", wallets.CloseView.as_view()),
    path("wallets/<uuid:id>/members", wallets.MembersView.as_view()),
    path("wallets/<uuid:id>/members/<uuid:user_id>", wallets.MemberView.as_view()),
    path("wallets/<uuid:id>/transactions", wallets.TransactionsView.as_view()),
    path("wallets/<uuid:id>/statement", statements.StatementView.as_view()),
    path("wallets/<uuid:id>/deposits", deposits.DepositsView.as_view()),
    path("wallets/<uuid:id>/withdrawals", withdrawals.WalletWithdrawalsView.as_view()),
    path("wallets/<uuid:id>/top-ups", topups.WalletTopUpsView.as_view()),
    path("top-ups", topups.TopUpsView.as_view()),
    path("top-ups/<uuid:id>", topups.TopUpView.as_view()),
    path("webhooks/<str:provider>", webhooks.WebhookView.as_view()),
    path("wallets/<uuid:id>/sync-balance", snapshots.SyncView.as_view()),
    path("wallets/<uuid:id>/balance-snapshots", snapshots.SnapshotsView.as_view()),
    path("wallets/<uuid:id>/balance-snapshots/latest", snapshots.LatestView.as_view()),
    path("wallets/<uuid:id>/balance-snapshots/series", snapshots.SeriesView.as_view()),
    path("transfers/batch", transfers.BatchView.as_view()),
    path("transfers/<uuid:id>", transfers.TransferView.as_view()),
    path("withdrawals", withdrawals.WithdrawalsView.as_view()),
    path("withdrawals/<uuid:id>", withdrawals.WithdrawalView.as_view()),
    path("withdrawals/<uuid:id>/cancel", withdrawals.CancelView.as_view()),
    path("bank-accounts", withdrawals.BankAccountsView.as_view()),
    path("bank-accounts/<uuid:id>", withdrawals.BankAccountView.as_view()),
    path("banks", withdrawals.BanksView.as_view()),
]
