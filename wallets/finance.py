"""Those who answer for the money, and hear of what they must know."""

from django.conf import settings
from django.core.mail import send_mail

from users.models import User

GROUP = "finance"


def mail(subject: str, letter: str) -> None:
    """Write to the finance group, or to whoever the settings name instead. Raises what the mail server says."""
    found = User.objects.filter(groups__name=GROUP, is_active=True).order_by("pk").values_list("email", flat=True)
    if readers := settings.FINANCE_EMAILS or list(found):
        send_mail(subject, letter, None, readers)
