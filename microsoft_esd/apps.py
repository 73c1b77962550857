"""Application configuration of ``microsoft_esd``."""

from django.apps import AppConfig


class MicrosoftEsdConfig(AppConfig):
    """Microsoft ESD through Channel Inclusion Services."""

    name = "microsoft_esd"
    verbose_name = "Microsoft ESD"
