"""Application configuration of ``provisioning``."""

from importlib import import_module

from django.apps import AppConfig


class ProvisioningConfig(AppConfig):
    """The process manager between the business and the vendors."""

    name = "provisioning"
    verbose_name = "Provisioning"

    def ready(self) -> None:
        """Make the job handlers known."""
        import_module("provisioning.jobs")
        import_module("provisioning.services.asset_refresh")
