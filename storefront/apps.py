"""Application configuration of ``storefront``."""

from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    """The storefront door."""

    name = "storefront"
    verbose_name = "Storefront"
