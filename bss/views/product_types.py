"""Product types: the rules their products share, such as refunds and what customers cancel by themselves."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.catalogue import ProductTypeForm
from bss.views.shared import history_of
from catalog.models import ProductType, RefundPolicy
from catalog.selectors import product_types_for
from catalog.services.product_types import EDITABLE, update_product_type
from ui.filters import Choice, Flag
from ui.pages import FormPage, ListPage
from ui.tables import Column
from users.permissions import Perm
from vendors.selectors import instance_choices


class ProductTypeList(ListPage):
    """The product types the definition runs have brought."""

    perm = Perm.CATALOG_MANAGE
    title = gettext_lazy("Product types")
    intro = gettext_lazy("Rules that all products of a vendor's type share.")
    selector = product_types_for
    columns = (
        Column("name", gettext_lazy("Product type"), "main", sort="name"),
        Column("instance.system_name", gettext_lazy("Instance"), sort="instance__system_name"),
        Column("stock", gettext_lazy("Products"), "number"),
        Column("get_refund_policy_display", gettext_lazy("Refund when cancelled"), sort="refund_policy"),
        Column(
            "auto_cancel_subscriptions",
            gettext_lazy("Customers cancel subscriptions"),
            "flag",
            sort="auto_cancel_subscriptions",
        ),
        Column("auto_cancel_addons", gettext_lazy("Customers cancel add-ons"), "flag", sort="auto_cancel_addons"),
        Column("auto_cancel_limit", gettext_lazy("Up to so many licences"), "number", sort="auto_cancel_limit"),
        Column(
            "allow_multiple_subscriptions",
            gettext_lazy("Several per account"),
            "flag",
            sort="allow_multiple_subscriptions",
        ),
    )
    filters = (
        Choice("instance", gettext_lazy("Instance"), "instance__public_id", instance_choices),
        Choice("refund", gettext_lazy("Refund when cancelled"), "refund_policy", RefundPolicy.choices),
        Flag("automatic", gettext_lazy("Customers cancel subscriptions"), "auto_cancel_subscriptions"),
    )
    search = ("name", "external_id")
    sort = "name"
    empty_icon = "box"
    empty_title = gettext_lazy("No product types yet")
    empty_text = gettext_lazy("Get the services definition of an instance, and its product types appear here.")

    def row_url(self, row: Any) -> str:
        """Its rules."""
        return reverse("bss:type_edit", args=[row.public_id])


class ProductTypeEdit(FormPage):
    """The rules of one product type."""

    perm = Perm.CATALOG_MANAGE
    template_name = "bss/product_type_page.html"
    form_class = ProductTypeForm
    back = (gettext_lazy("Product types"), "bss:type_list")
    success = gettext_lazy("Saved.")

    def load(self, **kwargs: Any) -> ProductType:
        """The product type of the address."""
        row: ProductType = self.find(product_types_for(self.actor), kwargs["public_id"])
        return row

    def page_title(self) -> str:
        """Its name."""
        return _("Rules of %(name)s") % {"name": self.object.name}

    def initial(self) -> dict[str, Any]:
        """What is stored."""
        return {name: getattr(self.object, name) for name in EDITABLE}

    def context(self) -> dict[str, Any]:
        """What was changed before."""
        return {"history": history_of(self.actor, self.object)}

    def perform(self, form: Any) -> ProductType:
        """Call the service."""
        return update_product_type(self.actor, product_type=self.object, values=form.cleaned_data)
