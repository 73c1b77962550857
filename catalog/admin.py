"""The catalogue in Django admin."""

from django.contrib import admin

from catalog.models import (
    AddOnRelation,
    Category,
    Plan,
    PlanCost,
    Price,
    PriceList,
    PriceListAssignment,
    Product,
    ProductType,
)
from core.admin import EditableAdmin, ReadOnlyAdmin


@admin.register(Category)
class CategoryAdmin(EditableAdmin):
    """Shelves of the storefront."""

    list_display = ("name", "slug", "position", "organization")
    locked = ("slug",)


@admin.register(ProductType)
class ProductTypeAdmin(EditableAdmin):
    """Vendor product types."""

    list_display = ("name", "instance", "external_id", "derivative")
    locked = ("external_id", "derivative")


@admin.register(Product)
class ProductAdmin(ReadOnlyAdmin):
    """Products; texts and publication are changed in BSS, which keeps the search up to date."""

    list_display = ("name", "code", "product_type", "is_published", "discontinued_at")
    list_filter = ("is_published", "is_addon", "segment")
    search_fields = ("name", "code")


@admin.register(AddOnRelation)
class AddOnRelationAdmin(ReadOnlyAdmin):
    """Which add-on belongs to which product."""

    list_display = ("parent", "addon")


@admin.register(Plan)
class PlanAdmin(ReadOnlyAdmin):
    """Ways to buy a product."""

    list_display = ("product", "term", "billing_cycle", "is_offered")


@admin.register(PlanCost)
class PlanCostAdmin(ReadOnlyAdmin):
    """The vendors' prices."""

    list_display = ("plan", "currency", "cost", "retail", "source")


@admin.register(PriceList)
class PriceListAdmin(ReadOnlyAdmin):
    """Price lists; changed in BSS, where every change is audited."""

    list_display = ("name", "currency", "valid_from", "valid_to", "organization")


@admin.register(Price)
class PriceAdmin(ReadOnlyAdmin):
    """Prices of plans."""

    list_display = ("price_list", "plan", "rule", "value")


@admin.register(PriceListAssignment)
class PriceListAssignmentAdmin(ReadOnlyAdmin):
    """Who buys from which list."""

    list_display = ("account", "price_list")
