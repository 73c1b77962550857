"""Application configuration of ``office365``."""

from django.apps import AppConfig


class Office365Config(AppConfig):
    """Microsoft Cloud Services through Partner Center."""

    name = "office365"
    verbose_name = "Microsoft Cloud Services"
