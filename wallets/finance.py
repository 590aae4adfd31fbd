"""Who is told where a person in charge of the money must act."""

from django.conf import settings

from users.models import User

GROUP = "finance"


def readers() -> list[str]:
    """The addresses: those of the settings, else of everybody in the group."""
    found = User.objects.filter(groups__name=GROUP, is_active=True).order_by("pk").values_list("email", flat=True)
    return settings.FINANCE_EMAILS or list(found)
