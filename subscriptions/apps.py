"""Application configuration of ``subscriptions``."""

from django.apps import AppConfig


class SubscriptionsConfig(AppConfig):
    """Subscriptions, assets and the operations that provision them."""

    name = "subscriptions"
    verbose_name = "Subscriptions"
