"""The catalogue: products, what they cost, whether they are on sale, and the shelves they stand on."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.catalogue import CategoryForm, ProductForm
from bss.views.shared import history_of
from catalog.models import Category, Product
from catalog.selectors import (
    all_categories,
    category_choices,
    lowest_cost,
    offered_plans,
    plans_of,
    products_for,
    relations_of,
    segment_choices,
)
from catalog.services import products as service
from core.custom_fields import Entity
from core.tenancy import Actor
from ui.custom_fields import CustomList
from ui.filters import Choice, Flag, Period
from ui.pages import Action, ActionPage, BulkAction, DetailPage, Fact, FormPage, ListPage
from ui.tables import Column
from users.permissions import Perm
from vendors.selectors import instance_choices

LIST = (gettext_lazy("Products"), "bss:product_list")


def _publish(actor: Actor, row: Product) -> None:
    service.publish_product(actor, product=row)


def _unpublish(actor: Actor, row: Product) -> None:
    service.unpublish_product(actor, product=row)


COST = Column(
    "cost",
    gettext_lazy("Cost from"),
    "money",
    currency="organization.currency",
    show=lambda row: lowest_cost(row, row.organization.currency),
)


class ProductList(CustomList):
    """Everything the definition runs have brought."""

    entity = Entity.PRODUCT
    perm = Perm.BSS_VIEW
    title = gettext_lazy("Products")
    selector = products_for
    columns = (
        Column("name", gettext_lazy("Product"), "main", sort="name", sub="code", sub_label=gettext_lazy("Code")),
        Column("category.name", gettext_lazy("Category"), sort="category__name"),
        Column("family", gettext_lazy("Family"), sort="family", sub="segment", sub_label=gettext_lazy("Segment")),
        Column("plans", gettext_lazy("Plans"), "number", show=lambda row: len(offered_plans(row))),
        Column("is_addon", gettext_lazy("Add-on"), "flag", sort="is_addon"),
        Column("is_published", gettext_lazy("Published"), "flag", sort="is_published"),
        Column("discontinued_at", gettext_lazy("Discontinued"), "date", sort="discontinued_at"),
    )
    filters = (
        Flag("published", gettext_lazy("Published"), "is_published"),
        Choice("category", gettext_lazy("Category"), "category__public_id", category_choices),
        Choice("segment", gettext_lazy("Segment"), "segment", segment_choices),
        Flag("addon", gettext_lazy("Add-on"), "is_addon"),
        Flag("sold", gettext_lazy("Still sold by the vendor"), "discontinued_at__isnull"),
        Choice("instance", gettext_lazy("Instance"), "product_type__instance__public_id", instance_choices),
        Period("read", gettext_lazy("First read"), "created_at"),
    )
    search = ("name", "code", "family")
    sort = "name"
    empty_icon = "box"
    empty_title = gettext_lazy("No products yet")
    empty_text = gettext_lazy("Get the services definition of an instance, and its products appear here.")
    bulk_actions = (
        BulkAction("publish", gettext_lazy("Publish"), Perm.CATALOG_MANAGE, _publish),
        BulkAction("unpublish", gettext_lazy("Unpublish"), Perm.CATALOG_MANAGE, _unpublish),
    )

    def shown_columns(self) -> Sequence[Column]:
        """Costs are for those who may see them."""
        return (*self.columns, COST) if self.actor.has(Perm.COST_VIEW) else self.columns

    def row_url(self, row: Any) -> str:
        """The product."""
        return reverse("bss:product_detail", args=[row.public_id])

    def actions(self) -> list[Action]:
        """The shelves."""
        return [Action(_("Categories"), reverse("bss:category_list"), "grid")]


class ProductDetail(DetailPage):
    """One product: plans with costs, add-ons, texts, and whether it is on sale."""

    perm = Perm.BSS_VIEW
    selector = products_for
    status_field = ""
    back = LIST
    facts = (
        Fact("code", gettext_lazy("Code"), "code"),
        Fact("vendor_name", gettext_lazy("Vendor's name")),
        Fact("product_type.name", gettext_lazy("Type"), sub="product_type.instance.system_name"),
        Fact("category.name", gettext_lazy("Category")),
        Fact("family", gettext_lazy("Family")),
        Fact("segment", gettext_lazy("Segment")),
        Fact("get_charge_type_display", gettext_lazy("Charged")),
        Fact("unit", gettext_lazy("Unit")),
        Fact(
            "quantity",
            gettext_lazy("Quantity"),
            show=lambda row: (
                f"{row.min_quantity} – {row.max_quantity}" if row.max_quantity else f"≥ {row.min_quantity}"
            ),
        ),
        Fact("is_addon", gettext_lazy("Add-on"), "flag"),
        Fact("is_trial", gettext_lazy("Trial"), "flag"),
        Fact("is_featured", gettext_lazy("Featured"), "flag"),
    )
    parts = ("bss/_product_plans.html", "bss/_product_addons.html", "bss/_custom.html", "bss/_history.html")
    side = ("bss/_product_state.html",)

    def context(self) -> dict[str, Any]:
        """Plans, relations, and why it cannot be sold."""
        row: Product = self.object
        addons, parents = relations_of(self.actor, row)
        return {
            "plans": plans_of(row),
            "sees_costs": self.actor.has(Perm.COST_VIEW),
            "addons": addons,
            "parents": parents,
            "unpublishable": service.unpublishable(row),
            "history": history_of(self.actor, row),
        }

    def actions(self, row: Product) -> list[Action]:
        """Edit its texts, put it on sale or take it off."""
        if not self.actor.has(Perm.CATALOG_MANAGE):
            return []
        edit = Action(_("Edit"), reverse("bss:product_edit", args=[row.public_id]), "edit")
        if row.is_published:
            address = reverse("bss:product_unpublish", args=[row.public_id])
            return [edit, Action(_("Unpublish"), address, "pause")]
        why = service.unpublishable(row)
        address = reverse("bss:product_publish", args=[row.public_id])
        return [edit, Action(_("Publish"), address, "play", "primary", why)]


class ProductEdit(FormPage):
    """Name, texts, category and flags."""

    perm = Perm.CATALOG_MANAGE
    form_class = ProductForm
    back = LIST
    success = gettext_lazy("Saved.")

    def load(self, **kwargs: Any) -> Product:
        """The product of the address."""
        row: Product = self.find(products_for(self.actor), kwargs["public_id"])
        return row

    def page_title(self) -> str:
        """Names the product."""
        return _("Edit %(name)s") % {"name": self.object}

    def form_kwargs(self) -> dict[str, Any]:
        """The form offers the organization's own categories."""
        return {"actor": self.actor}

    def initial(self) -> dict[str, Any]:
        """What is there."""
        found = {name: getattr(self.object, name) for name in service.EDITABLE}
        return found | {"category": self.object.category.public_id if self.object.category else None}

    def perform(self, form: Any) -> Product:
        """Store it."""
        return service.update_product(self.actor, product=self.object, values=form.cleaned_data)

    def cancel_url(self) -> str:
        """Back to the product."""
        return reverse("bss:product_detail", args=[self.object.public_id])


class ProductPublish(ActionPage):
    """Put it on sale."""

    perm = Perm.CATALOG_MANAGE
    title = gettext_lazy("Publish")
    back = LIST
    success = gettext_lazy("Published.")

    def load(self, **kwargs: Any) -> Product:
        """The product of the address."""
        row: Product = self.find(products_for(self.actor), kwargs["public_id"])
        return row

    def consequences(self) -> list[str]:
        """Who can buy it then."""
        return [_("Everybody whose price list has a price for it can order it from now on.")]

    def perform(self, form: Any) -> None:
        """Hand it over."""
        service.publish_product(self.actor, product=self.object)

    def cancel_url(self) -> str:
        """Back to the product."""
        return reverse("bss:product_detail", args=[self.object.public_id])


class ProductUnpublish(ProductPublish):
    """Take it off sale."""

    title = gettext_lazy("Unpublish")
    success = gettext_lazy("No longer on sale.")

    def consequences(self) -> list[str]:
        """What goes on."""
        return [_("It disappears from the storefronts. Running services go on and can be changed.")]

    def perform(self, form: Any) -> None:
        """Hand it over."""
        service.unpublish_product(self.actor, product=self.object)


class CategoryList(ListPage):
    """The shelves of the storefront."""

    perm = Perm.BSS_VIEW
    title = gettext_lazy("Categories")
    intro = gettext_lazy("The shelves of the storefront, in their order. An empty one is not shown to customers.")
    selector = all_categories
    back = LIST
    columns = (
        Column(
            "name", gettext_lazy("Name"), "main", sort="name", sub="description", sub_label=gettext_lazy("Description")
        ),
        Column("position", gettext_lazy("Position"), "number", sort="position"),
        Column("stock", gettext_lazy("Products"), "number"),
    )
    search = ("name", "description")
    sort = "position"
    empty_icon = "grid"
    empty_title = gettext_lazy("No categories yet")

    def row_url(self, row: Any) -> str:
        """Its form, for those who may change it."""
        return reverse("bss:category_edit", args=[row.public_id]) if self.actor.has(Perm.CATALOG_MANAGE) else ""

    def actions(self) -> list[Action]:
        """Make a new one."""
        if not self.actor.has(Perm.CATALOG_MANAGE):
            return []
        return [Action(_("New category"), reverse("bss:category_new"), "plus", "primary")]


class CategoryEdit(FormPage):
    """A new shelf, or another name for one."""

    perm = Perm.CATALOG_MANAGE
    form_class = CategoryForm
    back = (gettext_lazy("Categories"), "bss:category_list")
    success = gettext_lazy("Saved.")

    def load(self, **kwargs: Any) -> Category | None:
        """The category of the address, if there is one in it."""
        if "public_id" not in kwargs:
            return None
        row: Category = self.find(all_categories(self.actor), kwargs["public_id"])
        return row

    def page_title(self) -> str:
        """Names the category."""
        return _("Edit %(name)s") % {"name": self.object} if self.object else _("New category")

    def initial(self) -> dict[str, Any]:
        """What is there."""
        return {name: getattr(self.object, name, "") for name in CategoryForm.base_fields}

    def perform(self, form: Any) -> Category:
        """Store it."""
        return service.save_category(self.actor, category=self.object, values=form.cleaned_data)
