"""A reseller's selling prices: his rules, what they would do, his price settings, and what is to be done."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.desk import (
    cost_changes,
    cost_effects,
    desk_product,
    policy_row,
    reviews,
    rules_for,
    stale_rules,
    unpriced_listings,
    withdrawn_listings,
)
from catalog.effects import Change, catalogue_plans, effect_lines, summed
from catalog.models import Product, SellingKind, SellingPolicy, SellingRule
from catalog.selling import words_of
from catalog.services.selling import (
    RuleDraft,
    delete_rule,
    mark_reviewed,
    preview_rule,
    save_policy,
    save_rule,
)
from catalog.shop import rule_of
from core import clock
from core.errors import BusinessError
from storefront.shop_forms import PolicyForm, RuleForm
from storefront.views.lists import ShopList
from storefront.views.shop_catalogue import OwnDesk
from ui.filters import Choice, Days, Filter
from ui.pages import Action, ActionPage, FormPage
from ui.tables import Column
from users.permissions import Perm

RULES = (gettext_lazy("My shop: prices"), "storefront:shop_rules")
PAGE = 25


def scope_of(row: SellingRule) -> str:
    """What a rule is about."""
    return str(row.plan or row.product or row.category or _("Whole shop"))


def in_words(row: SellingRule) -> str:
    """How a rule makes its price."""
    text = words_of(rule_of(row), row.currency)
    return text[:1].upper() + text[1:]


def when_of(row: SellingRule) -> str:
    """Whether a rule counts already."""
    return _("In effect") if row.valid_from <= clock.now().date() else _("Later")


class RuleList(ShopList):
    """The reseller's rules; of those that fit, the narrowest counts."""

    perm = Perm.SHOP_LISTING
    title = gettext_lazy("My shop: prices")
    intro = gettext_lazy(
        "The first rule found counts: customer and product, customer, product, category, whole shop. None add up."
    )
    template_name = "storefront/shop_list.html"
    selector = rules_for
    columns = (
        Column("scope", gettext_lazy("For what"), "main", show=scope_of),
        Column("customer.name", gettext_lazy("For whom"), sort="customer__name"),
        Column("level", gettext_lazy("Level"), show=lambda row: rule_of(row).level.label),
        Column("kind", gettext_lazy("Rule"), sort="kind", show=in_words),
        Column("valid_from", gettext_lazy("From"), "date", sort="valid_from"),
        Column("when", gettext_lazy("State"), show=when_of),
    )
    filters = (
        Choice("kind", gettext_lazy("Rule"), "kind", SellingKind.choices),
        Filter("customer", gettext_lazy("Customer"), "customer__name"),
        Filter("category", gettext_lazy("Category"), "category__name"),
        Days("from", gettext_lazy("From"), "valid_from"),
    )
    search = ("product__name", "plan__product__name", "category__name", "customer__name")
    empty_icon = "tag"
    empty_title = gettext_lazy("No rules yet")
    empty_text = gettext_lazy("Begin with one for the whole shop, such as a margin of 20 %.")

    def row_url(self, row: Any) -> str:
        """The rule."""
        return reverse("storefront:shop_rule_edit", args=[row.public_id])

    def actions(self) -> list[Action]:
        """Rules, what they make, and how they round."""
        return [
            Action(_("New rule"), reverse("storefront:shop_rule_new"), "plus", "primary"),
            Action(_("All prices"), reverse("storefront:shop_effect"), "list"),
            Action(_("Price settings"), reverse("storefront:shop_policy"), "gear"),
        ]


class RuleEdit(OwnDesk, FormPage):
    """A new rule (for the product in the address, if one is named), or another value or day for one."""

    template_name = "storefront/shop_rule.html"
    form_class = RuleForm
    back = RULES
    success = gettext_lazy("Saved. The new prices count at once, or from the day you chose.")

    def load(self, **kwargs: Any) -> SellingRule | None:
        """The rule of the address."""
        if "public_id" not in kwargs:
            return None
        row: SellingRule = self.find(rules_for(self.actor), kwargs["public_id"])
        return row

    @property
    def product(self) -> Product | None:
        """What a rule for a product is about."""
        if self.object is not None:
            rule: SellingRule = self.object
            return rule.plan.product if rule.plan else rule.product
        asked = self.request.GET.get("product", "")
        try:
            found = desk_product(self.actor, self.desk, asked) if asked else None
        except ValueError:
            found = None
        if asked and found is None:
            raise Http404
        return found

    def page_title(self) -> str:
        """What it is about."""
        if self.object is not None:
            return _("Price rule: %(scope)s") % {"scope": scope_of(self.object)}
        product = self.product
        return _("New price rule: %(product)s") % {"product": product} if product else _("New price rule")

    def form_kwargs(self) -> dict[str, Any]:
        """Whose customers and which plans can be chosen."""
        return {"actor": self.actor, "product": self.product, "fixed_scope": self.object is not None}

    def initial(self) -> dict[str, Any]:
        """The rule as it is."""
        row = self.object
        if row is None:
            return {"kind": SellingKind.FIXED if self.product else SellingKind.MARGIN}
        found = {"kind": row.kind, "value": f"{row.value.normalize():f}"}
        if row.valid_from > clock.now().date():
            found["valid_from"] = row.valid_from
        for name in ("customer", "category", "plan"):
            target = getattr(row, name)
            found[name] = target.public_id if target else None
        return found

    def context(self) -> dict[str, Any]:
        """The currency, and what the rule does now, for the side."""
        return {"currency": self.desk.currency, "warnings": getattr(self, "warnings", ()), "product": self.product}

    def draft(self, form: Any) -> RuleDraft:
        """The rule as typed."""
        given = form.cleaned_data
        return RuleDraft(
            kind=given["kind"],
            value=given["value"],
            customer=given.get("customer"),
            product=None if given["kind"] == SellingKind.FIXED else self.product,
            plan=given.get("plan") if given["kind"] == SellingKind.FIXED else None,
            category=given.get("category"),
            valid_from=given.get("valid_from"),
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Save; or, for htmx, say what it would do."""
        if self.wants_part():
            return self._effect(**kwargs)
        return super().post(request, *args, **kwargs)

    def _effect(self, **kwargs: Any) -> HttpResponseBase:
        self.object = self._loaded(**kwargs)
        form = self.make_form(self.request.POST)
        self.template_name = "storefront/_shop_effect.html"  # type: ignore[misc]
        if not form.is_valid():
            return self.show()
        try:
            return self.show(effect=preview_rule(self.actor, reseller=self.desk.reseller, draft=self.draft(form)))
        except BusinessError as error:
            return self.show(refusal=str(error.message))

    def perform(self, form: Any) -> SellingRule:
        """Call the service."""
        accepted = form.cleaned_data["accepted"]
        return save_rule(self.actor, reseller=self.desk.reseller, draft=self.draft(form), accepted=accepted)

    def refuse(self, form: Any, error: BusinessError) -> None:
        """Warnings get a tick each; everything else stands at its field."""
        if error.code == "price_warning":
            self.warnings = error.context["warnings"]
        super().refuse(form, error)


class RuleDelete(ActionPage):
    """The end of a rule."""

    perm = Perm.SHOP_LISTING
    layout = "base_storefront.html"
    title = gettext_lazy("Delete rule")
    back = RULES
    is_danger = True
    success = gettext_lazy("Deleted.")

    def load(self, **kwargs: Any) -> SellingRule:
        """The rule of the address."""
        row: SellingRule = self.find(rules_for(self.actor), kwargs["public_id"])
        return row

    def consequences(self) -> list[str]:
        """What comes instead."""
        return [
            _("%(rule)s, for: %(scope)s.") % {"rule": in_words(self.object), "scope": scope_of(self.object)},
            _("The next wider rule makes these prices from now on; without one, they are not sold."),
        ]

    def perform(self, form: Any) -> None:
        """Call the service."""
        delete_rule(self.actor, reseller=self.object.account, rule=self.object)


class PolicyEdit(OwnDesk, FormPage):
    """Rounding, least margin, and what a changed purchase price does."""

    title = gettext_lazy("Price settings")
    intro = gettext_lazy("They count for every price of your shop at once.")
    form_class = PolicyForm
    back = RULES
    success = gettext_lazy("Saved.")

    def initial(self) -> dict[str, Any]:
        """As they are."""
        row = policy_row(self.actor) or SellingPolicy()
        return {name: getattr(row, name) for name in PolicyForm.base_fields}

    def perform(self, form: Any) -> SellingPolicy:
        """Call the service."""
        return save_policy(self.actor, reseller=self.desk.reseller, values=form.cleaned_data)


class EffectList(OwnDesk):
    """Every price of the shop, page by page; with a rule in the address, before it and after."""

    title = gettext_lazy("All prices")
    template_name = "storefront/shop_effect.html"
    back = RULES

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The lines of one page, and the sum of all."""
        self.actor.require(Perm.SHOP_COST_VIEW)
        if self.desk.price_list is None:
            return self.show(lines=[], effect=None, form=None)
        form = self._form()
        lines = effect_lines(
            self.desk.reseller,
            catalogue_plans(self.actor),
            self._change(form),
            price_list=self.desk.price_list,
            customer=form.cleaned_data.get("customer") if form.is_valid() else None,
        )
        effect = summed(lines)
        if request.GET.get("show") == "changed":
            lines = [line for line in lines if line.is_changed]
        elif request.GET.get("show") == "warned":
            lines = [line for line in lines if line.warnings]
        lines.sort(key=lambda line: (line.plan.product.name, line.plan.pk))
        page = Paginator(lines, PAGE).get_page(request.GET.get("page"))
        return self.show(page_of=page, effect=effect, form=form, currency=self.desk.currency)

    def _form(self) -> RuleForm:
        given = self.request.GET if self.request.GET.get("kind") else None
        return RuleForm(given, actor=self.actor, product=None)

    def _change(self, form: RuleForm) -> Change:
        """The rule in the address, as if it were saved."""
        if not form.is_bound or not form.is_valid():
            return Change()
        given = form.cleaned_data
        draft = RuleDraft(given["kind"], given["value"], given.get("customer"), category=given.get("category"))
        return Change(draft.rule(self.desk.currency))


class Todo(OwnDesk):
    """What changed for the shop, and what somebody should look at."""

    title = gettext_lazy("My shop: to do")
    template_name = "storefront/shop_todo.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The inbox."""
        self.actor.require(Perm.SHOP_COST_VIEW)
        policy = policy_row(self.actor)
        changes = cost_changes(self.actor, self.desk, policy)
        page = Paginator(changes, PAGE).get_page(request.GET.get("page"))
        return self.show(
            page_of=page,
            effects=cost_effects(self.desk, page.object_list),
            reviews=reviews(policy),
            stale=stale_rules(self.actor, self.desk),
            withdrawn=withdrawn_listings(self.actor, self.desk),
            unpriced=unpriced_listings(self.actor, self.desk),
            currency=self.desk.currency,
            newest=changes[0].public_id if reviews(policy) and page.object_list else "",
        )

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Mark the changes of purchase prices as seen."""
        mark_reviewed(self.actor, reseller=self.desk.reseller, change=request.POST.get("newest", ""))
        messages.success(request, _("Marked as seen."))
        return redirect("storefront:shop_todo")
