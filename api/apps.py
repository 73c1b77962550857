"""The app of the REST door."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The REST door."""

    name = "api"
