"""Every setting, in one place: what it is, its default, its unit. All come from the environment.

A variable NAME may also be given as NAME_FILE, the path of a file that holds the value (for mounted secrets).
Required in production: SECRET_KEY, ALLOWED_HOSTS, DATABASE_URL, REDIS_URL, ENCRYPTION_KEYS.
"""

from __future__ import annotations

import sys
from pathlib import Path

import environ
from celery.schedules import crontab
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from . import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "1.0.0"
# Seconds. Every time below has a maximum that nobody should need: one that cannot be added to a date, or waited for,
# would be an error at each use instead of one at the start.
_HOUR, _DAY = 3_600, 86_400

# DEBUG (default false): Django's error pages, and throw-away defaults for the keys below. Never in production.
DEBUG = env.boolean("DEBUG", False)

# What a development server may run without.
_DEVELOPMENT_KEY = "development-only-not-a-secret-development-only-not-a-secret" if DEBUG else None
_DEVELOPMENT_FERNET = "ZGV2ZWxvcG1lbnQtb25seS1ub3QtYS1zZWNyZXQtISE=" if DEBUG else None

# SECRET_KEY (required): signs the admin's sessions. At least 50 random characters.
SECRET_KEY = env.text("SECRET_KEY", _DEVELOPMENT_KEY)
if len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("SECRET_KEY is empty or too short: give at least 50 random characters.")

# ALLOWED_HOSTS (required): comma-separated host names that the web server answers for.
ALLOWED_HOSTS = list(env.strings("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]") if DEBUG else ()))
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("Set ALLOWED_HOSTS to the host names of the web server, comma-separated.")

# CSRF_TRUSTED_ORIGINS (default none): comma-separated origins, e.g. https://hooks.example.com, when a proxy ends TLS.
CSRF_TRUSTED_ORIGINS = list(env.strings("CSRF_TRUSTED_ORIGINS"))

# ENCRYPTION_KEYS (required): comma-separated Fernet keys, newest first. They encrypt webhook secrets and headers.
# To rotate: put a new key in front, restart, run `manage.py rotate_encryption`, then drop the old key.
ENCRYPTION_KEYS = tuple(
    key.strip() for key in env.text("ENCRYPTION_KEYS", _DEVELOPMENT_FERNET).split(",") if key.strip()
)
try:
    _ = [Fernet(key) for key in ENCRYPTION_KEYS]
except ValueError:
    raise ImproperlyConfigured("ENCRYPTION_KEYS must hold Fernet keys: 32 bytes each, as URL-safe base64.") from None
if not ENCRYPTION_KEYS:
    raise ImproperlyConfigured("ENCRYPTION_KEYS is empty; give at least one Fernet key.")

# --- PostgreSQL -------------------------------------------------------------------------------------------------------

# DATABASE_URL (required): postgres://user:password@host:port/name. The queue lives here; keep fsync on.
_database_url = env.text("DATABASE_URL")
if not _database_url.startswith(("postgres://", "postgresql://")):
    raise ImproperlyConfigured("DATABASE_URL must begin with postgres://; PostgreSQL 14 or later is the only database.")
try:
    _database = environ.Env.db_url_config(_database_url)
except ValueError:
    _database = {}
if not _database.get("NAME"):
    raise ImproperlyConfigured("DATABASE_URL must look like postgres://user:password@host:5432/name.")
DATABASES = {
    "default": {
        **_database,
        "ENGINE": "django.db.backends.postgresql",
        # DATABASE_CONN_MAX_AGE (seconds, default 60): how long a web process keeps its connection.
        "CONN_MAX_AGE": env.integer("DATABASE_CONN_MAX_AGE", 60, 0, _DAY),
        "CONN_HEALTH_CHECKS": True,
        # DATABASE_CONNECT_TIMEOUT (seconds, default 5), DATABASE_TCP_TIMEOUT (milliseconds, default 10,000): how
        # long a dead server may hold a process. A courier that waits here cannot read its receivers' answers.
        "OPTIONS": {
            "connect_timeout": env.integer("DATABASE_CONNECT_TIMEOUT", 5, 1, _HOUR),
            "tcp_user_timeout": env.integer("DATABASE_TCP_TIMEOUT", 10_000, 0, 1000 * _HOUR),
            "application_name": "dotfile-hooks",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis or Valkey, and Celery --------------------------------------------------------------------------------------

# REDIS_URL (required): redis://:password@host:port/0. Holds wake-ups and throttles: it may be flushed at any moment.
# rediss:// is TLS; unix:///path?db=0 is a socket, and needs a BROKER_URL (redis+socket:///path).
_redis_example = "redis://:password@host:6379/0"
REDIS_URL = env.server_url("REDIS_URL", env.text("REDIS_URL"), ("redis", "rediss", "unix"), _redis_example)
# BROKER_URL (default REDIS_URL): Celery's broker, where it is another server.
_broker_url = env.text("BROKER_URL", "") or REDIS_URL
if _broker_url.startswith("unix://"):
    raise ImproperlyConfigured("Set BROKER_URL to redis+socket:///path: Celery does not know the unix:// of REDIS_URL.")
_brokers = ("redis", "rediss", "redis+socket", "sentinel", "amqp", "amqps")
CELERY_BROKER_URL = env.server_url(
    "BROKER_URL", _broker_url, _brokers, f"{_redis_example} or amqp://user:password@host//"
)
# WAKE_TIMEOUT (seconds, default 0.25): how long a save() or a request may wait for Redis before it goes on without.
WAKE_TIMEOUT = env.number("WAKE_TIMEOUT", 0.25, 0, _HOUR)

CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_CONSUMER = "dotfile_hooks.consumer:PatientConsumer"
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False  # a courier needs no broker; its lanes are leased
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Seconds. Longer than any countdown we use (one minute) and than the life of a `deliver` task.
    "visibility_timeout": 300,
    # Unacknowledged messages come back within visibility_timeout + 5 s (kombu's default: + 100 s).
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    # Without a socket timeout a half-open connection stops a worker for good.
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 5,
}
CELERY_TASK_PUBLISH_RETRY = False  # a lost wake-up costs a second (the sweep); a retried one costs the caller
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TASK_SEND_SENT_EVENT = False
# SIGTERM is a warm shutdown: a courier takes no more, waits for the requests in flight (30 s at most), gives its lanes
# back and ends. SIGQUIT waits for so many seconds, then goes down with whatever is left.
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 35.0
CELERY_WORKER_MAX_TASKS_PER_CHILD = 5000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_DB_REUSE_MAX = 1000  # tasks a worker's database connection serves; without it Celery reconnects for each
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
# Everything that is not delivery has a queue of its own, so that a mail server cannot hold up a webhook.
CELERY_TASK_DEFAULT_QUEUE = "deliveries"
CELERY_TASK_ROUTES = {
    "deliveries.sweep": {"queue": "chores"},
    "deliveries.chores.*": {"queue": "chores"},
    "cases.chores.*": {"queue": "chores"},
    "checks.chores.*": {"queue": "chores"},
    # A file may take seconds: not beside the sweep.
    "checks.documents.*": {"queue": "documents"},
}
# SWEEP_INTERVAL (seconds, default 1): how often beat looks for due work that nobody was woken for.
SWEEP_INTERVAL = env.number("SWEEP_INTERVAL", 1.0, 0.1, _HOUR)
# DOCUMENT_RESUME_INTERVAL (seconds, default 60): how often beat looks for documents whose analysis stands still.
DOCUMENT_RESUME_INTERVAL = env.number("DOCUMENT_RESUME_INTERVAL", 60.0, 0.1, _DAY)
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "deliveries.sweep", "schedule": SWEEP_INTERVAL, "options": {"expires": 300}},
    # By the clock: a beat that is restarted often would never see a whole hour pass.
    "upkeep": {"task": "deliveries.chores.upkeep", "schedule": crontab(minute=17), "options": {"expires": 3600}},
    # Every minute: it is one question to an index when nothing is due, and days pass at midnight, not within the hour.
    "expiry of checks": {"task": "checks.chores.expiry", "schedule": crontab(), "options": {"expires": 60}},
    "uploads": {"task": "checks.chores.remove_uploads", "schedule": crontab(minute=37), "options": {"expires": 3600}},
    "documents": {
        "task": "checks.chores.resume_documents",
        "schedule": DOCUMENT_RESUME_INTERVAL,
        "options": {"expires": 300},
    },
    # What fell due today, and on days when nobody asked.
    "reviews": {"task": "cases.chores.reviews", "schedule": crontab(), "options": {"expires": 60}},
}

# --- Delivery ---------------------------------------------------------------------------------------------------------

# DELIVERY_CONNECT_TIMEOUT (seconds, default 5): to have a connection, TLS included.
DELIVERY_CONNECT_TIMEOUT = env.number("DELIVERY_CONNECT_TIMEOUT", 5, 0.1, _HOUR)
# DELIVERY_TIMEOUT (seconds, default 15, at most 30): from the first byte of DNS to the last of the answer.
DELIVERY_TIMEOUT = env.number("DELIVERY_TIMEOUT", 15, 0.1, 30)
# DELIVERY_MAX_RETRIES (default 18, about 71 hours; at most 20): for subscriptions that do not choose their own.
DELIVERY_MAX_RETRIES = env.integer("DELIVERY_MAX_RETRIES", 18, 0, 20)
# DELIVERY_IN_FLIGHT (default 256): requests that one worker process keeps open at a time.
DELIVERY_IN_FLIGHT = env.integer("DELIVERY_IN_FLIGHT", 256, 2)
# DELIVERY_LANE_IN_FLIGHT (default 32): requests to one subscription at a time.
DELIVERY_LANE_IN_FLIGHT = env.integer("DELIVERY_LANE_IN_FLIGHT", 32, 1)
# DELIVERY_HOST_IN_FLIGHT (default 128): requests that one worker process keeps open to one host, whoever subscribed it.
DELIVERY_HOST_IN_FLIGHT = env.integer("DELIVERY_HOST_IN_FLIGHT", 128, 1)
# DELIVERY_LEASE (seconds, default 40): how long a dead worker keeps its subscriptions from the others. A request lasts
# three quarters of it at most, whatever its own timeout.
DELIVERY_LEASE = env.number("DELIVERY_LEASE", 40, 2, _HOUR)
# DELIVERY_BOUND (seconds, default 60): how long one `deliver` task works before it hands over to another.
DELIVERY_BOUND = env.number("DELIVERY_BOUND", 60, 1, _HOUR)
# SECRET_GRACE (seconds, default 86,400, at most 7 days): how long the old secret signs too after a rotation.
SECRET_GRACE = env.integer("SECRET_GRACE", _DAY, 0, 7 * _DAY)

# BREAKER_FAILURES (default 10): failures in a row after which a receiver is left alone for a while; also when more than
# half of BREAKER_ATTEMPTS (default 20) or more in the last minute failed.
BREAKER_FAILURES = env.integer("BREAKER_FAILURES", 10, 1)
BREAKER_ATTEMPTS = env.integer("BREAKER_ATTEMPTS", 20, 1)
# BREAKER_PAUSE (seconds, default 10): until it is probed by one request; doubled after each probe that fails, up to
# BREAKER_LONGEST_PAUSE (seconds, default 600).
BREAKER_PAUSE = env.number("BREAKER_PAUSE", 10, 0.1, _DAY)
BREAKER_LONGEST_PAUSE = env.number("BREAKER_LONGEST_PAUSE", 600, 0.1, _DAY)
# OFFLINE_AFTER_FAILURES (default 50): failures in 24 hours, more than half of all attempts, that take a subscription
# offline unless it is promoted.
OFFLINE_AFTER_FAILURES = env.integer("OFFLINE_AFTER_FAILURES", 50, 1)

# RETENTION_DAYS (default 30, 7 to 3,650): how long events, payloads, deliveries and attempts are kept. Retries by our
# own schedule end within five days, so at 7 nothing is removed that would still be tried, unless its receiver asked for
# long delays (Retry-After) or was offline.
RETENTION_DAYS = env.integer("RETENTION_DAYS", 30, 7, 3_650)
# PARTITIONS_AHEAD (default 7, 2 to 60): days for which partitions are made in advance.
PARTITIONS_AHEAD = env.integer("PARTITIONS_AHEAD", 7, 2, 60)

# --- Documents --------------------------------------------------------------------------------------------------------

# DOCUMENT_ANALYSER (default checks.documents.local.LocalAnalyser): module.Class of what reads and examines the files
# that are handed in for document checks.
DOCUMENT_ANALYSER = env.text("DOCUMENT_ANALYSER", "checks.documents.local.LocalAnalyser")

# --- E-mail: what people must know ------------------------------------------------------------------------------------

# EMAIL_URL (default smtp://localhost:25; console:// with DEBUG): the mail server. smtp://user:password@host:port,
# smtp+tls:// (STARTTLS), smtps:// (TLS from the start), or console://, which prints.
_mail = env.mail_server("EMAIL_URL", "console://" if DEBUG else "smtp://localhost:25")
EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = _mail.backend, _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.starttls, _mail.tls
# EMAIL_TIMEOUT (seconds, default 10): for each step of talking to the mail server.
EMAIL_TIMEOUT = env.number("EMAIL_TIMEOUT", 10, 0.1, _HOUR)
# EMAIL_FROM (default Dotfile Hooks <hooks@localhost>): whom e-mails come from.
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.sender("EMAIL_FROM", "Dotfile Hooks <hooks@localhost>")
# PUBLIC_URL (default none): where people reach the admin and the API, e.g. https://hooks.example.com. E-mails then link
# to it; links in thin payloads begin with it, else with /v1/.
PUBLIC_URL = env.origin("PUBLIC_URL")

# --- Egress: which addresses may be dialled ---------------------------------------------------------------------------

# EGRESS_PORTS (default 443,80): ports that receivers may listen on; * for any.
EGRESS_PORTS = env.ports("EGRESS_PORTS", ("443", "80"))
# EGRESS_ALLOW_HTTP (default false): http:// receivers. Bodies then travel unencrypted.
EGRESS_ALLOW_HTTP = env.boolean("EGRESS_ALLOW_HTTP", False)
# EGRESS_ALLOWED_NETWORKS (default none): CIDR blocks that may be dialled though not public, e.g. 10.1.0.0/16.
EGRESS_ALLOWED_NETWORKS = env.networks("EGRESS_ALLOWED_NETWORKS")
# EGRESS_NAT64_PREFIX (default none): the site's NAT64 prefix, e.g. 2001:db8:64::/96; addresses in it are judged by the
# IPv4 address they carry.
EGRESS_NAT64_PREFIX = env.nat64_prefix("EGRESS_NAT64_PREFIX")
# EGRESS_DNS_SERVERS (default: the system's): comma-separated name servers, by IP address, with :port or without.
EGRESS_DNS_SERVERS = env.name_servers("EGRESS_DNS_SERVERS")
# EGRESS_DNS_TIMEOUT (seconds, default 3): for all tries together.
EGRESS_DNS_TIMEOUT = env.number("EGRESS_DNS_TIMEOUT", 3, 0.1, _HOUR)

# URL_LOOKUP_TIMEOUT (seconds, default 1; 0: do not look): how long saving a webhook may look for its URL's addresses,
# to refuse names that are not public. Who saves learns that a name has an inner address: where that is too much, give
# public servers in EGRESS_DNS_SERVERS.
URL_LOOKUP_TIMEOUT = env.number("URL_LOOKUP_TIMEOUT", 1, 0, 10)

# --- Django -----------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular_sidecar",
    "workspaces",
    "cases",
    "checks",
    "deliveries",
    "dotfile_hooks.openapi",
]
MIDDLEWARE = [
    "workspaces.api.caching.forbidden",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "workspaces.mistakes.MistakesInTheAdmin",
    "workspaces.api.throttles.headers",
]
ROOT_URLCONF = "dotfile_hooks.urls"
WSGI_APPLICATION = "dotfile_hooks.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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
AUTH_USER_MODEL = "workspaces.User"  # with a UUID for a key: the API shows users by UUID
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
_manifest = not DEBUG and "pytest" not in sys.modules
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _manifest
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = DEBUG  # development serves static files without collecting them

# TLS_PROXY (default true unless DEBUG): a proxy in front ends TLS and sets X-Forwarded-Proto; plain HTTP is redirected.
_tls = env.boolean("TLS_PROXY", not DEBUG)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _tls else None
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _tls
# HSTS_SECONDS (seconds, default 31,536,000 behind TLS_PROXY): how long browsers insist on https.
SECURE_HSTS_SECONDS = env.integer("HSTS_SECONDS", 365 * _DAY if _tls else 0, 0, 3650 * _DAY)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _tls

# --- The API ----------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["workspaces.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["workspaces.api.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS is refused as any other method; what the API takes is in its documents
    "DEFAULT_SCHEMA_CLASS": "dotfile_hooks.openapi.schema.Schema31",
    "EXCEPTION_HANDLER": "workspaces.api.errors.handle",
    "UNAUTHENTICATED_USER": None,
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
# Of what is taken and what is answered under the same name, the former is called ...Request.
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}
# WEBHOOKS_PER_WORKSPACE (default 50), TAGS_PER_WORKSPACE (default 200): Dotfile's limits.
WEBHOOKS_PER_WORKSPACE = env.integer("WEBHOOKS_PER_WORKSPACE", 50, 1)
TAGS_PER_WORKSPACE = env.integer("TAGS_PER_WORKSPACE", 200, 1)
# UPLOADS_PER_WORKSPACE (bytes, default 10 GB): files that were uploaded for checks and have not expired. They are kept
# in the database; checks that use them have copies of their own, which do not count.
UPLOADS_PER_WORKSPACE = env.integer("UPLOADS_PER_WORKSPACE", 10_000_000_000, 1)
# NEXT_REVIEW_DAYS (default none; for example low:1095,medium:730,high:365): an approval over the API that does not name
# its next_review_at gets one this many days later, by the level of the case's risk; a level without days gets none.
_risk_levels = ("not_defined", "low", "medium", "high", "critical", "prohibited")
NEXT_REVIEW_DAYS = env.days("NEXT_REVIEW_DAYS", _risk_levels)
# KEYS_PER_WORKSPACE (default 50): API keys that are live at a time, Dotfile's limit, too.
KEYS_PER_WORKSPACE = env.integer("KEYS_PER_WORKSPACE", 50, 1)
# KEY_GRACE (seconds, default 86,400, at most 31 days): how long the old key is good after a rotation that does not say.
KEY_GRACE = env.integer("KEY_GRACE", _DAY, 0, 31 * _DAY)
# READS_PER_MINUTE (default 800), READS_BURST (200): GET requests of a key, and how many of them at once. So WRITES_
# (300 and 100) for all other methods, and BAD_KEYS_ (120 and 60) for refused keys of an address. 0 a minute: no limit.
READS_PER_MINUTE, READS_BURST = env.integer("READS_PER_MINUTE", 800), env.integer("READS_BURST", 200, 1)
WRITES_PER_MINUTE, WRITES_BURST = env.integer("WRITES_PER_MINUTE", 300), env.integer("WRITES_BURST", 100, 1)
BAD_KEYS_PER_MINUTE, BAD_KEYS_BURST = env.integer("BAD_KEYS_PER_MINUTE", 120), env.integer("BAD_KEYS_BURST", 60, 1)
# TRUSTED_PROXIES (default 0): how many proxies every request comes through. The address of a caller, for the allow list
# of a key, is then that many from the end of X-Forwarded-For; at 0 the header is not read.
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0)

# IDEMPOTENCY_SECONDS (seconds, default 86,400, at most a year): how long the answer to a POST with an Idempotency-Key
# is given again.
IDEMPOTENCY_SECONDS = env.integer("IDEMPOTENCY_SECONDS", _DAY, 1, 365 * _DAY)

# LOG_LEVEL (default INFO): of our own loggers; ids and counts only, never a body, a secret or a person.
_log_level = env.text("LOG_LEVEL", "INFO")
if _log_level not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
    raise ImproperlyConfigured("LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(process)d %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        name: {"level": _log_level} for name in ("workspaces", "cases", "checks", "deliveries", "dotfile_hooks")
    }
    # It quotes from the files it complains of, and those are personal.
    | {"pypdf": {"level": "CRITICAL"}}
    # A line for each answer of 400 and more, with the address: there may be an e-mail address in it, as an external_id.
    | {"django.request": {"level": "ERROR"}}
    # A traceback for each request that names another host, and anybody may send those: `handler400` logs a line.
    | {"django.security.DisallowedHost": {"level": "CRITICAL"}},
}
