"""Text that must not lie about in the clear: encrypted at rest, and a keyed digest to look it up by."""

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_SHORTEST_KEY = 32


def encrypt(text: str) -> bytes:
    """Encrypt with the first of settings.ENCRYPTION_KEYS."""
    return _fernet(tuple(settings.ENCRYPTION_KEYS)).encrypt(text.encode())


def decrypt(data: bytes | memoryview) -> str:
    """Decrypt what any of settings.ENCRYPTION_KEYS encrypted; raises cryptography's InvalidToken for anything else."""
    return _fernet(tuple(settings.ENCRYPTION_KEYS)).decrypt(bytes(data)).decode()


def digest(text: str) -> bytes:
    """The same 32 bytes for the same text, meaningless without our key: for unique indexes and equality.

    Made with the last of settings.ENCRYPTION_KEYS: rotation adds keys in front, so the last must stay.
    """
    return hmac.digest(_derive(settings.ENCRYPTION_KEYS[-1], "digest"), text.encode(), hashlib.sha256)


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(key, "encryption"))) for key in keys])


def _derive(key: str, purpose: str) -> bytes:
    """32 bytes for one purpose, so that no two uses of a configured key ever share their own."""
    if len(key) < _SHORTEST_KEY:
        raise ImproperlyConfigured(f"Each of ENCRYPTION_KEYS needs {_SHORTEST_KEY} characters or more.")
    return hmac.digest(key.encode(), purpose.encode(), hashlib.sha256)
