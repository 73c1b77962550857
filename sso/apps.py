"""Application configuration of ``sso``."""

from django.apps import AppConfig


class SsoConfig(AppConfig):
    """Sign-in."""

    name = "sso"
    verbose_name = "Sign-in"
