"""Application configuration of ``ui``."""

from importlib import import_module

from django.apps import AppConfig


class UiConfig(AppConfig):
    """The page kit of the doors."""

    name = "ui"
    verbose_name = "Page kit"

    def ready(self) -> None:
        """Make the job handler known."""
        import_module("ui.exports")
