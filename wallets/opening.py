"""A wallet's life: opened, renamed, shared with members, frozen, closed. Each is one durable deed, with its trail."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import F, Q
from uuid_utils.compat import uuid7

from ledger.balances import Standing
from ledger.durable import durable
from ledger.posting import lock
from users import audit
from users.callers import Actor, Caller
from users.models import User
from users.permissions import PermissionDenied
from users.validation import ValidationError
from wallets import chart, currencies
from wallets.access import Access, Need, NotFound, enter
from wallets.models import Member, UsageAccount, Wallet


class WalletNotEmpty(Exception):
    """There is money or a hold in the wallet."""

    code: ClassVar[str] = "wallet_not_empty"
    title: ClassVar[str] = "The wallet is not empty"

    def __init__(self, standing: Standing) -> None:
        super().__init__("Move what is in the wallet, and wait for what is held or used, before closing it.")
        self.data: dict[str, Any] = {"balance": standing.balance, "held": standing.held}


class InvalidState(Exception):
    """It can't be done to something in this state."""

    code: ClassVar[str] = "invalid_state"
    title: ClassVar[str] = "Not in this state"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.data: dict[str, Any] = {}


@durable
def open_wallet(
    *, caller: Caller, currency: str, name: str, owner: str | None, metadata: Mapping[str, Any], now: datetime
) -> Wallet:
    """Open a wallet for the caller or, by a service, for `owner` (a user's id or email). Raises ValidationError."""
    currencies.check(currency)
    person = _owner(caller, owner)
    chart.open_currency(currency, now=now)
    id = uuid7()
    if person is not None:
        # Two first wallets of one person must not both become their default.
        User.objects.select_for_update(no_key=True).get(pk=person.pk)
    wallet = Wallet.objects.create(
        id=id,
        owner=person,
        name=name,
        currency=currency,
        is_default=person is not None and not _default(person, currency).exists(),
        account_id=chart.open_wallet(id, currency, now=now),
        metadata=dict(metadata),
        created_at=now,
    )
    if person is not None:
        Member.objects.create(wallet=wallet, user=person, role=Member.Role.OWNER, created_at=now)
    _note(caller, "wallet.opened", wallet.id, {"currency": currency, "owner": person and str(person.pk)}, now)
    return wallet


@durable
def change_wallet(
    *, caller: Caller, wallet_id: UUID, name: str | None, metadata: Mapping[str, Any] | None, now: datetime
) -> None:
    """Rename a wallet or replace its metadata. Raises NotFound and PermissionDenied."""
    enter(caller, wallet_id, Need.MANAGE)
    changes = {"name": name, "metadata": metadata}
    given = {field: value for field, value in changes.items() if value is not None}
    if given:
        Wallet.objects.filter(pk=wallet_id).update(**given)
        _note(caller, "wallet.changed", wallet_id, given, now)


@durable
def close_wallet(*, caller: Caller, wallet_id: UUID, now: datetime) -> None:
    """Close an empty wallet for ever. Raises NotFound, PermissionDenied, WalletNotEmpty and InvalidState."""
    wallet = enter(caller, wallet_id, Need.MANAGE)
    owner = _lock_owner(wallet_id)
    UsageAccount.objects.select_for_update(no_key=True).filter(pk=wallet_id).first()
    standing = _lock(wallet, now)
    # Whose usage begins just now refers to this row: they wait, or are seen.
    Wallet.objects.select_for_update().get(pk=wallet_id)
    if standing.balance or standing.held or standing.pending or _has_usage(wallet_id):
        raise WalletNotEmpty(standing)
    moved = Wallet.objects.filter(pk=wallet_id, status=Wallet.Status.ACTIVE)
    if not moved.update(status=Wallet.Status.CLOSED, is_default=False):
        raise InvalidState(f"The wallet is {wallet.status}; only an active one can be closed.")
    _appoint_default(owner, wallet.currency)
    _note(caller, "wallet.closed", wallet_id, {}, now)


@durable
def set_frozen(*, actor: Actor, wallet_id: UUID, frozen: bool, now: datetime) -> None:
    """Let nothing leave a wallet from now on, or lift that. Raises NotFound and InvalidState."""
    found = Wallet.objects.filter(pk=wallet_id).first()
    if found is None:
        raise NotFound("wallet")
    _lock(Access(found.id, found.currency, found.status, found.account_id), now)
    before, after = (Wallet.Status.ACTIVE, Wallet.Status.FROZEN) if frozen else ("frozen", Wallet.Status.ACTIVE)
    if not Wallet.objects.filter(pk=wallet_id, status=before).update(status=after):
        raise InvalidState(f"The wallet is {found.status}; only one that is {before} can be made {after}.")
    audit.record(
        actor=actor, action=f"wallet.{'frozen' if frozen else 'thawed'}", kind="wallet", object_id=wallet_id, now=now
    )


@durable
def add_member(*, caller: Caller, wallet_id: UUID, user: str, role: str, now: datetime) -> Member:
    """Let a person (id or email) into a wallet, or give a member another role. Raises NotFound and PermissionDenied."""
    enter(caller, wallet_id, Need.MANAGE)
    person = find_person(user)
    if person is None:
        raise NotFound("person")
    _lock_owner(wallet_id)
    Wallet.objects.select_for_update(no_key=True).get(pk=wallet_id)
    member = Member.objects.select_related("wallet", "user").filter(wallet_id=wallet_id, user=person).first()
    if member and member.role == Member.Role.OWNER and role != Member.Role.OWNER:
        _disown(member)
    member, _ = Member.objects.update_or_create(
        wallet_id=wallet_id, user=person, defaults={"role": role}, create_defaults={"role": role, "created_at": now}
    )
    _note(caller, "wallet.member_added", wallet_id, {"user": str(person.pk), "role": role}, now)
    return member


@durable
def remove_member(*, caller: Caller, wallet_id: UUID, user_id: UUID, now: datetime) -> None:
    """Take a person out of a wallet. Raises NotFound, PermissionDenied, and InvalidState for the last owner."""
    enter(caller, wallet_id, Need.MANAGE)
    _lock_owner(wallet_id)
    Wallet.objects.select_for_update(no_key=True).get(pk=wallet_id)
    member = Member.objects.select_related("wallet", "user").filter(wallet_id=wallet_id, user_id=user_id).first()
    if member is None:
        raise NotFound("member")
    if member.role == Member.Role.OWNER:
        _disown(member)
    member.delete()
    _note(caller, "wallet.member_removed", wallet_id, {"user": str(user_id)}, now)


def find_person(user: str) -> User | None:
    """A person by id or email, or None where there is none."""
    try:
        which = Q(pk=UUID(user))
    except ValueError:
        which = Q(email=user.strip().lower())
    return User.objects.filter(which, is_active=True).first()


def _owner(caller: Caller, owner: str | None) -> User | None:
    if caller.kind == "person":
        if owner is not None:
            raise PermissionDenied("Only a service can open a wallet for somebody else; leave `owner` out.")
        return User.objects.get(pk=caller.id)
    if owner is None:
        return None
    person = find_person(owner)
    if person is None:
        raise ValidationError.on("owner", "unknown_user", "There is no such person; give a user's id or email.")
    return person


def _default(person: User, currency: str) -> Any:
    return Wallet.objects.filter(owner=person, currency=currency, is_default=True)


def _lock_owner(wallet_id: UUID) -> User | None:
    """Lock the wallet's owner, before anything of the wallet: who is whose default changes under that lock only."""
    return User.objects.select_for_update(no_key=True).filter(wallets=wallet_id).first()


def _appoint_default(person: User | None, currency: str) -> None:
    """Where a person has no default wallet in a currency any more, let their oldest open one take its place."""
    if person is None or _default(person, currency).exists():
        return
    open_ones = Wallet.objects.filter(owner=person, currency=currency).exclude(status=Wallet.Status.CLOSED)
    oldest = open_ones.order_by("pk").first()
    if oldest is not None:
        open_ones.filter(pk=oldest.pk).update(is_default=True)


def _disown(member: Member) -> None:
    """Before an owner stops being one: where the wallet is theirs, give it to its oldest other owner, so that nothing
    sent to the former reaches it. Raises InvalidState for the last owner.
    """
    _check_other_owner(member.wallet_id, member)
    wallet, person = member.wallet, member.user
    if wallet.owner_id != person.pk:
        return
    heir = Member.objects.filter(wallet=wallet, role=Member.Role.OWNER).exclude(user=person).earliest("pk")
    Wallet.objects.filter(pk=wallet.pk).update(owner_id=heir.user_id, is_default=False)
    _appoint_default(person, wallet.currency)
    _appoint_default(heir.user, wallet.currency)


def _check_other_owner(wallet_id: UUID, member: Member) -> None:
    owners = Member.objects.filter(wallet_id=wallet_id, role=Member.Role.OWNER).exclude(pk=member.pk)
    if not owners.exists():
        raise InvalidState("This is the wallet's last owner; make somebody else an owner first.")


def _has_usage(wallet_id: UUID) -> bool:
    """Whether usage waits to be settled, a minor unit of it at least."""
    return UsageAccount.objects.filter(pk=wallet_id, rated__gte=F("posted") + 1).exists()


def _lock(wallet: Access, now: datetime) -> Standing:
    """A wallet's status changes only under its account's lock: so a posting that holds it sees the latest one."""
    return Standing.of(lock([(wallet.account, 0)], now)[wallet.account, 0])


def _note(caller: Caller, action: str, wallet_id: UUID, data: Mapping[str, Any], now: datetime) -> None:
    audit.record(actor=caller, action=action, kind="wallet", object_id=wallet_id, data=data, now=now)
