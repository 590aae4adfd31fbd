"""Wallets over HTTP: opened, listed, shared, renamed, closed; and somebody else's look as if they weren't there."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from users.models import AuditEvent
from wallets import opening
from wallets.tests.conftest import balance, join


def test_a_wallet_is_opened_and_shown(alice):
    made = alice.http.post("wallets", {"currency": "KWD", "name": "Savings", "metadata": {"goal": "house"}})
    assert made.status == 201
    assert made.headers["Location"] == f"/api/v1/wallets/{made.body['id']}"
    assert made.body == {
        "id": made.body["id"], "name": "Savings", "currency": "KWD", "exponent": 3, "status": "active",
        "owner": {"id": str(alice.user.pk), "email": "alice@example.com"}, "role": "owner",
        "metadata": {"goal": "house"}, "created_at": made.body["created_at"],
    }  # fmt: skip
    assert made.body["created_at"].endswith("Z")
    assert alice.http.get(f"wallets/{made.body['id']}").body == made.body


def test_a_person_has_several_wallets_and_the_first_in_a_currency_is_the_default(alice):
    first, second, dollars = alice.open("NGN"), alice.open("NGN"), alice.open("USD")
    assert [wallet.is_default for wallet in (first, second, dollars)] == [True, False, True]
    listed = alice.http.get("wallets").body["results"]
    assert [wallet["id"] for wallet in listed] == [str(wallet.id) for wallet in (dollars, second, first)]
    assert [wallet["currency"] for wallet in alice.http.get("wallets?currency=USD").body["results"]] == ["USD"]


def test_lists_come_in_pages_both_ways(alice):
    ids = [str(alice.open().id) for _ in range(5)][::-1]
    first = alice.http.get("wallets?limit=2").body
    second = alice.http.get(first["next"].removeprefix("http://testserver")).body
    third = alice.http.get(second["next"].removeprefix("http://testserver")).body
    assert [wallet["id"] for page in (first, second, third) for wallet in page["results"]] == ids
    assert (first["previous"], third["next"]) == (None, None)
    back = alice.http.get(third["previous"].removeprefix("http://testserver")).body
    assert back["results"] == second["results"]


@pytest.mark.parametrize("query", ["limit=0", "limit=500", "limit=x", "cursor=nonsense", "colour=red", "status=open"])
def test_a_list_refuses_what_it_doesnt_take(alice, query):
    assert (alice.http.get(f"wallets?{query}").status, alice.http.get(f"wallets?{query}").code) == (
        400,
        "validation_error",
    )


def test_a_stranger_sees_what_isnt_there(alice, charlie, purse):
    missing = uuid4()
    for path in ("", "/balance", "/transactions", "/members"):
        theirs, nobodys = charlie.http.get(f"wallets/{purse.id}{path}"), charlie.http.get(f"wallets/{missing}{path}")
        assert (theirs.status, theirs.code) == (nobodys.status, nobodys.code) == (404, "not_found")
        assert theirs.body | {"request_id": ""} == nobodys.body | {"request_id": ""}
    for method, path, body in (
        ("PATCH", "", {"name": "Mine"}), ("POST", "/close", {}), ("DELETE", f"/members/{alice.user.pk}", None),
        ("POST", "/members", {"user": "charlie@example.com", "role": "owner"}),
    ):  # fmt: skip
        assert charlie.http.send(method, f"wallets/{purse.id}{path}", body, {}).status == 404
    assert charlie.http.get("wallets").body["results"] == []
    assert balance(alice.http, purse) == (1_000, 0, 0, 1_000)


def test_members_see_and_do_what_their_role_allows(alice, bob, purse, bobs):
    assert alice.http.post(f"wallets/{purse.id}/members", {"user": "BOB@example.com", "role": "viewer"}).status == 201
    order = {"source": str(purse.id), "destination": str(bobs.id), "amount": 10}
    assert balance(bob.http, purse) == (1_000, 0, 0, 1_000)
    assert (bob.http.post("transfers", order).status, bob.http.post("transfers", order).code) == (
        403,
        "permission_denied",
    )
    assert alice.http.post(f"wallets/{purse.id}/members", {"user": str(bob.user.pk), "role": "spender"}).status == 201
    assert bob.http.post("transfers", order).status == 201
    assert bob.http.patch(f"wallets/{purse.id}", {"name": "Bob's"}).status == 403
    roles = {member["email"]: member["role"] for member in bob.http.get(f"wallets/{purse.id}/members").body["results"]}
    assert roles == {"alice@example.com": "owner", "bob@example.com": "spender"}


def test_the_last_owner_stays(alice, bob, purse):
    path = f"wallets/{purse.id}/members"
    assert alice.http.delete(f"{path}/{alice.user.pk}").code == "invalid_state"
    assert alice.http.post(path, {"user": str(alice.user.pk), "role": "viewer"}).code == "invalid_state"
    alice.http.post(path, {"user": str(bob.user.pk), "role": "owner"})
    assert alice.http.delete(f"{path}/{alice.user.pk}").status == 204
    assert alice.http.get(f"wallets/{purse.id}").status == 404
    assert bob.http.delete(f"{path}/{alice.user.pk}").status == 404


@pytest.mark.parametrize("how", ["removed", "demoted"])
def test_nothing_sent_to_a_former_owner_reaches_the_wallet_that_they_left(alice, bob, charlie, shop, purse, how):
    path = f"wallets/{purse.id}/members"
    alice.http.post(path, {"user": str(bob.user.pk), "role": "owner"})
    if how == "removed":
        assert bob.http.delete(f"{path}/{alice.user.pk}").status == 204
    else:
        assert bob.http.post(path, {"user": str(alice.user.pk), "role": "viewer"}).status == 201
    own, theirs = alice.open(), charlie.open()
    shop.fund(theirs, 700)
    sent = charlie.http.post(
        "transfers", {"source": str(theirs.id), "destination_user": "alice@example.com", "amount": 700}
    )
    assert sent.body["destination"] == str(own.id)
    assert bob.http.get(f"wallets/{purse.id}").body["owner"]["email"] == "bob@example.com"
    assert balance(bob.http, purse) == (1_000, 0, 0, 1_000)


def test_an_unknown_person_is_not_found(alice, purse):
    for user in ("nobody@example.com", str(uuid4())):
        assert alice.http.post(f"wallets/{purse.id}/members", {"user": user, "role": "viewer"}).code == "not_found"


def test_a_wallet_is_renamed_and_nothing_else_of_it_changes(alice, purse):
    assert alice.http.patch(f"wallets/{purse.id}", {"name": "Rent"}).body["name"] == "Rent"
    for forbidden in ("status", "balance", "currency", "owner", "is_default"):
        assert alice.http.patch(f"wallets/{purse.id}", {forbidden: "x"}).code == "validation_error"
    assert alice.http.get(f"wallets/{purse.id}").body["status"] == "active"


def test_only_an_empty_wallet_is_closed_and_then_for_ever(alice, bob, shop, purse, bobs):
    refused = alice.http.post(f"wallets/{purse.id}/close")
    assert (refused.status, refused.code, refused.body["balance"]) == (409, "wallet_not_empty", 1_000)
    alice.http.post("transfers", {"source": str(purse.id), "destination": str(bobs.id), "amount": 1_000})
    assert alice.http.post(f"wallets/{purse.id}/close").body["status"] == "closed"
    back = {"source": str(bobs.id), "destination": str(purse.id), "amount": 1}
    assert bob.http.post("transfers", back).code == "wallet_closed"
    assert shop.http.post(f"wallets/{purse.id}/deposits", {"amount": 1}).code == "wallet_closed"
    assert alice.http.post(f"wallets/{purse.id}/close").code == "invalid_state"
    assert balance(bob.http, bobs) == (1_000, 0, 0, 1_000)


def test_the_next_oldest_wallet_becomes_the_default_when_that_is_closed(alice, bob, purse):
    first, second, _ = bob.open(), bob.open(), bob.open()
    bob.http.post(f"wallets/{first.id}/close")
    sent = alice.http.post("transfers", {"source": str(purse.id), "destination_user": "bob@example.com", "amount": 1})
    assert sent.body["destination"] == str(second.id)


def test_nothing_leaves_a_frozen_wallet_until_it_is_thawed(alice, sade, shop, purse, bobs):
    now = datetime.now(UTC)
    opening.set_frozen(actor=sade.user, wallet_id=purse.id, frozen=True, now=now)
    order = {"source": str(purse.id), "destination": str(bobs.id), "amount": 1}
    assert alice.http.post("transfers", order).code == "wallet_frozen"
    shop.fund(purse, 5)
    opening.set_frozen(actor=sade.user, wallet_id=purse.id, frozen=False, now=now)
    assert alice.http.post("transfers", order).status == 201
    assert balance(alice.http, purse) == (1_004, 0, 0, 1_004)


def test_a_service_opens_wallets_for_people_and_finds_them(alice, shop):
    made = shop.http.post("wallets", {"currency": "NGN", "owner": "alice@example.com"})
    assert (made.status, made.body["owner"]["email"], made.body["role"]) == (201, "alice@example.com", None)
    assert alice.http.get(f"wallets/{made.body['id']}").body["role"] == "owner"
    for owner in ("alice@example.com", str(alice.user.pk)):
        assert [found["id"] for found in shop.http.get(f"wallets?owner={owner}").body["results"]] == [made.body["id"]]
    assert shop.http.post("wallets", {"currency": "NGN", "owner": "nobody@example.com"}).code == "validation_error"


def test_a_person_opens_wallets_only_for_themselves(alice, bob):
    assert alice.http.post("wallets", {"currency": "NGN", "owner": "bob@example.com"}).status == 403
    assert bob.http.get("wallets").body["results"] == []


@pytest.mark.parametrize("currency", ["XXX", "usd", "EURO", "", "XAU", 5, None])
def test_a_wallet_is_in_a_currency_that_exists(alice, currency):
    assert alice.http.post("wallets", {"currency": currency}).code == "validation_error"


def test_the_trail_tells_who_did_what(alice, purse):
    alice.http.patch(f"wallets/{purse.id}", {"name": "Rent"})
    deeds = AuditEvent.objects.filter(object_id=str(purse.id)).order_by("id")
    assert [(deed.action, deed.actor_kind) for deed in deeds] == [
        ("wallet.opened", "person"),
        ("wallet.changed", "person"),
    ]
    assert deeds[1].actor_id == str(alice.user.pk)


def test_a_balance_is_known_by_its_etag(alice, shop, purse):
    first = alice.http.get(f"wallets/{purse.id}/balance")
    assert first.headers["X-Balance-Estimated"] == "false"
    assert alice.http.get(f"wallets/{purse.id}/balance", If_None_Match=first.headers["ETag"]).status == 304
    shop.fund(purse, 1)
    again = alice.http.get(f"wallets/{purse.id}/balance", If_None_Match=first.headers["ETag"])
    assert (again.status, again.body["balance"]) == (200, 1_001)


def test_nobody_without_a_token_gets_in(alice, purse):
    alice.http.token = None
    assert (alice.http.get("wallets").status, alice.http.get("wallets").code) == (401, "not_authenticated")


def test_a_deactivated_person_gets_nothing_sent(alice, purse):
    dora = join("dora@example.com", "Dora")
    dora.open()
    dora.user.is_active = False
    dora.user.save()
    order = {"source": str(purse.id), "destination_user": "dora@example.com", "amount": 1}
    assert alice.http.post("transfers", order).code == "not_found"
    assert balance(alice.http, purse) == (1_000, 0, 0, 1_000)
