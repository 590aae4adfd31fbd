"""GET /metrics, for Prometheus: what the product counts tells of its customers' business, so not everybody may look."""

import ipaddress
from secrets import compare_digest

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from users.callers import NotAuthenticated
from users.permissions import PermissionDenied
from walletproject.ratelimits import client_address
from wallets import metrics


@require_safe
def scrape(request: HttpRequest) -> HttpResponse:
    """Everything that is counted, of all processes. Raises NotAuthenticated and PermissionDenied."""
    check_may_scrape(request)
    return HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def check_may_scrape(request: HttpRequest) -> None:
    """Who has METRICS_TOKEN may; where none is set, who is on this machine. Raises NotAuthenticated, PermissionDenied.

    Behind a proxy that TRUSTED_PROXIES doesn't know of, everybody seems to be on this machine: then nobody is.
    """
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        if not compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
            raise NotAuthenticated("Send METRICS_TOKEN as a bearer token.")
    elif _came_through_a_stranger(request) or not _is_loopback(client_address(request)):
        raise PermissionDenied("Metrics are told on this machine only; set METRICS_TOKEN to scrape from elsewhere.")


def _came_through_a_stranger(request: HttpRequest) -> bool:
    return not settings.TRUSTED_PROXIES and ("X-Forwarded-For" in request.headers or "Forwarded" in request.headers)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
