"""Application configuration of ``orders``."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Baskets and orders."""

    name = "orders"
    verbose_name = "Orders"
