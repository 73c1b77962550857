"""Orders in Django admin, to look at."""

from django.contrib import admin

from core.admin import ReadOnlyAdmin
from orders.models import Basket, BasketLine, Order, OrderLine, TermsAcceptance


@admin.register(Basket)
class BasketAdmin(ReadOnlyAdmin):
    """Baskets."""

    list_display = ("public_id", "user", "buyer_account", "target_account", "updated_at")


@admin.register(BasketLine)
class BasketLineAdmin(ReadOnlyAdmin):
    """Lines of baskets."""

    list_display = ("basket", "plan", "quantity")


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Orders."""

    list_display = ("number", "account", "payer", "status", "gross", "currency", "placed_at")
    list_filter = ("status", "purchase_mode")
    search_fields = ("number", "account__name")


@admin.register(OrderLine)
class OrderLineAdmin(ReadOnlyAdmin):
    """Lines of orders."""

    list_display = ("order", "position", "product_name", "quantity", "gross", "delivery_status")


@admin.register(TermsAcceptance)
class TermsAcceptanceAdmin(ReadOnlyAdmin):
    """Accepted terms of use."""

    list_display = ("accepted_at", "order", "product_name", "email")
