"""The prices of one list, and the accounts that buy from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.price_lists import PriceForm
from bss.views.price_lists import LIST, default_in_words, rule_in_words, without_zeros
from bss.views.shared import history_of
from catalog.models import Plan, PriceList
from catalog.selectors import ListedPrice, listed_price, own_price, payers_with_lists, plans_in, price_lists_for
from catalog.services import price_lists as service
from core.tenancy import Actor
from resellers.enums import AccountKind, AccountStatus
from resellers.models import Account
from ui.filters import Choice, Filter, Flag
from ui.pages import Action, ActionPage, BulkAction, ListPage
from ui.tables import Column
from users.permissions import Perm


@dataclass(frozen=True)
class Assigned(Flag):
    """Whether an account is assigned to the list whose number is the filter's path."""

    def apply(self, rows: QuerySet[Any], values: dict[str, Any]) -> QuerySet[Any]:
        """Keep those with it, or those without."""
        value = values.get(self.name)
        mine = {"price_list_assignment__price_list": int(self.path)}
        if value == "yes":
            return rows.filter(**mine)
        return rows.exclude(**mine) if value == "no" else rows


class OfPriceList(ListPage):
    """A list page below a price list."""

    perm = Perm.BSS_VIEW
    back = LIST

    @cached_property
    def price_list(self) -> PriceList:
        """The list of the address; 404 if the actor may not see it."""
        row: PriceList = self.find(price_lists_for(self.actor), self.kwargs["public_id"])
        return row

    def address(self, name: str, *args: Any) -> str:
        """An address below this list."""
        return reverse(f"bss:{name}", args=[self.price_list.public_id, *args])


def _remove(actor: Actor, row: Plan) -> None:
    price = own_price(row)
    if price is not None:
        service.remove_price(actor, price=price)


class PriceListDetail(OfPriceList):
    """Every plan that is offered, with its price in this list."""

    template_name = "bss/price_list_page.html"
    filters = (
        Flag("own", gettext_lazy("Price of its own"), "has_own"),
        Flag("published", gettext_lazy("Published"), "product__is_published"),
        Flag("addon", gettext_lazy("Add-on"), "product__is_addon"),
    )
    search = ("product__name", "product__code")
    sort = "product__name"
    empty_icon = "tag"
    empty_title = gettext_lazy("No plans yet")
    empty_text = gettext_lazy("Get the services definition of an instance; its plans can then be priced here.")
    bulk_actions = (BulkAction("remove", gettext_lazy("Remove own price"), Perm.CATALOG_MANAGE, _remove),)

    def page_title(self) -> str:
        """The list's name."""
        return self.price_list.name

    def rows(self) -> Any:
        """The plans with what their price needs."""
        return plans_in(self.actor, self.price_list)

    def listed(self, row: Plan) -> ListedPrice:
        """What the list says about a plan."""
        return listed_price(row, self.price_list)

    def currency(self, row: Plan) -> str:
        """The list's currency."""
        return str(self.price_list.currency)

    def shown_columns(self) -> Sequence[Column]:
        """Costs and margins are for those who may see them."""
        price_list = self.price_list

        def rule(row: Plan) -> str:
            found = listed_price(row, price_list)
            words = rule_in_words(found.rule, found.value)
            return words if found.is_own or not found.rule else _("%(rule)s (list)") % {"rule": words}

        def price(row: Plan) -> Any:
            found = self.listed(row).price
            return found.amount if found else None

        def warning(row: Plan) -> str:
            return _("Below cost") if self.listed(row).is_below_cost else ""

        money = {"kind": "money", "currency": self.currency}
        plain = (
            Column(
                "__str__",
                gettext_lazy("Plan"),
                "main",
                sort="product__name",
                sub="product.code",
                sub_label=gettext_lazy("Code"),
            ),
            Column("rule", gettext_lazy("Rule"), show=rule),
            Column("price", gettext_lazy("Price"), show=price, **money),  # type: ignore[arg-type]
        )
        if not self.actor.has(Perm.COST_VIEW):
            return plain
        cost = gettext_lazy("Cost")
        return (
            *plain,
            Column("cost", cost, show=lambda row: self.listed(row).cost, **money),  # type: ignore[arg-type]
            Column("margin", gettext_lazy("Margin"), "percent", show=lambda row: self.listed(row).margin),
            Column("warning", gettext_lazy("Warning"), "warning", show=warning),
        )

    def row_url(self, row: Any) -> str:
        """Where the price is set, for those who may."""
        return self.address("price_set", row.public_id) if self.actor.has(Perm.CATALOG_MANAGE) else ""

    def context(self) -> dict[str, Any]:
        """What the list is, above its prices."""
        return {
            "price_list": self.price_list,
            "default_rule": default_in_words(self.price_list),
            "history": history_of(self.actor, self.price_list),
        }

    def actions(self) -> list[Action]:
        """Its accounts, its form, a copy."""
        found = [Action(_("Accounts"), self.address("price_list_accounts"), "building")]
        if self.actor.has(Perm.CATALOG_MANAGE):
            found += [
                Action(_("Edit"), self.address("price_list_edit"), "edit"),
                Action(_("Copy"), self.address("price_list_copy"), "copy"),
            ]
        return found


class PricePage(ActionPage):
    """A deed about one plan's price in one list."""

    perm = Perm.CATALOG_MANAGE
    back = LIST
    plan: Plan
    listed: ListedPrice

    def load(self, **kwargs: Any) -> PriceList:
        """The list and the plan of the address."""
        row: PriceList = self.find(price_lists_for(self.actor), kwargs["public_id"])
        self.plan = self.find(plans_in(self.actor, row), kwargs["plan_id"])
        self.listed = listed_price(self.plan, row)
        return row

    def crumbs(self) -> list[tuple[str, str]]:
        """Below the list."""
        return [*super().crumbs(), (self.object.name, self.cancel_url())]

    def cancel_url(self) -> str:
        """Back to the list."""
        return reverse("bss:price_list_detail", args=[self.object.public_id])


class PriceSet(PricePage):
    """Give a plan a price of its own."""

    title = gettext_lazy("Set price")
    template_name = "bss/price_page.html"
    form_class = PriceForm
    submit = gettext_lazy("Save")
    success = gettext_lazy("Saved. New orders are charged at this price.")

    def page_title(self) -> str:
        """Names the plan."""
        return str(self.plan)

    def form_kwargs(self) -> dict[str, Any]:
        """Amounts are in the list's currency."""
        return {"currency": self.object.currency}

    def initial(self) -> dict[str, Any]:
        """The own price, or the list's rule as a start."""
        if not self.listed.rule:
            return {"rule": "fixed"}
        return {"rule": self.listed.rule, "value": without_zeros(self.listed.value)}

    def context(self) -> dict[str, Any]:
        """The price now, and what it rests on."""
        return super().context() | {
            "listed": self.listed,
            "sees_costs": self.actor.has(Perm.COST_VIEW),
            "remove_url": reverse("bss:price_remove", args=[self.object.public_id, self.plan.public_id]),
        }

    def perform(self, form: Any) -> Any:
        """Store it."""
        return service.set_price(self.actor, price_list=self.object, plan=self.plan, **form.cleaned_data)


class PriceRemove(PricePage):
    """Take a plan's own price away."""

    title = gettext_lazy("Remove own price")
    success = gettext_lazy("Removed.")
    is_danger = True

    def load(self, **kwargs: Any) -> PriceList:
        """There must be one."""
        row = super().load(**kwargs)
        if not self.listed.is_own:
            raise Http404
        return row

    def consequences(self) -> list[str]:
        """What applies then."""
        words = default_in_words(self.object)
        return [str(self.plan), _("The list's own rule applies again: %(rule)s.") % {"rule": words}]

    def perform(self, form: Any) -> None:
        """Remove it."""
        _remove(self.actor, self.plan)


class PriceListAccounts(OfPriceList):
    """The accounts that pay themselves, with the list each buys from; assign this one to many at once."""

    columns = (
        Column("name", gettext_lazy("Account"), "main", sort="name", sub="email", sub_label=gettext_lazy("E-mail")),
        Column("kind", gettext_lazy("Kind"), "status", sort="kind"),
        Column("currency", gettext_lazy("Currency"), sort="currency"),
        Column("price_list_assignment.price_list.name", gettext_lazy("Price list")),
        Column("status", gettext_lazy("Status"), "status", sort="status"),
    )
    search = ("name", "email")
    sort = "name"
    empty_icon = "building"
    empty_title = gettext_lazy("No accounts yet")
    intro = gettext_lazy("End customers and affiliate accounts buy from the list of the account that pays for them.")

    def page_title(self) -> str:
        """Names the list."""
        return _("Accounts of %(name)s") % {"name": self.price_list}

    def crumbs(self) -> list[tuple[str, str]]:
        """Below the list."""
        return [*super().crumbs(), (self.price_list.name, self.address("price_list_detail"))]

    def row_url(self, row: Any) -> str:
        """The account."""
        return reverse("bss:account_detail", args=[row.public_id])

    def rows(self) -> Any:
        """Everybody who may have a list."""
        return payers_with_lists(self.actor)

    @property
    def filters(self) -> Sequence[Filter]:  # type: ignore[override]
        """Those who buy from this list."""
        return (
            Assigned("assigned", _("Buys from this list"), str(self.price_list.pk)),
            Choice("kind", _("Kind"), "kind", AccountKind.choices),
            Choice("status", _("Status"), "status", AccountStatus.choices),
        )

    @property
    def bulk_actions(self) -> Sequence[BulkAction]:  # type: ignore[override]
        """Assign this list, or take it away."""
        return (
            BulkAction("assign", _("Assign this list"), Perm.ACCOUNT_EDIT, self._assign),
            BulkAction("take", _("Take this list away"), Perm.ACCOUNT_EDIT, self._take),
        )

    def _assign(self, actor: Actor, row: Account) -> None:
        service.assign_price_list(actor, account=row, price_list=self.price_list)

    def _take(self, actor: Actor, row: Account) -> None:
        service.take_price_list(actor, account=row, price_list=self.price_list)
