"""Service clients: who may sign requests, with which secrets, for which scopes."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db import IntegrityError, transaction

from users import audit
from users.callers import Actor
from users.encryption import encrypt
from users.models import ApiClient, ApiSecret

SCOPES = (
    "wallets:read",
    "wallets:write",
    "deposits:write",
    "transfers:write",
    "withdrawals:write",
    "balances:sync",
    "usage:write",
    "reports:read",
)
_SLOTS = (1, 2)


class ClientError(Exception):
    """A service client can't be made or changed like this."""

    code: ClassVar[str] = "invalid_state"
    title: ClassVar[str] = "Invalid state"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.data: dict[str, object] = {}


@dataclass(frozen=True, slots=True)
class NewSecret:
    """What a client needs to sign. The secret is shown this once and never again."""

    client_id: UUID
    key_id: str
    secret: str = field(repr=False)


def create_api_client(*, name: str, scopes: Iterable[str], actor: Actor, now: datetime) -> NewSecret:
    """Make a client with its first secret; raises ClientError for an unknown scope or a name in use."""
    wanted = sorted(set(scopes))
    if unknown := [scope for scope in wanted if scope not in SCOPES]:
        raise ClientError(f"There is no scope {', '.join(unknown)}; there are {', '.join(SCOPES)}.")
    try:
        with transaction.atomic(durable=True):
            client = ApiClient.objects.create(name=name, scopes=wanted, created_at=now)
            made = _add_secret(client, slot=_SLOTS[0], now=now)
            data = {"name": name, "scopes": wanted, "key_id": made.key_id}
            audit.record(actor=actor, action="client.created", kind="client", object_id=client.pk, data=data, now=now)
    except IntegrityError as error:
        raise ClientError(
            f"A client named {name} exists already; rotate its secret, or choose another name."
        ) from error
    return made


def rotate_api_client(*, client_id: UUID, actor: Actor, revoke_oldest: bool = False, now: datetime) -> NewSecret:
    """Give a client one more secret; raises ClientError where two are live and the oldest isn't to go first."""
    with transaction.atomic(durable=True):
        client = ApiClient.objects.select_for_update().get(pk=client_id)
        live = list(client.secrets.filter(revoked_at__isnull=True).order_by("created_at", "key_id"))
        if revoke_oldest and live:
            _revoke(live.pop(0), actor=actor, now=now)
        free = [slot for slot in _SLOTS if slot not in {secret.slot for secret in live}]
        if not free:
            raise ClientError(f"{client.name} has two live secrets already; revoke the oldest first.")
        made = _add_secret(client, slot=free[0], now=now)
        data = {"key_id": made.key_id}
        audit.record(actor=actor, action="client.secret_added", kind="client", object_id=client.pk, data=data, now=now)
    return made


def revoke_secret(*, key_id: str, actor: Actor, now: datetime) -> None:
    """End a secret, from the next request on. One that is revoked or unknown stays as it is."""
    with transaction.atomic(durable=True):
        secret = ApiSecret.objects.select_for_update().filter(key_id=key_id, revoked_at__isnull=True).first()
        if secret is not None:
            _revoke(secret, actor=actor, now=now)


def find_client(key_id_or_name: str) -> ApiClient:
    """The client with this name, or with a secret of this key id; raises ClientError."""
    client = (
        ApiClient.objects.filter(secrets__key_id=key_id_or_name).first()
        or ApiClient.objects.filter(name=key_id_or_name).first()
    )
    if client is None:
        raise ClientError(f"No client is named {key_id_or_name} or has such a key id.")
    return client


def _add_secret(client: ApiClient, *, slot: int, now: datetime) -> NewSecret:
    made = NewSecret(client_id=client.pk, key_id=f"key_{secrets.token_hex(10)}", secret=secrets.token_urlsafe(32))
    ApiSecret.objects.create(key_id=made.key_id, client=client, secret=encrypt(made.secret), slot=slot, created_at=now)
    return made


def _revoke(secret: ApiSecret, *, actor: Actor, now: datetime) -> None:
    secret.revoked_at = now
    secret.save(update_fields=["revoked_at"])
    data = {"key_id": secret.key_id}
    audit.record(
        actor=actor, action="client.secret_revoked", kind="client", object_id=secret.client_id, data=data, now=now
    )
