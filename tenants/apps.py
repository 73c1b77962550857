"""Application configuration of ``tenants``."""

from importlib import import_module

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Professional resellers: their organizations and what ties them to the distributor's."""

    name = "tenants"
    verbose_name = "Professional resellers"

    def ready(self) -> None:
        """Make the job handlers known."""
        import_module("tenants.jobs")
