import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from users import clients, signatures
from users.callers import System
from users.clients import ClientError
from users.models import ApiClient, ApiSecret, AuditEvent
from users.tests.signing import Signer

OPERATOR = System("test")


def run(*arguments):
    """A command's standard output."""
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_a_secret_that_signs(now):
    printed = json.loads(run("create_api_client", "shop", "--scope", "wallets:read", "--scope", "deposits:write"))
    assert set(printed) == {"key_id", "secret"}
    caller = signatures.verify(Signer(**printed).sign(), now=now)
    assert caller.scopes == {"wallets:read", "deposits:write"}


def test_a_secret_is_stored_encrypted(shop):
    stored = bytes(ApiSecret.objects.get().secret)
    assert shop.secret.encode() not in stored
    assert shop.secret not in json.dumps(list(AuditEvent.objects.values_list("data", flat=True)))


def test_a_secret_stays_out_of_reprs(now):
    made = clients.create_api_client(name="shop", scopes=[], actor=OPERATOR, now=now)
    assert made.secret not in repr(made) + repr(ApiSecret.objects.get()) + str(ApiSecret.objects.get())


def test_an_unknown_scope_and_a_taken_name_are_refused(shop, now):
    with pytest.raises(ClientError, match="no scope wallets:steal"):
        clients.create_api_client(name="thief", scopes=["wallets:steal"], actor=OPERATOR, now=now)
    with pytest.raises(ClientError, match="exists already"):
        clients.create_api_client(name="shop", scopes=[], actor=OPERATOR, now=now)
    with pytest.raises(CommandError):
        run("create_api_client", "thief", "--scope", "wallets:steal")
    assert ApiClient.objects.count() == 1


def test_both_secrets_sign_while_they_are_exchanged(shop, now):
    second = Signer(**json.loads(run("rotate_api_client", "shop")))
    assert signatures.verify(shop.sign(), now=now) == signatures.verify(second.sign(), now=now)


def test_a_third_secret_needs_the_oldest_to_go(shop, now):
    second = Signer(**json.loads(run("rotate_api_client", shop.key_id)))
    with pytest.raises(CommandError, match="two live secrets"):
        run("rotate_api_client", "shop")
    third = Signer(**json.loads(run("rotate_api_client", "shop", "--revoke-old")))
    with pytest.raises(signatures.SignatureInvalid):
        signatures.verify(shop.sign(), now=now)
    assert signatures.verify(second.sign(), now=now) == signatures.verify(third.sign(), now=now)


def test_the_database_itself_knows_two_live_secrets_at_most(shop, now):
    clients.rotate_api_client(client_id=ApiClient.objects.get().pk, actor=OPERATOR, now=now)
    for slot in (1, 2, 3):
        with pytest.raises(IntegrityError, match="users_apisecret_"), transaction.atomic():
            ApiSecret.objects.create(
                key_id="third", client=ApiClient.objects.get(), secret=b"x", slot=slot, created_at=now
            )


def test_an_unknown_client_cannot_rotate():
    with pytest.raises(CommandError, match="No client"):
        run("rotate_api_client", "nobody")


def test_what_happens_to_a_client_leaves_a_trace(shop, now):
    client = ApiClient.objects.get()
    later = now + timedelta(days=1)
    clients.rotate_api_client(client_id=client.pk, actor=OPERATOR, revoke_oldest=True, now=later)
    trace = AuditEvent.objects.filter(object_kind="client", object_id=str(client.pk)).order_by("id")
    assert [event.action for event in trace] == ["client.created", "client.secret_revoked", "client.secret_added"]


def test_purging_says_what_went():
    assert run("purge_expired") == "0 tokens, 0 nonces\n"
