"""Application configuration of ``bss``."""

from django.apps import AppConfig


class BssConfig(AppConfig):
    """The BSS door."""

    name = "bss"
    verbose_name = "BSS"
