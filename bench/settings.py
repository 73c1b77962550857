"""Settings of the measurements: production's base on loopback, without TLS and without the movable clock.

The twins stand for the vendor, so their certificate authority is trusted and the address guard lets loopback pass.
"""

from cloudbss.settings.base import *  # noqa: F403

ALLOWED_HOSTS = ["127.0.0.1", "localhost", ".localhost"]
INSTALLED_APPS += ["bench"]  # noqa: F405
ROOT_URLCONF = "bench.urls"
VENDOR_CALLS_PER_MINUTE = 1_000_000  # The budget of a real vendor would be measured instead of the product.
API_CALLS_PER_MINUTE = API_ORGANIZATION_CALLS_PER_MINUTE = 1_000_000  # As little as the vendor's, for the API.
VENDOR_FAMILY_CALLS_PER_MINUTE = {"esd": 1_000_000}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
STATIC_ROOT = CLOUDBSS_HOME / "static"  # noqa: F405
