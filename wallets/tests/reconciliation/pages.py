"""The back office as somebody who reconciles has it: a browser, the pages of rows, and their buttons."""

from dataclasses import dataclass
from html import unescape
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from users.models import User

UPLOAD = "/admin/wallets/statement/upload/"


@dataclass
class Browser:
    """A browser in which one of the staff has logged in."""

    user: User

    def __post_init__(self) -> None:
        self.client = Client()
        self.client.force_login(self.user)

    def read(self, url: str) -> str:
        """A page's text."""
        answer = self.client.get(url, follow=True)
        assert answer.status_code == 200, (url, answer.status_code)
        return unescape(answer.content.decode())

    def page(self, row: Any) -> str:
        return self.read(reverse(f"admin:wallets_{row._meta.model_name}_change", args=[row.pk]))

    def list(self, model: str, **query: str) -> str:
        return self.read(reverse(f"admin:wallets_{model}_changelist", query=query))

    def press(self, row: Any, button: str, **data: Any) -> Any:
        """Send the dialog of a button."""
        url = f"/admin/wallets/{row._meta.model_name}/{row.pk}/{button}/"
        return self.client.post(url, {"_form_submitted": "on", **data})

    def choose(self, model: str, action: str, rows: Any, **data: Any) -> Any:
        """Choose an action for rows of a list, and answer what it asks."""
        sent = {"action": action, "_selected_action": [str(row.pk) for row in rows], **data}
        return self.client.post(reverse(f"admin:wallets_{model}_changelist"), sent, follow=True)

    def upload(self, content: bytes, name: str = "march.csv", **data: Any) -> Any:
        """Upload a statement of paystack's naira; the answer is the page that it leads to."""
        file = SimpleUploadedFile(name, content)
        return self.client.post(
            UPLOAD, {"file": file, "account": "paystack:NGN", "mapping": "full", **data}, follow=True
        )


def said(answer: Any) -> str:
    """What a page says, as it is read."""
    return unescape(answer.content.decode())
