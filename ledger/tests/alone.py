"""Settings with nothing but the ledger installed: the books must stand on their own."""

from walletproject.settings import (  # noqa: F401
    DATABASE_APP_ROLE,
    DATABASES,
    DEFAULT_AUTO_FIELD,
    SECRET_KEY,
    TIME_ZONE,
    USE_TZ,
)

INSTALLED_APPS = ["ledger"]
