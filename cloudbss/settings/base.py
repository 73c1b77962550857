"""All settings, read from the environment; ``.env.example`` lists every variable with one sentence."""

from pathlib import Path

import django_stubs_ext
from celery.schedules import crontab

from cloudbss.environment import Environment

django_stubs_ext.monkeypatch()  # Lets generic Django classes be subscripted at run time.

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = Environment()

# --- Installation -----------------------------------------------------------------------------------------------------
SECRET_KEY: str = env("SECRET_KEY", default="")
DEBUG = False
PRODUCTION = False
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
    "clients",
    "vendors",
    "catalog",
    "subscriptions",
    "billing",
    "orders",
    "provisioning",
    "notifications",
    "sso",
    "tenants",
    "office365",
    "microsoft_esd",
    "ui",
    "storefront",
    "bss",
    "api",
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
    "drf_spectacular_sidecar",
    *LOCAL_APPS,
]
AUTH_USER_MODEL = "users.User"
ROOT_URLCONF = "cloudbss.urls"
WSGI_APPLICATION = "cloudbss.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "core.request_id.RequestIdMiddleware",
    "api.middleware.ApiMiddleware",
    "resellers.middleware.SiteMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "api.middleware.ApiDoor",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "storefront.look.LookMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "ui.errors.ClosedSiteMiddleware",
    "resellers.middleware.ActorMiddleware",
    "sso.middleware.RealmMiddleware",
    "ui.errors.BusinessErrorMiddleware",
    "storefront.viewing.ReadOnlyMiddleware",
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
                "storefront.context.shop",
                "sso.context.registration",
            ],
        },
    },
]

# --- Sign-in: local accounts by realm, people come by invitation ------------------------------------------------------
AUTHENTICATION_BACKENDS = ["sso.backends.RealmBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "CommonPasswordValidator", "NumericPasswordValidator")
] + [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    }
]
LOGIN_URL = "account_login"
PASSWORD_RESET_TIMEOUT = 3600
SESSION_COOKIE_AGE: int = env.int("SESSION_SECONDS", default=12 * 3600)
SESSION_IDLE_SECONDS = 2 * 3600
# Behind our own proxy the limits below must count visitors, not the proxy.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if env.bool("BEHIND_TLS_PROXY", default=False) else 0
VIEW_AS_MINUTES: int = env.int("VIEW_AS_MINUTES", default=30)
STAFF_MFA_REQUIRED: bool = env.bool("STAFF_MFA_REQUIRED", default=False)
ACCOUNT_ADAPTER = "sso.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}  # The form asks for the e-mail address, unique by realm only.
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
ACCOUNT_UNIQUE_EMAIL = False
ACCOUNT_USER_DISPLAY = "sso.adapter.shown_as"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_FORMS = {
    "login": "sso.forms.LoginForm",
    "reset_password": "sso.forms.ResetPasswordForm",
    "user_token": "sso.forms.UserTokenForm",
}
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/300s/key",
    "reset_password": "10/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
    "confirm_email": "1/180s/key",
}
MFA_ADAPTER = "sso.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]

# --- Mail: rows of an outbox; without EMAIL_URL they are only kept to be looked at ------------------------------------
vars().update(env.email("EMAIL_URL", default="dummymail://"))
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL: str = env("DEFAULT_FROM_EMAIL", default="no-reply@localhost")

# Microsoft's documented addresses for sending with OAuth2: token (by the domain of the address), server, port.
OFFICE365_MAIL = (
    "https://login.microsoftonline.com/{domain}/oauth2/v2.0/token",
    "smtp.office365.com",
    587,
)
# The same of Google: where the mailbox's owner is asked, where tokens are given, server, port.
GOOGLE_MAIL = {
    "consent": "https://accounts.google.com/o/oauth2/v2/auth",
    "token": "https://oauth2.googleapis.com/token",
    "server": "smtp.gmail.com",
    "port": "587",
}

# --- Data -------------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default="postgres://cloudbss@127.0.0.1:5432/cloudbss")}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# How long a statement of the web process may take, in seconds; 0 means no limit. Workers and commands have none.
WEB_STATEMENT_SECONDS: float = env.float("WEB_STATEMENT_SECONDS", default=30.0)
REDIS_URL: str = env("REDIS_URL", default="redis://127.0.0.1:6379/0")
# How long a process may go on with the site of a host as it read it, in seconds; 0 reads it for each request.
BRIEF_SECONDS: float = env.float("BRIEF_SECONDS", default=5.0)
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

# --- Encryption of stored secrets: the first key writes, the others still read ----------------------------------------
FIELD_ENCRYPTION_KEYS: list[str] = env.list("FIELD_ENCRYPTION_KEYS", default=[])

# --- Vendors ----------------------------------------------------------------------------------------------------------
CONNECTORS = {
    "microsoft_cloud": "office365.connector.Office365Connector",
    "microsoft_esd": "microsoft_esd.connector.EsdConnector",
    "reseller_plans": "provisioning.connectors.reseller_plans.ResellerPlans",
    "back_ordering": "tenants.connector.BackOrderingConnector",
}
# Who keeps the tokens of customers' cards (``billing.ports.CardVault``).
CARD_VAULT = "billing.ports.NoVault"
EXTRA_CA_FILE: str = env("EXTRA_CA_FILE", default="")
LOOPBACK_HOSTS: list[str] = env.list("LOOPBACK_HOSTS", default=[])
VENDOR_CONNECT_TIMEOUT: float = env.float("VENDOR_CONNECT_TIMEOUT", default=5.0)
VENDOR_READ_TIMEOUT: float = env.float("VENDOR_READ_TIMEOUT", default=60.0)
VENDOR_WRITE_TIMEOUT: float = env.float("VENDOR_WRITE_TIMEOUT", default=120.0)
VENDOR_CALLS_PER_MINUTE: int = env.int("VENDOR_CALLS_PER_MINUTE", default=400)
# Families of calls for which a vendor allows fewer a minute.
VENDOR_FAMILY_CALLS_PER_MINUTE: dict[str, int] = {"esd": env.int("ESD_CALLS_PER_MINUTE", default=60)}
API_CALLS_PER_MINUTE: int = env.int("API_CALLS_PER_MINUTE", default=600)
API_WRITES_PER_MINUTE: int = env.int("API_WRITES_PER_MINUTE", default=120)
API_ORGANIZATION_CALLS_PER_MINUTE: int = env.int("API_ORGANIZATION_CALLS_PER_MINUTE", default=6000)
OPERATION_CLAIM_SECONDS: int = env.int("OPERATION_CLAIM_SECONDS", default=60)
# Whom to ask for names, as address or address:port; empty means the system's resolvers.
DNS_RESOLVERS: list[str] = env.list("DNS_RESOLVERS", default=[])
# The hosts a certificate's name may be an alias of, such as one in Europe and one in America.
CERTIFICATE_CNAME_TARGETS: list[str] = env.list("CERTIFICATE_CNAME_TARGETS", default=[])

# --- Webhooks: receivers on this machine are for demo and test alone --------------------------------------------------
WEBHOOK_LOOPBACK: bool = env.bool("WEBHOOK_LOOPBACK", default=False)

# --- Custom domains of storefronts ------------------------------------------------------------------------------------
# The host a custom domain is an alias of (CNAME); empty means the host of PUBLIC_URL.
STOREFRONT_CNAME: str = env("STOREFRONT_CNAME", default="")
# The IPv4 addresses a custom domain may have instead (A), for names that cannot be an alias.
STOREFRONT_ADDRESSES: list[str] = env.list("STOREFRONT_ADDRESSES", default=[])
# Where our reverse proxy speaks TLS, as host:port; empty means that custom domains go live without a certificate.
STOREFRONT_TLS_PROXY: str = env("STOREFRONT_TLS_PROXY", default="")
# What a proxy on another machine must send to be told which domains may have a certificate.
TLS_ASK_SECRET: str = env("TLS_ASK_SECRET", default="")

# --- Background work: rows are durable, the broker may be away; then the sweep sends them again -----------------------
CELERY_BROKER_URL: str = env("CELERY_BROKER_URL", default=REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "core.run_job_bulk": {"queue": "bulk"},
    "core.run_job_vendor": {"queue": "vendors"},
    "provisioning.*": {"queue": "vendors"},
    "notifications.*": {"queue": "mail"},
}
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"visibility_timeout": 3600, "socket_connect_timeout": 1, "socket_timeout": 5, "max_retries": 1}
    if CELERY_BROKER_URL.startswith("redis")
    else {}
)
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(CLOUDBSS_HOME / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "sweep outboxes": {"task": "core.sweep_outboxes", "schedule": 60.0},
    "billing periods and renewals": {"task": "provisioning.run_clock", "schedule": 60.0},
    "status of licences": {"task": "provisioning.refresh_assets", "schedule": 60.0},
    "orders that wait for a reseller": {"task": "orders.decide_overdue", "schedule": 60.0},
    "drafts nobody checked out": {"task": "orders.erase_drafts", "schedule": 3600.0},
    "catalogues by the clock": {"task": "provisioning.pull_catalogues", "schedule": 3600.0},
    "forget the files of jobs": {"task": "core.forget_job_files", "schedule": 1800.0},
    "end viewings as a customer": {"task": "resellers.end_viewings", "schedule": 60.0},
    "custom domains": {"task": "resellers.check_domains", "schedule": 300.0},
    "held mails": {"task": "notifications.drop_held", "schedule": 3600.0},
    "closed storefronts": {"task": "provisioning.age_sites", "schedule": 3600.0},
    "registrations nobody answered": {"task": "sso.end_registrations", "schedule": 3600.0},
    "months of usage": {"task": "subscriptions.keep_usage_months", "schedule": crontab(hour="1", minute="15")},
    "shops of resellers": {"task": "catalog.keep_shops", "schedule": 900.0},
    "organizations marked as deleted": {"task": "tenants.erase_deleted", "schedule": crontab(minute="20")},
    "managed copies of Professional resellers": {"task": "tenants.follow_accounts", "schedule": 300.0},
    "purchase prices of Professional resellers": {
        "task": "tenants.update_catalogues",
        "schedule": crontab(hour="2", minute="30"),
    },
    "old webhooks": {"task": "notifications.forget_webhooks", "schedule": 1800.0},
    "certificates that expire": {"task": "vendors.warn_of_expiry", "schedule": 3600.0},
}

# --- Security ---------------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'", *env.list("CONSENT_FORM_HOSTS", default=["https://login.microsoftonline.com"])],
        "frame-ancestors": ["'none'"],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    name: []
    for name in ("camera", "microphone", "geolocation", "payment", "usb", "magnetometer", "gyroscope", "accelerometer")
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_NAME = "bss_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "bss_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "ui.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3000

# --- Logs -------------------------------------------------------------------------------------------------------------
LOG_LEVEL: str = env("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "core.logs.RedactionFilter"}},
    "formatters": {
        "json": {
            "()": "core.logs.SafeJsonFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["redact"]}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "celery": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}

# --- Language and time ------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("el", "Ελληνικά")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "cloudbss.formats"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Static files -----------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]

# --- What could not be read; the system check cloudbss.E010 shows it --------------------------------------------------
UNREADABLE_VARIABLES = env.problems
