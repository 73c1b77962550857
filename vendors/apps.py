"""Application configuration of ``vendors``."""

from importlib import import_module

from django.apps import AppConfig


class VendorsConfig(AppConfig):
    """Applications, instances, certificates and account links."""

    name = "vendors"
    verbose_name = "Vendors"

    def ready(self) -> None:
        """Declare the job handlers."""
        import_module("vendors.jobs")
