"""Logging in to the back office: a password, then a code where a second factor is due, and an end of every session."""

from collections.abc import Callable
from typing import Any, cast

import django_otp
import segno
from django import forms
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextInputWidget

from users import second_factor, staff_sessions
from users.models import User
from walletproject.ratelimits import client_address
from walletproject.sites import is_admin

AWAITED = "second_factor_awaited"


class CodeForm(forms.Form):
    """A code of the app, or a recovery code."""

    code = forms.CharField(
        max_length=20,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code", "autofocus": True}),
    )


@receiver(user_logged_in, dispatch_uid="staff log in")
def note_log_in(request: HttpRequest | None, user: Any, **_: Any) -> None:
    """A session of the back office begins; whoever has a second factor isn't in before it is shown."""
    if request is None or not isinstance(user, User):
        return
    request.session[AWAITED] = second_factor.authenticator_of(user) is not None
    staff_sessions.start(request, user, address=client_address(request), now=timezone.now())


@receiver(user_logged_out, dispatch_uid="staff log out")
def note_log_out(request: HttpRequest | None, user: Any, **_: Any) -> None:
    """Whoever logs out is off the list of those at work."""
    if request is not None and isinstance(user, User) and request.session.session_key:
        staff_sessions.end(request.session.session_key, actor=user, now=timezone.now())


def is_through(request: HttpRequest) -> bool:
    """Whether somebody who has logged in has shown all the factors that are due."""
    if request.user.is_verified():  # type: ignore[union-attr]
        return True
    return not (settings.SECOND_FACTOR_REQUIRED or request.session.get(AWAITED))


def second_factor_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Ask for the code; set an app up where there is none yet."""
    user = cast(User, request.user)
    if not (user.is_authenticated and user.is_staff):
        return HttpResponseRedirect(reverse("admin:login"))
    has_one = second_factor.authenticator_of(user) is not None
    if has_one and is_through(request):
        return HttpResponseRedirect(reverse("admin:index"))
    form = CodeForm(request.POST or None)
    if form.is_valid():
        code = form.cleaned_data["code"]
        if answer := (_enter if has_one else _set_up)(request, user, code, context):
            return answer
        form.add_error("code", "That isn't the code of now. Wait for the next one, and try again.")
    context |= {"form": form, "title": "Second factor"}
    if not has_one:
        fresh = second_factor.begin(user)
        address = second_factor.address_of(fresh, settings.SITE_NAME)
        context |= {"secret": fresh.written, "picture": _drawn(address)}
    return TemplateResponse(request, "admin/second_factor.html", context)


def _enter(request: HttpRequest, user: User, code: str, context: dict[str, Any]) -> HttpResponse | None:
    device = second_factor.check(user, code, now=timezone.now())
    if device is None:
        return None
    _let_in(request, device)
    wanted = request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    return HttpResponseRedirect(wanted if safe else reverse("admin:index"))


def _set_up(request: HttpRequest, user: User, code: str, context: dict[str, Any]) -> HttpResponse | None:
    codes = second_factor.confirm(user, code, now=timezone.now())
    if codes is None:
        return None
    _let_in(request, second_factor.authenticator_of(user))
    return TemplateResponse(request, "admin/recovery_codes.html", context | {"codes": codes, "title": "Recovery codes"})


def _let_in(request: HttpRequest, device: Any) -> None:
    # Whoever knew the session before the second factor mustn't have it after.
    old = request.session.session_key
    request.session.cycle_key()
    django_otp.login(request, device)
    request.session[AWAITED] = False
    staff_sessions.renamed(old or "", request.session.session_key or "")


def _drawn(address: str) -> SafeString:
    """The address as a QR code, drawn in the page itself."""
    code = segno.make(address, error="m")
    return SafeString(code.svg_inline(scale=5, border=2, dark="#111", light="#fff"))


class SessionLimitMiddleware:
    """Ends a session of the back office when its time is up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_admin(request) and staff_sessions.is_over(request, now=timezone.now()):
            logout(request)
        return self.get_response(request)
