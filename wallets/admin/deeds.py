"""What staff may do on a page: a button that asks for a reason, a deed of the product's, and what came of it."""

from collections.abc import Callable
from datetime import datetime
from typing import cast
from uuid import UUID

from django import forms, urls
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.dataclasses import ActionDialog
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from users.models import User
from users.permissions import PermissionDenied
from wallets.access import WalletRefused
from wallets.opening import InvalidState

REFUSALS = (InvalidState, PermissionDenied, WalletRefused)


class ReasonForm(BaseDialogForm):
    """Why: it is written into the history and the audit trail."""

    reason = forms.CharField(max_length=255, widget=UnfoldAdminTextareaWidget)


def dialog(title: str, description: str) -> ActionDialog:
    """What is asked before a deed."""
    return ActionDialog(title=title, description=description, form_class=ReasonForm, form_submit_text=title)


def staff(request: HttpRequest) -> User:
    """Who is at it: the admin lets nobody else in."""
    return cast(User, request.user)


def do(request: HttpRequest, model: str, id: str, deed: Callable[[UUID, datetime], None]) -> HttpResponse:
    """Do a deed, say what came of it, and show the page of the row anew; `model` is such as `wallets_transfer`."""
    try:
        deed(UUID(id), timezone.now())
        messages.success(request, "Done.")
    except REFUSALS as refusal:
        messages.error(request, str(refusal))
    return HttpResponse(headers={"HX-Redirect": urls.reverse(f"admin:{model}_change", args=[id])})
