"""The ledger in Django admin, to look at."""

from django.contrib import admin

from billing.models import Charge, TaxRate
from core.admin import EditableAdmin, ReadOnlyAdmin


@admin.register(Charge)
class ChargeAdmin(ReadOnlyAdmin):
    """Charges."""

    list_display = ("created_at", "payer", "account", "description", "gross", "currency", "state")
    list_filter = ("state", "kind")


@admin.register(TaxRate)
class TaxRateAdmin(EditableAdmin):
    """Tax rates by country."""

    list_display = ("organization", "country", "name", "percent")
    locked = ("country",)
