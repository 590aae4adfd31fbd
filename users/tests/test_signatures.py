import base64
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import http_sf
import pytest
from django.db import OperationalError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from users import clients, housekeeping, signatures
from users.callers import System
from users.models import ApiClient, SignatureNonce
from users.signatures import SignatureExpired, SignatureInvalid, SignatureReplayed
from users.tests.signing import SignedRequest, Signer

BODY = b'{"amount": 1170}'


@pytest.fixture
def request_(shop) -> SignedRequest:
    """A transfer with everything that a signature must cover."""
    return shop.sign("POST", "/api/v1/transfers?dry=1", body=BODY, headers={"Idempotency-Key": "k-1"})


def test_a_signed_request_tells_the_client_and_its_scopes(request_, now):
    caller = signatures.verify(request_, now=now)
    shop = ApiClient.objects.get()
    assert (caller.kind, caller.id, caller.scopes) == ("service", shop.pk, frozenset({"wallets:read"}))
    assert caller.key == f"service:{shop.pk}"


def test_a_warm_key_costs_one_query_and_a_cold_one_two(shop, now, django_assert_num_queries):
    with django_assert_num_queries(2):
        signatures.verify(shop.sign(), now=now)
    with django_assert_num_queries(1):
        signatures.verify(shop.sign(), now=now)


TAMPERINGS = {
    "method": lambda r: setattr(r, "method", "PUT"),
    "path": lambda r: setattr(r, "url", r.url.replace("/transfers", "/withdrawals")),
    "query": lambda r: setattr(r, "url", r.url.replace("dry=1", "dry=0")),
    "no query": lambda r: setattr(r, "url", r.url.partition("?")[0]),
    "body": lambda r: setattr(r, "body", BODY.replace(b"1170", b"9170")),
    "no body": lambda r: setattr(r, "body", b""),
    "idempotency key": lambda r: r.headers.update({"Idempotency-Key": "k-2"}),
    "no idempotency key": lambda r: r.headers.pop("Idempotency-Key"),
    "body and digest": lambda r: (setattr(r, "body", b"{}"), r.headers.update(SignedRequestDigest)),
    "created": lambda r: change(r, "created=", "created=1"),
    "nonce": lambda r: change(r, 'nonce="', 'nonce="x'),
    "key": lambda r: change(r, 'keyid="', 'keyid="x'),
    "algorithm": lambda r: change(r, "hmac-sha256", "hmac-sha512"),
    "label": lambda r: (change(r, "sig1=", "sig2="), change(r, "sig1=", "sig2=", "Signature")),
    "covered": lambda r: change(r, ' "content-digest"', ""),
    "no signature": lambda r: r.headers.pop("Signature"),
    "no input": lambda r: r.headers.pop("Signature-Input"),
}
SignedRequestDigest = {"Content-Digest": "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:"}


def change(request, old, new, header="Signature-Input"):
    assert old in request.headers[header]
    request.headers[header] = request.headers[header].replace(old, new)


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_request_changed_after_signing_is_refused(request_, now, tampering):
    TAMPERINGS[tampering](request_)
    with pytest.raises(SignatureInvalid):
        signatures.verify(request_, now=now)
    assert not SignatureNonce.objects.exists()


@pytest.mark.parametrize("left_out", ["@method", "@path", "@query", "content-digest", "idempotency-key"])
def test_a_signature_that_covers_too_little_is_refused(shop, now, left_out):
    names = ("@method", "@path", "@query", "content-digest", "idempotency-key")
    covered = tuple(name for name in names if name != left_out)
    request = shop.sign("POST", "/x?y=1", body=BODY, headers={"Idempotency-Key": "k"}, covered=covered)
    with pytest.raises(SignatureInvalid, match=f"must cover {left_out}"):
        signatures.verify(request, now=now)


def test_a_covered_digest_of_another_algorithm_alone_is_refused(shop, now):
    digest = f"sha-512=:{base64.b64encode(hashlib.sha512(BODY).digest()).decode()}:"
    request = shop.sign("POST", body=BODY, headers={"Content-Digest": digest})
    with pytest.raises(SignatureInvalid, match="sha-256"):
        signatures.verify(request, now=now)


@pytest.mark.parametrize("seconds", [-300, 300])
def test_the_clock_may_differ_by_five_minutes(shop, now, seconds):
    moment = now.replace(microsecond=0)
    assert signatures.verify(shop.sign(created=moment + timedelta(seconds=seconds)), now=moment)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_beyond_five_minutes_a_signature_has_expired(shop, now, seconds):
    moment = now.replace(microsecond=0)
    with pytest.raises(SignatureExpired):
        signatures.verify(shop.sign(created=moment + timedelta(seconds=seconds)), now=moment)


def test_a_nonce_serves_once(request_, shop, now):
    signatures.verify(request_, now=now)
    with pytest.raises(SignatureReplayed):
        signatures.verify(request_, now=now)
    assert signatures.verify(shop.sign(nonce="n"), now=now)
    with pytest.raises(SignatureReplayed):
        signatures.verify(shop.sign("GET", "/elsewhere", nonce="n"), now=now)


@pytest.mark.parametrize("nonce", ["", "n" * 129])
def test_a_nonce_has_a_length(shop, now, nonce):
    request = shop.sign(nonce="n")
    change(request, 'nonce="n"', f'nonce="{nonce}"')
    with pytest.raises(SignatureInvalid, match="nonce"):
        signatures.verify(request, now=now)


def test_of_eight_replays_at_once_one_is_let_in(committed, request_, now):
    def attempt(_):
        try:
            return signatures.verify(request_, now=now).kind
        except SignatureReplayed as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(8)))
    assert sorted(outcomes) == ["service"] + ["signature_replayed"] * 7


def test_another_secret_or_an_unknown_key_is_refused(shop, now):
    for stranger in (Signer(shop.key_id, "guess"), Signer("key_unknown", shop.secret)):
        with pytest.raises(SignatureInvalid):
            signatures.verify(stranger.sign(), now=now)


def test_a_revoked_secret_and_a_client_switched_off_end_with_the_next_request(shop, now):
    signatures.verify(shop.sign(), now=now)
    clients.revoke_secret(key_id=shop.key_id, actor=System("test"), now=now)
    with pytest.raises(SignatureInvalid):
        signatures.verify(shop.sign(), now=now)

    made = clients.rotate_api_client(client_id=ApiClient.objects.get().pk, actor=System("test"), now=now)
    second = Signer(made.key_id, made.secret)
    signatures.verify(second.sign(), now=now)
    ApiClient.objects.update(is_active=False)
    with pytest.raises(SignatureInvalid):
        signatures.verify(second.sign(), now=now)


GOOD = 'created=1;nonce="n";keyid="k"'
MALFORMED = [
    *("", " ", "sig1", "sig1=", "sig1=()", "sig1=(", "sig1=((((", "sig1=1", "é", "\x00", "a=1, " * 1000),
    'sig1=("@method")',
    'sig1=("@method" "@path");created=x',
    'sig1=("@method" "@path");created=1.5;nonce="n";keyid="k"',
    'sig1=("@method" "@path");created=999999999999999;nonce="n";keyid="k"',
    'sig1=("@method" "@path");created=1;nonce=5;keyid="k"',
    f'sig1=("@method" "@method");{GOOD}',
    f'sig1=("@nothing");{GOOD}',
    f'sig1=("@method";req "@path");{GOOD}',
    f'sig1=("@query-param";name=1);{GOOD}',
    f'sig1=(5 "@path");{GOOD}',
    f'sig1=("@method" "@path");{GOOD}, sig2=("@method" "@path");{GOOD}',
]


@pytest.mark.parametrize("value", MALFORMED)
def test_a_malformed_header_is_refused_and_never_a_crash(shop, now, value):
    request = shop.sign()
    request.headers["Signature-Input"] = value
    with pytest.raises(SignatureInvalid):
        signatures.verify(request, now=now)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(header=st.sampled_from(["Signature-Input", "Signature", "Content-Digest"]), data=st.data())
def test_no_damage_to_a_header_crashes_or_is_let_in(shop, now, header, data):
    request = shop.sign("POST", body=BODY)
    value = request.headers[header]
    place = data.draw(st.integers(0, len(value) - 1))
    damage = data.draw(st.text(st.characters(max_codepoint=255), max_size=3))
    request.headers[header] = value[:place] + damage + value[place + 1 :]
    try:
        signatures.verify(request, now=now)
    except SignatureInvalid:
        return
    # Let in only where the damage changed the writing and not the meaning: a blank, padding, a parameter unheard of.
    assert meaning(request.headers[header]) == meaning(value)


def meaning(header):
    """What a structured header says; of bytes without the parameters, which nobody signed and nobody reads."""
    members = http_sf.parse(header.encode("latin-1"), tltype="dictionary")
    return {name: item if isinstance(item, bytes) else (item, more) for name, (item, more) in members.items()}


def test_a_database_that_is_down_is_not_a_bad_signature(shop, now):
    request = shop.sign()

    def fail(*_):
        raise OperationalError("down")

    with connection.execute_wrapper(fail), pytest.raises(OperationalError):
        signatures.verify(request, now=now)


def test_a_transaction_around_keeps_its_promise_to_be_on_disk(shop, now):
    with transaction.atomic(), connection.cursor() as cursor:
        signatures.verify(shop.sign(), now=now)
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)


def test_nonces_go_once_their_signatures_are_too_old_to_come_again(shop, now):
    signatures.verify(shop.sign(created=now + timedelta(seconds=299)), now=now)
    assert housekeeping.purge(now + timedelta(seconds=590)).nonces == 0
    assert housekeeping.purge(now + timedelta(seconds=700)).nonces == 1


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_service_is_known_at_the_door_and_refused_what_is_for_people(shop, anyone, method):
    body = json.dumps({"full_name": "Shop"}).encode() if method == "PATCH" else b""
    request = shop.sign(method, "/api/v1/me", body=body)
    answer = anyone.generic(method, "/api/v1/me", body, content_type="application/json", **request.extra)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_a_bad_signature_is_answered_with_401(shop, anyone):
    request = shop.sign("GET", "/api/v1/elsewhere")
    answer = anyone.get("/api/v1/me", **request.extra)
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_invalid")


def test_a_signature_without_its_input_is_refused_and_not_overlooked(anyone):
    answer = anyone.get("/api/v1/me", HTTP_SIGNATURE="sig1=:AAAA:")
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_invalid")
