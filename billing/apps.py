"""Application configuration of ``billing``."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Charges and credit."""

    name = "billing"
    verbose_name = "Billing"
