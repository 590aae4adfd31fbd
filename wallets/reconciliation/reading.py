"""Reconciliations as services read them: the runs, and the breaks that each left or resolved."""

from uuid import UUID

from django.db.models import Q, QuerySet

from users.callers import Caller
from users.permissions import PermissionDenied, require_scope
from wallets.access import NotFound
from wallets.models import Break, Reconciliation


def runs(caller: Caller) -> QuerySet[Reconciliation]:
    """Every run, for services with the scope. Raises PermissionDenied."""
    if caller.kind == "person":
        raise PermissionDenied("Reconciliations are read by services with the scope reports:read.")
    require_scope(caller, "reports:read")
    return Reconciliation.objects.select_related("account")


def run(caller: Caller, id: UUID) -> Reconciliation:
    """One run. Raises NotFound and PermissionDenied."""
    found = runs(caller).filter(pk=id).first()
    if found is None:
        raise NotFound("reconciliation")
    return found


def breaks(of: Reconciliation) -> QuerySet[Break]:
    """The breaks that were open when a run ended, or that it resolved; as they stand now."""
    still = Q(resolved_at=None) | Q(resolved_at__gte=of.made_at)
    return Break.objects.filter(still, account=of.account_id, opened_at__lte=of.made_at).select_related("account")
