"""Whether a webhook is its provider's, and which event it is. Every secret is tried, so that they can be rotated."""

import hmac
from collections.abc import Iterable
from hashlib import sha256

from wallets.providers.port import InvalidSignature

LONGEST_KEY = 150


def check_hmac_sha512(secrets: Iterable[str], bodies: Iterable[bytes], given: str) -> None:
    """Raise InvalidSignature unless `given` is the hexadecimal HMAC-SHA512 of one of the bodies under a secret.

    An empty secret signs nothing: anybody has that one.
    """
    secrets, bodies = list(filter(None, secrets)), list(bodies)
    check_one_of(
        [hmac.new(secret.encode(), body, "sha512").hexdigest() for secret in secrets for body in bodies], given
    )


def check_one_of(expected: Iterable[str], given: str) -> None:
    """Raise InvalidSignature unless `given` is one of them. How long it takes tells nothing about them."""
    digest = sha256(given.encode("utf-8", "surrogatepass")).digest()
    same = [hmac.compare_digest(sha256(one.encode()).digest(), digest) for one in expected]
    if not given or not any(same):
        raise InvalidSignature("The webhook isn't signed with a secret that we share with the provider.")


def event_key(body: bytes, *parts: str) -> str:
    """The name of an event, the same for each delivery: its parts, or the body's digest where it names itself badly."""
    key = ":".join(parts)
    return key if all(parts) and len(key) <= LONGEST_KEY else f"{parts[0][:50]}:sha256:{sha256(body).hexdigest()}"
