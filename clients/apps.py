"""The app of API clients."""

from django.apps import AppConfig


class ClientsConfig(AppConfig):
    """API clients."""

    name = "clients"
