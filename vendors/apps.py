"""Application configuration of ``vendors``."""

from django.apps import AppConfig


class VendorsConfig(AppConfig):
    """Applications, instances and account links."""

    name = "vendors"
    verbose_name = "Vendors"
