"""Application configuration of ``cloudbss``."""

from importlib import import_module

from django.apps import AppConfig


class CloudbssConfig(AppConfig):
    """The composition root."""

    name = "cloudbss"
    verbose_name = "Cloud BSS"

    def ready(self) -> None:
        """Make the checks of the settings known."""
        import_module("cloudbss.checks")
