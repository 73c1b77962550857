"""Application configuration of ``catalog``."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Products, plans, price lists and quotes."""

    name = "catalog"
    verbose_name = "Catalogue"
