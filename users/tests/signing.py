"""The other side of signatures.py: requests signed by an independent implementation, and the means to spoil them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from http_message_signatures import ContentDigest, HTTPMessageSigner, MappingKeyResolver
from http_message_signatures.algorithms import HMAC_SHA256


@dataclass
class SignedRequest:
    """What signatures.verify takes; mutable, so that a test can tamper with it."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def extra(self) -> Mapping[str, str]:
        """The headers as Django's test client takes them."""
        return {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}


@dataclass
class Signer:
    """A service that holds a secret."""

    key_id: str
    secret: str = field(repr=False)

    def sign(
        self,
        method: str = "GET",
        path: str = "/api/v1/wallets",
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        created: datetime | None = None,
        nonce: str | None = None,
        covered: tuple[str, ...] | None = None,
        label: str = "sig1",
    ) -> SignedRequest:
        request = SignedRequest(method, f"http://testserver{path}", dict(headers or {}), body)
        if body and "Content-Digest" not in request.headers:
            request.headers["Content-Digest"] = ContentDigest.create(body)
        resolver = MappingKeyResolver(public_keys={}, private_keys={self.key_id: self.secret.encode()})
        HTTPMessageSigner(signature_algorithm=HMAC_SHA256, key_resolver=resolver).sign(
            request,
            key_id=self.key_id,
            created=created or datetime.now(UTC),
            nonce=uuid4().hex if nonce is None else nonce,
            label=label,
            covered_component_ids=self._covered(request) if covered is None else covered,
            use_existing_digest="Content-Digest" in request.headers,
        )
        return request

    def _covered(self, request: SignedRequest) -> tuple[str, ...]:
        names = ["@method", "@path"]
        names += ["@query"] if "?" in request.url else []
        return (*names, *(name.lower() for name in request.headers))
