"""Application configuration of ``resellers``."""

from django.apps import AppConfig


class ResellersConfig(AppConfig):
    """The channel: organizations, accounts, contacts, memberships and sites."""

    name = "resellers"
    verbose_name = "Channel"
