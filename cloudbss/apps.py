"""Application configuration of ``cloudbss``."""

from django.apps import AppConfig


class CloudbssConfig(AppConfig):
    """The composition root."""

    name = "cloudbss"
    verbose_name = "Cloud BSS"
