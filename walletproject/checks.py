"""What `manage.py check` refuses or warns of before anything starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from wallets.providers.enabled import lacking

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


@register(Tags.security)
def providers_can_work(**_: Any) -> list[CheckMessage]:
    """Each enabled provider has its keys, and one of them is the default."""
    errors: list[CheckMessage] = []
    for slug, (_path, options) in settings.PROVIDERS.items():
        if missing := ", ".join(lacking(slug, options)):
            hint = f"Set them, or leave {slug} out of PROVIDERS. docs/providers.md says where its dashboard has them."
            errors.append(
                Error(f"The provider {slug} is enabled without {missing}.", hint=hint, id="walletproject.E005")
            )
    if settings.DEFAULT_PROVIDER not in settings.PROVIDERS:
        enabled = ", ".join(settings.PROVIDERS) or "none"
        hint = f"Set DEFAULT_PROVIDER to one that is enabled ({enabled}), or enable it: for a trial PROVIDERS=sandbox."
        message = f"DEFAULT_PROVIDER is {settings.DEFAULT_PROVIDER or 'empty'}, which isn't enabled."
        errors.append(Error(message, hint=hint, id="walletproject.E006"))
    return errors


@register(Tags.security)
def real_money_is_moved_in_production_only(**_: Any) -> list[CheckMessage]:
    """Test keys in production would pay nobody, and live ones elsewhere would pay somebody."""
    found: list[CheckMessage] = []
    for slug, (_path, options) in settings.PROVIDERS.items():
        mode = options.get("mode")
        if settings.PRODUCTION and mode is None:
            hint = "Leave it out of PROVIDERS where real customers are."
            found.append(Warning(f"The provider {slug} moves no real money.", hint=hint, id="walletproject.W002"))
        if settings.PRODUCTION and mode == "test":
            hint = "Use its live keys and its live address, or leave it out of PROVIDERS."
            found.append(Error(f"The provider {slug} has test keys in production.", hint=hint, id="walletproject.E007"))
        if settings.PRODUCTION and mode and not options["base_url"].startswith("https://"):
            hint = f"Use an address that starts with https://, or unset {slug.upper()}_BASE_URL."
            found.append(Error(f"The keys of {slug} would travel unencrypted.", hint=hint, id="walletproject.E008"))
        if not settings.PRODUCTION and mode == "live":
            hint = "Use its test keys here; live ones belong where DJANGO_ENV=production."
            message = f"The provider {slug} has live keys outside production."
            found.append(Error(message, hint=hint, id="walletproject.E009"))
    return found


def _is_weak(secret: str) -> bool:
    return len(secret) < SHORTEST_SECRET or len(set(secret)) < 8 or secret.startswith("django-insecure")
