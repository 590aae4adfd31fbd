"""The providers that this installation has enabled."""

from functools import cache

from django.conf import settings

from users.validation import ValidationError
from wallets.providers.port import PaymentProvider
from wallets.providers.registry import NoSuchProvider, Registry


@cache
def registry() -> Registry:
    """The enabled providers, by name."""
    return Registry(settings.PROVIDERS)


def provider(slug: str) -> PaymentProvider:
    """A provider that a row of ours names. Raises NoSuchProvider where it was disabled since."""
    return registry().get(slug)


def chosen(slug: str | None) -> PaymentProvider:
    """The provider that a client asks for, or the default one. Raises ValidationError."""
    try:
        return registry().get(slug or settings.DEFAULT_PROVIDER)
    except NoSuchProvider as error:
        raise ValidationError.on("provider", "unknown_provider", str(error)) from error
