"""The sandbox bank's own web page, where a checkout is paid or refused."""

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from backoffice.money import format_money
from wallets.models import SandboxCheckout
from wallets.sandbox_bank import checkouts

ACTIONS = {"pay": checkouts.pay, "refuse": checkouts.refuse}


# Its own CSRF protection: the middleware for it runs in the back office only.
@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest, reference: str) -> HttpResponse:
    """Show what is to be paid, or do what was pressed; then the browser goes back to where it came from."""
    found = checkouts.find(reference)
    if found is None:
        raise Http404
    if request.method == "POST":
        act = ACTIONS.get(request.POST.get("action", ""))
        return _away(request, act(reference, now=timezone.now()) if act else found)
    amount = format_money(found.amount, found.currency)
    return render(request, "sandbox/checkout.html", {"checkout": found, "amount": amount})


def _away(request: HttpRequest, ended: SandboxCheckout) -> HttpResponse:
    """Back to whoever sent them, or to this page, which tells how it ended. A GET either way."""
    target = request.path
    if ended.return_url.startswith(("https://", "http://")):
        separator = "&" if "?" in ended.return_url else "?"
        target = f"{ended.return_url}{separator}{urlencode({'reference': ended.reference})}"
    response = HttpResponseRedirect(target)
    response.status_code = 303
    return response
