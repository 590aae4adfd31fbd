"""What `manage.py check` refuses or warns of before anything starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

SHORTEST_SECRET = 32


@register(Tags.security)
def production_is_closed(**_: Any) -> list[CheckMessage]:
    """A production server hides its insides, knows its names and has secrets that can't be guessed."""
    if not settings.PRODUCTION:
        return []
    errors: list[CheckMessage] = []
    if settings.DEBUG:
        errors.append(Error("DEBUG is on in production.", id="walletproject.E001"))
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        errors.append(Error("ALLOWED_HOSTS must name the hosts of this server.", id="walletproject.E002"))
    for name in ("SECRET_KEY", "JWT_SIGNING_KEY"):
        if _is_weak(getattr(settings, name)):
            hint = f"At least {SHORTEST_SECRET} random characters, such as secrets.token_urlsafe(48) gives."
            errors.append(Error(f"{name} is too weak for production.", hint=hint, id="walletproject.E003"))
    return errors


@register(Tags.security)
def application_is_not_the_owner(**_: Any) -> list[CheckMessage]:
    """The laws of the books hold against everyone but the tables' owner."""
    if settings.DATABASE_APP_ROLE:
        return []
    message = "The application's database role owns the tables, so that it could switch the ledger's triggers off."
    hint = "Set DATABASE_OWNER_URL to another role, and migrate with it: manage.py migrate --database owner."
    return [Warning(message, hint=hint, id="walletproject.W001")]


@register(Tags.security)
def admin_has_its_middleware(**_: Any) -> list[CheckMessage]:
    """Stands in for admin.E408 to E410, which look at MIDDLEWARE only (see walletproject.sites)."""
    missing = {
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    }.difference(settings.ADMIN_MIDDLEWARE)
    return [Error(f"ADMIN_MIDDLEWARE lacks {path}.", id="walletproject.E004") for path in sorted(missing)]


def _is_weak(secret: str) -> bool:
    return len(secret) < SHORTEST_SECRET or len(set(secret)) < 8 or secret.startswith("django-insecure")
