"""The one box: whatever somebody has in hand, it leads to the page of it, and to nothing they may not see."""

from operator import attrgetter

import pytest
from django.contrib.auth.models import AnonymousUser, Permission
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import reverse

from ledger.models import Account, Hold, Transaction
from users.models import User
from walletproject import demo, finding
from wallets.models import (
    Deposit,
    PayoutAttempt,
    Proposal,
    TopUp,
    Transfer,
    UnmatchedReceipt,
    UsageAccount,
    Wallet,
    Withdrawal,
)

pytestmark = pytest.mark.usefixtures("demo_data")


def found(term, user=None):
    request = RequestFactory().get("/admin/search/")
    request.user = user or User.objects.get(email=demo.STAFF)
    return {result.link for result in finding.find(request, term)}


def page(row):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


ROWS = {
    "a person by id": lambda: (User.objects.first(), "pk"),
    "a person by email": lambda: (User.objects.get(email="njeri@example.com"), "email"),
    "a wallet by id": lambda: (Wallet.objects.first(), "pk"),
    "a wallet by its account": lambda: (Wallet.objects.first(), "account_id"),
    "a wallet's usage by its id": lambda: (UsageAccount.objects.first(), "pk"),
    "a wallet's usage by its account": lambda: (UsageAccount.objects.first(), "wallet.account_id"),
    "a wallet's usage by its owner": lambda: (UsageAccount.objects.first(), "wallet.owner.email"),
    "a deposit by id": lambda: (Deposit.objects.first(), "pk"),
    "a transfer by id": lambda: (Transfer.objects.first(), "pk"),
    "a withdrawal by id": lambda: (Withdrawal.objects.first(), "pk"),
    "a top-up by our reference": lambda: (TopUp.objects.first(), "reference"),
    "a top-up by the provider's payment": lambda: (TopUp.objects.exclude(payment_id="").first(), "payment_id"),
    "a transaction by reference": lambda: (Transaction.objects.first(), "reference"),
    "an account by its code": lambda: (Account.objects.get(code="assets:clearing:sandbox:NGN"), "code"),
    "a hold by reference": lambda: (Hold.objects.first(), "reference"),
    "a receipt by the provider's payment": lambda: (UnmatchedReceipt.objects.first(), "payment_id"),
    "a proposal by id": lambda: (Proposal.objects.first(), "pk"),
}


@pytest.mark.parametrize("what", ROWS)
def test_it_finds(what):
    row, name = ROWS[what]()
    assert page(row) in found(f" {attrgetter(name)(row)} ")


def test_a_withdrawal_is_found_by_the_reference_of_an_attempt():
    withdrawal = Withdrawal.objects.first()
    PayoutAttempt.objects.create(
        withdrawal=withdrawal, number=1, provider="sandbox", reference="wdr_1", provider_id="TRF_9",
        started_at=withdrawal.created_at,
    )  # fmt: skip
    assert found("wdr_1") == found("TRF_9") == {page(withdrawal)}


def test_people_are_found_by_how_their_names_begin_whatever_the_case():
    assert page(User.objects.get(email="chidi@example.com")) in found("chidi ok")
    assert page(User.objects.get(email="chidi@example.com")) in found("CHIDI@")


def test_a_wallet_is_found_by_its_owners_email():
    assert {page(wallet) for wallet in Wallet.objects.filter(owner__email="amina@example.com")} <= found(
        "Amina@example.com"
    )


@pytest.mark.parametrize("term", ["", "x", "zz", "nothing like this", "a\0b", "%%%", "'; DROP TABLE x", "x" * 5_000])
def test_what_is_not_there_is_not_found(term):
    assert found(term) == set()


def test_nobody_finds_what_they_may_not_look_at():
    clerk = User.objects.create_user("clerk@example.com", "a long password", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_transfer"))
    transfer = Transfer.objects.first()
    assert found(str(transfer.pk), clerk) == {page(transfer)}
    assert found("amina@example.com", clerk) == found(str(transfer.pk), AnonymousUser()) == set()


def test_whoever_may_look_at_usage_alone_finds_a_wallets_usage_alone():
    clerk = User.objects.create_user("clerk@example.com", "a long password", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_usageaccount"))
    account = UsageAccount.objects.first()
    assert found(str(account.pk), clerk) == {page(account)}


def test_the_box_answers_in_the_page():
    client = Client()
    client.force_login(User.objects.get(email=demo.STAFF))
    answer = client.get("/admin/search/", {"s": "njeri", "extended": "1"}).content.decode()
    assert page(User.objects.get(email="njeri@example.com")) in answer


def test_every_way_to_look_has_an_index():
    """However many rows there are: with sequential scans forbidden, none is left in any plan."""
    id = Transfer.objects.first().pk
    for source in finding.SOURCES:
        for term in ("some:text@x", str(id)):
            query = source.find(term, finding._uuid(term))
            if query.query.is_empty():
                continue
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")
                sql, parameters = query.query.sql_with_params()
                cursor.execute(f"EXPLAIN {sql}", parameters)
                plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Seq Scan" not in plan, plan
