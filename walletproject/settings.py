"""Every setting of the product, each value read from the environment and refused loudly where it makes no sense."""

import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import environ

from wallets.providers.enabled import enabled

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(environ.Env().str("DATA_DIR", str(BASE_DIR / ".data")))

env = environ.Env()
if "DATABASE_URL" not in env.ENVIRON and (DATA_DIR / "environment").is_file():
    # Written by `make run`: so that `manage.py` in another terminal reaches the embedded servers.
    environ.Env.read_env(DATA_DIR / "environment")

# --- Who we are -----------------------------------------------------------------------------------------------

ENVIRONMENT = env.str("DJANGO_ENV", "development")
PRODUCTION = ENVIRONMENT == "production"
TESTING = "pytest" in sys.modules
DEBUG = False
SECRET_KEY = env.str("SECRET_KEY")
# Encrypts service secrets and bank account numbers at rest. The first key encrypts, each of them decrypts.
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["*"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# The address under which clients reach us, for links in answers; empty means the address that was asked.
PUBLIC_URL = env.str("PUBLIC_URL", "")
# How many proxies in front of us append to X-Forwarded-For; 0 means that the header is a stranger's word.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)
# What Prometheus must send to read /metrics; without one, only this machine may.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
# What staff and their authenticators read.
SITE_NAME = env.str("SITE_NAME", "walletproject")
# A PNG or JPEG for the head of PDFs; empty draws a wallet.
DOCUMENT_LOGO = env.str("DOCUMENT_LOGO", "")
PROBLEM_BASE = "https://walletproject.dev/problems/"

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "walletproject.admin_site.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "axes",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "ledger",
    "users",
    "wallets",
    "walletproject",
]

MIDDLEWARE = [
    "walletproject.request_id.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "walletproject.errors.ProblemMiddleware",
    "walletproject.sites.AdminOnlyMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
# Sessions, CSRF and messages belong to the admin; the API pays nothing for them.
ADMIN_MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "walletproject.staff_login.SessionLimitMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "walletproject.urls"
WSGI_APPLICATION = "walletproject.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- PostgreSQL -------------------------------------------------------------------------------------------------


def _database(url: str, *, pool: bool) -> dict:
    """One connection's settings. A web process keeps a pool, everything else one lasting connection.

    The timeouts are the database's own: a client that hangs or dies can't keep a lock for longer.
    """
    config = env.db_url_config(url)
    config["ENGINE"] = "django.db.backends.postgresql"
    config["HOST"] = unquote(config["HOST"])  # a socket's folder, as libpq writes it in a URL: %2Frun%2Fpostgresql
    options = config.setdefault("OPTIONS", {})
    limits = " ".join(
        f"-c {name}={env.int(variable, default)}"
        for name, variable, default in (
            ("statement_timeout", "DATABASE_STATEMENT_TIMEOUT_MS", 30_000),
            ("lock_timeout", "DATABASE_LOCK_TIMEOUT_MS", 10_000),
            ("idle_in_transaction_session_timeout", "DATABASE_IDLE_TIMEOUT_MS", 30_000),
        )
    )
    # Our statements by hand are prepared on the server, and planned once: each is for an index whatever its values.
    # Django's own go on binding on the client.
    options["options"] = f"{limits} -c plan_cache_mode=force_generic_plan"
    options["prepare_threshold"] = 5
    options["connect_timeout"] = env.int("DATABASE_CONNECT_TIMEOUT_S", 5)
    if pool:
        options["pool"] = {"min_size": 1, "max_size": env.int("DATABASE_POOL_SIZE", 8), "timeout": 5}
        config["CONN_MAX_AGE"] = 0
    else:
        config["CONN_MAX_AGE"] = 600
        config["CONN_HEALTH_CHECKS"] = True
    return config


DATABASE_URL = env.str("DATABASE_URL")
# The owner of the tables, for migrations only: the application's own role can't switch a trigger off.
DATABASE_OWNER_URL = env.str("DATABASE_OWNER_URL", DATABASE_URL)
# In whose role backups are taken, with the right of replication; and where PostgreSQL's own programs are, where that is
# none of the usual places.
DATABASE_BACKUP_URL = env.str("DATABASE_BACKUP_URL", DATABASE_OWNER_URL)
PG_BIN = env.str("PG_BIN", "")
DATABASES = {
    "default": _database(DATABASE_URL, pool=env.bool("DATABASE_POOL", False)),
    "owner": _database(DATABASE_OWNER_URL, pool=False),
}
DATABASES["owner"]["OPTIONS"]["options"] = "-c statement_timeout=0"
DATABASES["default"]["TEST"] = {"MIRROR": "owner"}
_role = DATABASES["default"].get("USER", "")
# The application's role, which migrations grant to and revoke from; empty where it is the owner itself.
DATABASE_APP_ROLE = _role if _role != DATABASES["owner"].get("USER", "") else ""
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis --------------------------------------------------------------------------------------------------------

REDIS_URL = env.str("REDIS_URL")
_redis_options = {"SOCKET_CONNECT_TIMEOUT": 0.2, "SOCKET_TIMEOUT": 0.2}
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {**_redis_options, "IGNORE_EXCEPTIONS": True},
        "KEY_PREFIX": "wallet",
    },
    "ratelimit": {
        "BACKEND": "walletproject.ratelimits.SteadyCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": _redis_options,
        "KEY_PREFIX": "ratelimit",
    },
}

RATELIMIT_ENABLE = env.bool("RATELIMIT_ENABLE", True)
RATELIMIT_USE_CACHE = "ratelimit"
RATELIMIT_CALLER = env.str("RATELIMIT_CALLER", "600/m")
RATELIMIT_SERVICE = env.str("RATELIMIT_SERVICE", "60000/m")
RATELIMIT_ADDRESS = env.str("RATELIMIT_ADDRESS", "300/m")
RATELIMIT_LOGIN = env.str("RATELIMIT_LOGIN", "20/m")
SILENCED_SYSTEM_CHECKS = [
    # They know cache classes by name only; SteadyCache is django-redis with a way out.
    "django_ratelimit.E003",
    "django_ratelimit.W001",
    # They look at MIDDLEWARE only; walletproject.E004 looks at ADMIN_MIDDLEWARE.
    "admin.E408",
    "admin.E409",
    "admin.E410",
    "axes.W002",
    "security.W003",
]

# --- Mail ---------------------------------------------------------------------------------------------------------

# smtp+tls://user:password@host:587; without it, mail is written to the log of whoever would send it.
vars().update(env.email_url("EMAIL_URL", "consolemail://"))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("EMAIL_FROM", "walletproject@localhost")
EMAIL_TIMEOUT = 10

# --- Celery -------------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", REDIS_URL)
# In the API a bell that can't be rung is not worth waiting for: the sweep finds the row.
CELERY_ENABLED = env.bool("CELERY_ENABLED", True)

# --- People and services ------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "users.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher" if TESTING else "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
REGISTRATION_ENABLED = env.bool("REGISTRATION_ENABLED", True)
JWT_SIGNING_KEY = env.str("JWT_SIGNING_KEY", SECRET_KEY)
JWT_ACCESS_SECONDS = 300
JWT_REFRESH_SECONDS = env.int("JWT_REFRESH_SECONDS", 14 * 24 * 3600)
SIGNATURE_WINDOW_SECONDS = 300

# --- HTTP ---------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "users.authentication.BearerAuthentication",
        "users.authentication.SignatureAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["users.permissions.IsCaller"],
    "DEFAULT_PARSER_CLASSES": ["walletproject.strict_json.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["walletproject.rendering.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["walletproject.ratelimits.AddressLimit", "walletproject.ratelimits.CallerLimit"],
    "DEFAULT_PAGINATION_CLASS": "walletproject.pagination.CursorPages",
    "DEFAULT_METADATA_CLASS": "walletproject.rendering.Methods",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "walletproject.errors.answer",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "walletproject.rendering.AlwaysJSON",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}
BODY_LIMIT = 64 * 1024
BATCH_BODY_LIMIT = 5 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = BATCH_BODY_LIMIT

SPECTACULAR_SETTINGS = {
    "TITLE": "walletproject",
    "DESCRIPTION": "Wallets, deposits, transfers and withdrawals on a double-entry ledger.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    # The stock hook names the enums of serializers; our schemas come from structs, whole.
    "POSTPROCESSING_HOOKS": [],
}

# --- The admin and static files -----------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True
# Each client of a test loads the middleware anew, which would list all files each time.
WHITENOISE_AUTOREFRESH = TESTING
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
# Staff show a code of their authenticator beside the password; whoever has none yet sets one up as they log in.
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", PRODUCTION)
# A session ends after so much idleness, and after so many hours however busy it is; nobody has more at once.
SESSION_COOKIE_AGE = env.int("STAFF_SESSION_IDLE_MINUTES", 30) * 60
STAFF_SESSION_HOURS = env.int("STAFF_SESSION_HOURS", 12)
STAFF_SESSIONS = env.int("STAFF_SESSIONS", 5)
SESSION_SAVE_EVERY_REQUEST = True
# Wrong passwords of one name from one address, and how long it is refused then. What happened is in the audit trail.
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURES", 5)
AXES_COOLOFF_TIME = timedelta(minutes=env.int("LOGIN_LOCK_MINUTES", 15))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
# The field of the form of logging in, whatever the model calls it.
AXES_USERNAME_FORM_FIELD = "username"
AXES_CLIENT_IP_CALLABLE = "walletproject.ratelimits.client_address"
AXES_LOCKOUT_TEMPLATE = "admin/locked_out.html"
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION and env.bool("HTTPS", True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
UNFOLD = {
    "SITE_TITLE": SITE_NAME,
    "SITE_HEADER": SITE_NAME,
    "SITE_SYMBOL": "account_balance_wallet",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "walletproject.admin_site.favicon"}],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "walletproject.admin_site.overview",
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": "walletproject.admin_site.navigation"},
    "ACCOUNT": {
        "navigation": [
            {"title": "Second factor", "link": "/admin/second-factor/"},
            {"title": "API documentation", "link": "/api/docs"},
        ]
    },
}

# --- Language, time, logs -----------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "walletproject.formats"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        # They log addresses with what is asked for in them: account numbers.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        # Each log in, which the audit trail has.
        "axes": {"level": "ERROR"},
    },
}

# --- The product's own limits -------------------------------------------------------------------------------------

IDEMPOTENCY_BODY_DAYS = env.int("IDEMPOTENCY_BODY_DAYS", 30)
WEBHOOK_BODY_DAYS = env.int("WEBHOOK_BODY_DAYS", 90)
PROVIDERS = enabled(env.ENVIRON, production=PRODUCTION)
DEFAULT_PROVIDER = env.str("DEFAULT_PROVIDER", next(iter(PROVIDERS), ""))
# Where the sandbox bank delivers its webhooks: at our own door.
SANDBOX_WEBHOOK_URL = env.str(
    "SANDBOX_WEBHOOK_URL",
    f"{PUBLIC_URL.rstrip('/') or 'http://127.0.0.1:' + env.str('PORT', '8000')}/api/v1/webhooks/sandbox",
)
# Where a provider's checkout sends people back to; empty leaves them there.
TOP_UP_RETURN_URL = env.str("TOP_UP_RETURN_URL", "")
# Each wallet's account at a provider is read about so often (0: only when asked), and each provider at most so often
# (0: without a limit).
BALANCE_SYNC_MINUTES = env.int("BALANCE_SYNC_MINUTES", 15)
BALANCE_READS_PER_MINUTE = env.int("BALANCE_READS_PER_MINUTE", 0 if TESTING else 60)
# How much a provider's balance and our books may differ before finance is told, in minor units; by currency, such as
# "NGN=500000,USD=1000", and for those that aren't named.
DRIFT_THRESHOLDS = {currency: int(amount) for currency, amount in env.dict("DRIFT_THRESHOLDS", default={}).items()}
DRIFT_THRESHOLD = env.int("DRIFT_THRESHOLD", 10_000)
# How many days after its own a day is closed by itself (1: in the night after it; 0: only by hand), and how many
# minutes the last requests of a day have before it may be.
CLOSE_DAYS_AFTER = env.int("CLOSE_DAYS_AFTER", 0)
CLOSE_GRACE_MINUTES = env.int("CLOSE_GRACE_MINUTES", 15)
# From which hour (UTC) on a worker proves the books, once a night; -1 leaves it to a cron.
VERIFY_HOUR = env.int("VERIFY_HOUR", 3)
# Who is told of drift, and of the seals; empty means everybody in the group "finance".
FINANCE_EMAILS = env.list("FINANCE_EMAILS", default=[])
WITHDRAWAL_QUEUE_LIMIT = env.int("WITHDRAWAL_QUEUE_LIMIT", 100_000)
TRANSFER_QUEUE_LIMIT = env.int("TRANSFER_QUEUE_LIMIT", 100_000)
# How long what needs two people waits for the second of them.
PROPOSAL_HOURS = env.int("PROPOSAL_HOURS", 72)
# Where workers keep the files that were asked for, and for how long; all hosts must see the same folder.
EXPORTS_DIR = env.str("EXPORTS_DIR", str(DATA_DIR / "exports"))
EXPORT_DAYS = env.int("EXPORT_DAYS", 7)
# Usage. How late an event may come and still be taken, and how far ahead of our clock its moment may be.
USAGE_LATE_DAYS = env.int("USAGE_LATE_DAYS", 35)
USAGE_FUTURE_SECONDS = env.int("USAGE_FUTURE_SECONDS", 300)
# Which rejected events are kept for a person to decide, by their code, and for how long.
USAGE_QUARANTINE = frozenset(
    env.list("USAGE_QUARANTINE", default=["too_old", "in_future", "event_reused", "unknown_meter", "no_price"])
)
USAGE_QUARANTINE_DAYS = env.int("USAGE_QUARANTINE_DAYS", 90)
# How long raw events are kept, and that they were taken; a repeat that comes later still counts anew.
USAGE_EVENT_DAYS = env.int("USAGE_EVENT_DAYS", 90)
USAGE_KEY_DAYS = env.int("USAGE_KEY_DAYS", 400)
# How long minutes are told apart before they become hours, and hours before they become days.
USAGE_MINUTE_DAYS = env.int("USAGE_MINUTE_DAYS", 7)
USAGE_HOUR_DAYS = env.int("USAGE_HOUR_DAYS", 90)
# How soon usage is settled, and what becomes of what a wallet can't cover unless it says otherwise: stop, overdraft
# or bill.
USAGE_SETTLE_SECONDS = env.int("USAGE_SETTLE_SECONDS", 60)
USAGE_OVERAGE = env.str("USAGE_OVERAGE", "stop")
# Kafka, which `manage.py consume_usage` reads events from: its brokers, topics, the group's name, and further options
# of librdkafka as a JSON object.
KAFKA_BROKERS = env.str("KAFKA_BROKERS", "")
KAFKA_TOPICS = env.list("KAFKA_TOPICS", default=[])
KAFKA_GROUP = env.str("KAFKA_GROUP", "wallet-usage")
KAFKA_OPTIONS = env.json("KAFKA_OPTIONS", default={})
# Where a copy of all events goes, for questions about years, and for how many days it is kept; nowhere if empty.
CLICKHOUSE_URL = env.str("CLICKHOUSE_URL", "")
CLICKHOUSE_DAYS = env.int("CLICKHOUSE_DAYS", 1_100)
