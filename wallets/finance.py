"""Those who answer for the money, and hear of what they must know."""

from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage

from users.models import User

GROUP = "finance"


def mail(subject: str, letter: str, *, to: Sequence[str] = ()) -> None:
    """Write to the finance group, or to whoever the settings name instead; where it is `to` customers, these don't see
    that finance has it too. One message, so that all have it or none. Raises what the mail server says.
    """
    found = User.objects.filter(groups__name=GROUP, is_active=True).order_by("pk").values_list("email", flat=True)
    readers = settings.FINANCE_EMAILS or list(found)
    EmailMessage(subject, letter, to=to or readers, bcc=readers if to else ()).send()
