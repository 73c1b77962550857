"""Price lists: which there are, their rules and dates, and copies of them."""

from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.price_lists import CopyForm, PriceListForm
from catalog.models import PriceList
from catalog.selectors import price_lists_for
from catalog.services import price_lists as service
from core.money import CURRENCIES
from resellers.selectors import organization_of
from ui.filters import Choice, Flag
from ui.pages import Action, ActionPage, FormPage, ListPage
from ui.tables import Column
from users.permissions import Perm

LIST = (gettext_lazy("Price lists"), "bss:price_list_list")


def without_zeros(value: Decimal) -> str:
    """A figure without the zeros that are only stored: ``12.5000`` is ``12.5``."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rule_in_words(rule: str, value: Decimal) -> str:
    """A rule for people: ``Cost + 20 %``, ``Retail - 5 %``."""
    percent = without_zeros(value) + "\N{NO-BREAK SPACE}%"
    if rule == "markup":
        return _("Cost + %(percent)s") % {"percent": percent}
    if rule == "discount":
        return _("Retail − %(percent)s") % {"percent": percent}
    return _("Fixed price") if rule == "fixed" else _("Not sold")


def default_in_words(row: PriceList) -> str:
    """What a list does with all products that have no price of their own."""
    return rule_in_words(row.default_rule, row.default_value)


class PriceListList(ListPage):
    """The organization's price lists."""

    perm = Perm.BSS_VIEW
    title = gettext_lazy("Price lists")
    intro = gettext_lazy("An account buys from the list it is assigned to, or else from the default list.")
    selector = price_lists_for
    columns = (
        Column("name", gettext_lazy("Name"), "main", sort="name"),
        Column("currency", gettext_lazy("Currency"), sort="currency"),
        Column("default_rule", gettext_lazy("All other products"), show=default_in_words),
        Column("own_prices", gettext_lazy("Own prices"), "number"),
        Column("accounts", gettext_lazy("Accounts"), "number"),
        Column("valid_from", gettext_lazy("Valid from"), "date", sort="valid_from"),
        Column("valid_to", gettext_lazy("Valid to"), "date", sort="valid_to"),
        Column("is_default", gettext_lazy("Default"), "flag", sort="is_default"),
    )
    filters = (
        Choice("currency", gettext_lazy("Currency"), "currency", tuple((code, code) for code in CURRENCIES)),
        Flag("default", gettext_lazy("Default"), "is_default"),
    )
    search = ("name", "notes")
    sort = "name"
    empty_icon = "tag"
    empty_title = gettext_lazy("No price lists yet")
    empty_text = gettext_lazy("Nothing can be sold without one. Make a default list with a mark-up to begin with.")

    def row_url(self, row: Any) -> str:
        """The list with its prices."""
        return reverse("bss:price_list_detail", args=[row.public_id])

    def actions(self) -> list[Action]:
        """Make a new one."""
        if not self.actor.has(Perm.CATALOG_MANAGE):
            return []
        return [Action(_("New price list"), reverse("bss:price_list_new"), "plus", "primary")]


class PriceListEdit(FormPage):
    """A new list, or another name, rule or date for one."""

    perm = Perm.CATALOG_MANAGE
    form_class = PriceListForm
    back = LIST
    success = gettext_lazy("Saved.")

    def load(self, **kwargs: Any) -> PriceList | None:
        """The list of the address, if there is one in it."""
        if "public_id" not in kwargs:
            return None
        row: PriceList = self.find(price_lists_for(self.actor), kwargs["public_id"])
        return row

    def page_title(self) -> str:
        """Names the list."""
        return _("Edit %(name)s") % {"name": self.object} if self.object else _("New price list")

    def initial(self) -> dict[str, Any]:
        """What is there; a new list is in the organization's currency."""
        if self.object:
            found = {name: getattr(self.object, name) for name in PriceListForm.base_fields}
            return found | {"default_value": without_zeros(self.object.default_value)}
        organization = organization_of(self.actor)
        return {"currency": organization.currency if organization else ""}

    def perform(self, form: Any) -> PriceList:
        """Store it."""
        return service.save_price_list(self.actor, price_list=self.object, values=form.cleaned_data)

    def done_url(self, result: Any) -> str:
        """The list with its prices."""
        return reverse("bss:price_list_detail", args=[result.public_id])

    def cancel_url(self) -> str:
        """Back to where one came from."""
        return self.done_url(self.object) if self.object else reverse("bss:price_list_list")


class PriceListCopy(ActionPage):
    """The same prices under another name, perhaps some per cent higher."""

    perm = Perm.CATALOG_MANAGE
    title = gettext_lazy("Copy")
    form_class = CopyForm
    back = LIST
    success = gettext_lazy("Copied.")

    def load(self, **kwargs: Any) -> PriceList:
        """The list of the address."""
        row: PriceList = self.find(price_lists_for(self.actor), kwargs["public_id"])
        return row

    def initial(self) -> dict[str, Any]:
        """A name that tells where it comes from."""
        return {"name": _("%(name)s (copy)") % {"name": self.object}}

    def consequences(self) -> list[str]:
        """What is copied and what is not."""
        return [
            _("Currency, dates, rules and all own prices are copied."),
            _("The copy is assigned to nobody and is no default list."),
        ]

    def perform(self, form: Any) -> PriceList:
        """Copy it."""
        return service.copy_price_list(self.actor, price_list=self.object, **form.cleaned_data)

    def done_url(self, result: Any) -> str:
        """The copy."""
        return reverse("bss:price_list_detail", args=[result.public_id])

    def cancel_url(self) -> str:
        """Back to the list."""
        return reverse("bss:price_list_detail", args=[self.object.public_id])
