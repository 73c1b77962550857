"""Application configuration of ``catalog``."""

from importlib import import_module

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Products, plans, price lists and quotes."""

    name = "catalog"
    verbose_name = "Catalogue"

    def ready(self) -> None:
        """Make the job handlers known."""
        import_module("catalog.services.listing_tables")
