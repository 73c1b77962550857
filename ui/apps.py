"""Application configuration of ``ui``."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    """The page kit of the doors."""

    name = "ui"
    verbose_name = "Page kit"
