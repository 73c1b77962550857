"""Tests: the suite starts its own PostgreSQL and Valkey and sets their addresses before Django reads this."""

import os

os.environ.setdefault("SECRET_KEY", "only-for-tests-only-for-tests-only-for-tests-only-for-tests")
os.environ.setdefault("FIELD_ENCRYPTION_KEYS", "bm90LWEtc2VjcmV0LW9ubHktZm9yLXRoZS10ZXN0cyE=")

from cloudbss.settings.base import *  # noqa: F403

CLOCK_MOVABLE = True
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOOPBACK_HOSTS = ["127.0.0.1", "localhost"]
OPERATION_CLAIM_SECONDS = 5
VENDOR_CONNECT_TIMEOUT = 2.0
VENDOR_READ_TIMEOUT = 3.0
VENDOR_WRITE_TIMEOUT = 3.0
LOGGING = {"version": 1, "disable_existing_loggers": False}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
BRIEF_SECONDS = 0.0
CELERY_TASK_PUBLISH_RETRY = False
VENDOR_CALLS_PER_MINUTE = 30_000
VENDOR_FAMILY_CALLS_PER_MINUTE = {}
DATABASES["default"]["CONN_MAX_AGE"] = 0  # Threads of the live server leave no session behind.
WHITENOISE_AUTOREFRESH = True  # Static files come from their sources; nothing is collected for tests.
WHITENOISE_USE_FINDERS = True
