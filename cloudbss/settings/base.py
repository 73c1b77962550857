"""All settings, read from the environment; ``.env.example`` lists every variable with one sentence."""

from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.FileAwareEnv()

# --- Installation -----------------------------------------------------------------------------------------------------
SECRET_KEY: str = env("SECRET_KEY", default="")
DEBUG = False
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
CLOUDBSS_HOME = Path(env("CLOUDBSS_HOME", default=str(BASE_DIR / ".local")))
CLOCK_MOVABLE: bool = False
SANDBOX_URL: str = env("SANDBOX_URL", default="")
SANDBOX_TLS_URL: str = env("SANDBOX_TLS_URL", default="")
PUBLIC_URL: str = env("PUBLIC_URL", default="http://127.0.0.1:8000")

# --- Applications -----------------------------------------------------------------------------------------------------
LOCAL_APPS = [
    "core",
    "users",
    "resellers",
    "vendors",
    "catalog",
    "subscriptions",
    "billing",
    "orders",
    "provisioning",
    "notifications",
    "sso",
    "office365",
    "ui",
    "storefront",
    "bss",
    "cloudbss",
]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    *LOCAL_APPS,
]
AUTH_USER_MODEL = "users.User"
ROOT_URLCONF = "cloudbss.urls"
WSGI_APPLICATION = "cloudbss.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "resellers.middleware.ActorMiddleware",
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
                "ui.context.page",
            ],
        },
    },
]

# --- Data -------------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default="postgres://cloudbss@127.0.0.1:5432/cloudbss")}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
REDIS_URL: str = env("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

# --- Encryption of stored secrets: the first key writes, the others still read ----------------------------------------
FIELD_ENCRYPTION_KEYS: list[str] = env.list("FIELD_ENCRYPTION_KEYS", default=[])

# --- Vendors ----------------------------------------------------------------------------------------------------------
CONNECTORS = {"microsoft_cloud": "office365.connector.Office365Connector"}
EXTRA_CA_FILE: str = env("EXTRA_CA_FILE", default="")
LOOPBACK_HOSTS: list[str] = env.list("LOOPBACK_HOSTS", default=[])
VENDOR_CONNECT_TIMEOUT: float = env.float("VENDOR_CONNECT_TIMEOUT", default=5.0)
VENDOR_READ_TIMEOUT: float = env.float("VENDOR_READ_TIMEOUT", default=60.0)
VENDOR_WRITE_TIMEOUT: float = env.float("VENDOR_WRITE_TIMEOUT", default=120.0)
OPERATION_CLAIM_SECONDS: int = env.int("OPERATION_CLAIM_SECONDS", default=60)

# --- Language and time ------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("el", "Ελληνικά")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Static files -----------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
