"""Application configuration of ``users``."""

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """Users, roles and permissions."""

    name = "users"
    verbose_name = "Users"
