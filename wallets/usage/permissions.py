"""Who may report usage and set its prices, and who may read what is metered."""

from users.callers import Caller
from users.permissions import PermissionDenied, require_scope

WRITE = "usage:write"
READ = ("wallets:read", "reports:read", WRITE)


def check_may_report(caller: Caller) -> None:
    """Services with the scope may. Raises PermissionDenied."""
    if caller.kind == "person":
        raise PermissionDenied(f"Usage is reported and priced by services with the scope {WRITE}.")
    require_scope(caller, WRITE)


def check_may_ask(caller: Caller) -> None:
    """People may ask whether a wallet may use more, and services that report usage or read wallets. Raises
    PermissionDenied.
    """
    if caller.kind == "service" and not caller.scopes.intersection((WRITE, "wallets:read")):
        raise PermissionDenied(f"This needs the scope {WRITE} or wallets:read, which the client wasn't given.")


def check_may_read_meters(caller: Caller) -> None:
    """People may, and services that read wallets or reports. Raises PermissionDenied."""
    if caller.kind == "service" and not caller.scopes.intersection(READ):
        raise PermissionDenied(f"This needs the scope {' or '.join(READ)}, which the client wasn't given.")
