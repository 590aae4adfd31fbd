"""Which providers the environment enables. Each folder here is a provider, and its `options` says what it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any


@dataclass(frozen=True, slots=True)
class Environment:
    """The values that options are made from; a blank one counts as none."""

    values: Mapping[str, str]
    production: bool = False

    def text(self, name: str, default: str = "") -> str:
        """A value without the blanks around it."""
        return self.values.get(name, "").strip() or default

    def texts(self, name: str) -> list[str]:
        """The values of a list that is separated by commas."""
        return [text for part in self.values.get(name, "").split(",") if (text := part.strip())]


def known() -> list[str]:
    """The providers that there are, enabled or not."""
    return sorted(found.name for found in iter_modules([str(Path(__file__).parent)]) if found.ispkg)


def enabled(values: Mapping[str, str], *, production: bool) -> dict[str, tuple[str, dict[str, Any]]]:
    """For each enabled provider its adapter's dotted path and options, as `PROVIDERS` or the keys say.

    Raises ValueError for a name that no provider has.
    """
    env = Environment(values, production)
    slugs = env.texts("PROVIDERS") or _wanted(env)
    strangers = ", ".join(slug for slug in slugs if slug not in known())
    if strangers:
        raise ValueError(f"PROVIDERS names {strangers}; there are {', '.join(known())}.")
    return {slug: (_options(slug).ADAPTER, _options(slug).options(env)) for slug in slugs}


def lacking(slug: str, options: Mapping[str, Any]) -> list[str]:
    """The variables that an enabled provider can't do without and that aren't set."""
    return [variable for option, variable in _options(slug).REQUIRED.items() if not options.get(option)]


def _wanted(env: Environment) -> list[str]:
    """Those with a key in the environment. One that needs none moves no real money: in development it is the first."""
    needs = {slug: _options(slug).REQUIRED.values() for slug in known()}
    keyless = [] if env.production else [slug for slug, variables in needs.items() if not variables]
    return keyless + [slug for slug, variables in needs.items() if any(env.text(variable) for variable in variables)]


def _options(slug: str) -> ModuleType:
    return import_module(f"wallets.providers.{slug}.options")
