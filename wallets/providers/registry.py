"""Which providers there are: the only module that names adapters, by what the settings say."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from wallets.providers.port import PaymentProvider


class NoSuchProvider(Exception):
    """A name that no enabled provider has."""


class Registry:
    """Providers by name, each made once from its dotted path and options."""

    def __init__(self, configured: Mapping[str, tuple[str, Mapping[str, Any]]]) -> None:
        self._configured = configured
        self._made: dict[str, PaymentProvider] = {}

    def __contains__(self, slug: str) -> bool:
        return slug in self._configured

    def get(self, slug: str) -> PaymentProvider:
        """The provider of a name. Raises NoSuchProvider."""
        if slug not in self._configured:
            raise NoSuchProvider(f"There is no provider {slug}; enabled are {', '.join(self._configured)}.")
        if slug not in self._made:
            path, options = self._configured[slug]
            module, _, name = path.rpartition(".")
            self._made[slug] = getattr(import_module(module), name)(slug=slug, **options)
        return self._made[slug]
