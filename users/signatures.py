"""Signed requests of services: HTTP Message Signatures (RFC 9421) by HMAC, and Content-Digest (RFC 9530)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple, Protocol
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from http_message_signatures import (
    ContentDigest,
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
)
from http_message_signatures.algorithms import HMAC_SHA256

from users.callers import Caller, NotAuthenticated
from users.encryption import decrypt
from users.models import ApiSecret

LABEL = "sig1"
_LONGEST_NONCE = 128

# Is the client still welcome, and has the nonce served? One statement, so that a revocation holds from the next
# request on. It doesn't wait for the disk: what a power cut may forget is the nonces of the last second, and moving
# money twice is what idempotency keys prevent. Inside somebody's transaction the setting is left as it is.
_ADMIT = """
    WITH alive AS (
        SELECT client.id, client.scopes
        FROM users_apisecret AS secret JOIN users_apiclient AS client ON client.id = secret.client_id
        WHERE secret.key_id = %(key_id)s AND secret.revoked_at IS NULL AND client.is_active
    ), fresh AS (
        INSERT INTO users_signaturenonce (key_id, nonce, expires_at)
        SELECT %(key_id)s, %(nonce)s, %(expires_at)s FROM alive
        ON CONFLICT DO NOTHING
        RETURNING 1
    )
    SELECT alive.id, alive.scopes, EXISTS (SELECT FROM fresh),
           set_config('synchronous_commit',
                      CASE WHEN %(alone)s THEN 'off' ELSE current_setting('synchronous_commit') END, true)
    FROM alive
"""


class SignatureInvalid(NotAuthenticated):
    """The signature is malformed, covers too little, doesn't match, or its key isn't welcome."""

    code: ClassVar[str] = "signature_invalid"
    title: ClassVar[str] = "Signature invalid"

    def __init__(self, detail: str = "The signature doesn't match this request and key.") -> None:
        super().__init__(detail)


class SignatureExpired(SignatureInvalid):
    """The signature was made too long ago, or too far in the future."""

    code: ClassVar[str] = "signature_expired"
    title: ClassVar[str] = "Signature expired"


class SignatureReplayed(SignatureInvalid):
    """The nonce has served before."""

    code: ClassVar[str] = "signature_replayed"
    title: ClassVar[str] = "Signature replayed"


class Message(Protocol):
    """A request as it came over the wire. `body` is read only once the headers have proved good."""

    @property
    def method(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


class Signature(NamedTuple):
    """The parameters of a signature that matched."""

    key_id: str
    nonce: str
    created: int


def verify(message: Message, *, now: datetime) -> Caller:
    """Which service signed this request; raises SignatureInvalid, SignatureExpired or SignatureReplayed."""
    try:
        signature, covered = _check_signature(message, now=now)
        _check_coverage(message, covered)
        _check_body(message)
    except HTTPMessageSignaturesException as error:
        raise SignatureInvalid from error
    return _admit(signature)


def _check_signature(message: Message, *, now: datetime) -> tuple[Signature, set[str]]:
    verifier = _Verifier(now=now)
    # Without a label to look for, the library refuses a message with several signatures: so there is one.
    result = verifier.verify(message, max_age=None)[0]
    if result.label != LABEL:
        raise SignatureInvalid(f"Label the signature {LABEL}.")
    parameters: dict[str, Any] = result.parameters
    signature = Signature(parameters["keyid"], parameters["nonce"], parameters["created"])
    return signature, set(result.covered_components)


def _check_coverage(message: Message, covered: set[str]) -> None:
    needed = ["@method", "@path"]
    if urlsplit(message.url).query:
        needed.append("@query")
    if "Idempotency-Key" in message.headers:
        needed.append("idempotency-key")
    if message.body:
        needed.append("content-digest")
    if missing := [name for name in needed if f'"{name}"' not in covered]:
        raise SignatureInvalid(f"The signature must cover {', '.join(missing)} too.")


def _check_body(message: Message) -> None:
    """What the signature covers is the digest, so the digest must be the body's."""
    given = message.headers.get("Content-Digest")
    if given is not None:
        if "sha-256=" not in given:
            raise SignatureInvalid("Give the sha-256 of the body in Content-Digest.")
        ContentDigest.verify(given, message.body)


def _admit(signature: Signature) -> Caller:
    until = datetime.fromtimestamp(signature.created + settings.SIGNATURE_WINDOW_SECONDS, UTC)
    values: dict[str, str | datetime | bool] = {
        "key_id": signature.key_id,
        "nonce": signature.nonce,
        "expires_at": until,
        "alone": not connection.in_atomic_block,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADMIT, values)
        row = cursor.fetchone()
    if row is None:
        raise SignatureInvalid
    client_id, scopes, is_fresh, _ = row
    if not is_fresh:
        raise SignatureReplayed("This nonce has served before; sign each request with its own.")
    return Caller(kind="service", id=client_id, scopes=frozenset(scopes))


class _Verifier(HTTPMessageVerifier, HTTPSignatureKeyResolver):
    """The library's verifier with our clock, our window and our keys."""

    def __init__(self, *, now: datetime) -> None:
        super().__init__(signature_algorithm=HMAC_SHA256, key_resolver=self)
        self._now = now
        self._secret = b""

    def validate_created_and_expires(self, sig_input: Any, max_age: object = None) -> None:
        _check_parameters(sig_input.params, now=self._now)
        # Looked up here and not when the library asks for it: there, a database that is down would look like a
        # signature that doesn't match.
        self._secret = _secret_of(sig_input.params["keyid"])

    def resolve_public_key(self, key_id: str) -> bytes:
        return self._secret


def _check_parameters(params: Mapping[str, Any], *, now: datetime) -> None:
    if missing := [name for name in ("created", "nonce", "keyid") if name not in params]:
        raise SignatureInvalid(f"The signature needs the parameters {', '.join(missing)}.")
    if not 1 <= len(params["nonce"]) <= _LONGEST_NONCE:
        raise SignatureInvalid(f"A nonce has 1 to {_LONGEST_NONCE} characters.")
    age = now.timestamp() - params["created"]
    if abs(age) > settings.SIGNATURE_WINDOW_SECONDS or params.get("expires", now.timestamp()) < now.timestamp():
        raise SignatureExpired("The signature's time is over, or the clocks differ; sign again, with the time of now.")


@lru_cache(maxsize=1024)
def _secret_of(key_id: str) -> bytes:
    """The bytes that the client signs with. Safe to remember: a key id's secret never changes, only its welcome."""
    row = ApiSecret.objects.filter(key_id=key_id).values_list("secret", flat=True).first()
    if row is None:
        raise SignatureInvalid
    return decrypt(row).encode()
