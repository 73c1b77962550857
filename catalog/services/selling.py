"""A reseller's selling price rules and policy: checked, warned about, saved, deleted (``channel.md`` 4.3)."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from catalog.effects import DRAFT, Change, Effect, catalogue_plans, decided, effect_lines, summed
from catalog.models import (
    Category,
    ChargeType,
    CostChange,
    FixedKeeps,
    Plan,
    PriceList,
    Product,
    Rounding,
    SellingKind,
    SellingPolicy,
    SellingRule,
)
from catalog.selectors import price_list_of, price_plans
from catalog.selling import PERCENT_KINDS, Rule, Warn
from catalog.services.listings import require_shop
from core import audit, clock, money
from core.errors import BusinessError, Conflict, NotVisible
from core.tenancy import Actor, system_actor
from resellers.models import Account

POLICY_FIELDS = ("rounding", "rounding_way", "floor", "cost_mode", "fixed_keeps", "shares_prices")


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """A rule as typed: what is set makes its level; ``valid_from`` None or past means from today."""

    kind: str
    value: Decimal
    customer: Account | None = None
    product: Product | None = None
    plan: Plan | None = None
    category: Category | None = None
    valid_from: dt.date | None = None

    def rule(self, currency: str, cost_seen: Decimal | None = None) -> Rule:
        """The pure rule, for trying it on the catalogue; ``cost_seen`` is the cost when a fixed price was typed."""
        is_fixed = self.kind == SellingKind.FIXED
        return Rule(
            id=DRAFT,
            kind=self.kind,
            value=money.to_stored(self.value),
            customer_id=self.customer.pk if self.customer else None,
            product_id=self.product.pk if self.product and not is_fixed else None,
            plan_id=self.plan.pk if self.plan and is_fixed else None,
            category_id=self.category.pk if self.category else None,
            currency="" if self.kind in PERCENT_KINDS else currency,
            cost_seen=cost_seen,
        )


def _today() -> dt.date:
    return clock.now().date()


def _bought_from(reseller: Account) -> PriceList:
    found = price_list_of(reseller)
    if found is None:
        raise BusinessError("price_list_missing", _("You have no price list at the moment. Ask your distributor."))
    return found


def check_rule(reseller: Account, draft: RuleDraft) -> None:
    """Raise BusinessError, or NotVisible for what is foreign, if the rule makes no sense; reads nothing."""
    if draft.customer is not None and draft.customer.bill_to_id != reseller.pk:
        raise NotVisible("customer_missing", _("This customer does not exist."))
    for row in (draft.product, draft.plan, draft.category):
        if row is not None and row.organization_id != reseller.organization_id:
            raise NotVisible("product_missing", _("This product does not exist."))
    is_fixed = draft.kind == SellingKind.FIXED
    if is_fixed and draft.plan is None:
        raise BusinessError("fixed_of_plan", _("A fixed price is of one plan: choose product and plan."), field="plan")
    if draft.category is not None and (draft.customer or draft.product or draft.plan):
        words = _("A rule is for a category, or for a customer or product, not for both.")
        raise BusinessError("rule_level", words, field="category")
    product = draft.plan.product if draft.plan else draft.product
    if product is not None and product.charge_type == ChargeType.PAY_PER_USE and draft.kind not in PERCENT_KINDS:
        words = _("What is charged by use can have a mark-up or a margin in per cent only.")
        raise BusinessError("metered_percent", words, field="kind")
    _check_value(draft)


def _check_value(draft: RuleDraft) -> None:
    if draft.kind not in SellingKind.values:
        raise BusinessError("rule_kind", _("Choose a rule."), field="kind")
    if draft.value < 0:
        raise BusinessError("rule_value", _("Type 0 or more."), field="value")
    if draft.kind == SellingKind.MARKUP and draft.value > 1000:
        raise BusinessError("rule_value", _("A mark-up ends at 1000 %."), field="value")
    if draft.kind == SellingKind.MARGIN and draft.value >= 100:
        raise BusinessError("rule_value", _("A margin stays below 100 %."), field="value")


def preview_rule(actor: Actor, *, reseller: Account, draft: RuleDraft) -> Effect:
    """What the rule would do to the prices it makes; changes nothing. Raises BusinessError if it cannot be saved."""
    require_shop(actor, reseller)
    check_rule(reseller, draft)
    return _effect(actor, reseller, draft)[1]


def _effect(actor: Actor, reseller: Account, draft: RuleDraft) -> tuple[Rule, Effect]:
    prices = _bought_from(reseller)
    rule = draft.rule(prices.currency, _cost_of(draft, prices))
    product = draft.plan.product if draft.plan else draft.product
    lines = effect_lines(
        reseller, catalogue_plans(actor, product=product), Change(rule), price_list=prices, customer=draft.customer
    )
    return rule, summed(decided(lines))


def _cost_of(draft: RuleDraft, prices: PriceList) -> Decimal | None:
    """What a fixed price's plan costs the reseller now; refused if nothing is known, for then it cannot be sold."""
    if draft.kind != SellingKind.FIXED or draft.plan is None:
        return None
    found = price_plans(Plan.objects.filter(pk=draft.plan.pk), prices)
    if not found:
        raise BusinessError("no_purchase_price", _("No purchase price in your price list."), field="plan")
    return found[0].price.amount or None


@transaction.atomic
def save_rule(actor: Actor, *, reseller: Account, draft: RuleDraft, accepted: Collection[str] = ()) -> SellingRule:
    """Save a rule; one of the same scope and day is replaced, and one in effect ends all older ones of its scope.

    What is worth a warning is saved only if its code is in ``accepted``; else BusinessError ``price_warning`` says all
    of them (``context["warnings"]``). The audit log keeps them with their percentages, and no amount: the log is read
    by the distributor, to whom selling prices are not shown.
    """
    require_shop(actor, reseller)
    check_rule(reseller, draft)
    rule, effect = _effect(actor, reseller, draft)
    open_warnings = [warn for warn in effect.warnings if warn.code not in accepted]
    if open_warnings:
        raise price_warning(open_warnings)
    day = max(draft.valid_from or _today(), _today())
    scope = {
        "customer_id": rule.customer_id,
        "product_id": rule.product_id,
        "plan_id": rule.plan_id,
        "category_id": rule.category_id,
    }
    values = {"kind": rule.kind, "value": rule.value, "currency": rule.currency, "cost_seen": rule.cost_seen}
    rows = SellingRule.objects.filter(account=reseller, **scope)
    row: SellingRule
    try:
        with transaction.atomic():
            row, _made = rows.update_or_create(
                valid_from=day,
                defaults=values,
                create_defaults={
                    **values,
                    **scope,
                    "account": reseller,
                    "organization_id": reseller.organization_id,
                    "valid_from": day,
                },
            )
    except IntegrityError as error:
        raise Conflict("changed_meanwhile", _("Somebody else changed this meanwhile. Try again.")) from error
    if day <= _today():
        rows.filter(valid_from__lt=day).delete()
    audit.record(actor, "selling_rule.saved", row, after=_words(draft, day, effect.warnings))
    return row


def price_warning(warnings: Collection[Warn]) -> BusinessError:
    """The refusal that asks for a tick; ``context["warnings"]`` are those not ticked yet."""
    words = " ".join(warn.message for warn in warnings)
    return BusinessError(
        "price_warning",
        _("%(warnings)s Tick it to save all the same.") % {"warnings": words},
        context={"warnings": tuple(warnings)},
    )


def _words(draft: RuleDraft, day: dt.date, warnings: Collection[Warn]) -> dict[str, Any]:
    scope = {"for": draft.customer, "plan": draft.plan, "product": draft.product, "category": draft.category}
    found: dict[str, Any] = {name: str(value) for name, value in scope.items() if value is not None}
    found |= {"kind": SellingKind(draft.kind).label, "valid_from": day.isoformat()}
    if warnings:
        found["warnings"] = " ".join(warn.message for warn in warnings)
    return found


@transaction.atomic
def delete_rule(actor: Actor, *, reseller: Account, rule: SellingRule) -> None:
    """Take a rule away; the next wider one prices its products from now on. One in effect takes its older ones along.

    Products that then have no selling price stay listed, without a price, until there is a rule again.
    """
    require_shop(actor, reseller)
    row = SellingRule.objects.filter(account=reseller, pk=rule.pk).first()
    if row is None:
        raise NotVisible("rule_missing", _("This rule does not exist."))
    audit.record(actor, "selling_rule.deleted", row, before={"kind": row.get_kind_display()})
    if row.valid_from <= _today():
        SellingRule.objects.filter(
            account=reseller,
            customer_id=row.customer_id,
            product_id=row.product_id,
            plan_id=row.plan_id,
            category_id=row.category_id,
            valid_from__lt=row.valid_from,
        ).delete()
    row.delete()


@transaction.atomic
def save_policy(actor: Actor, *, reseller: Account, values: Mapping[str, Any]) -> SellingPolicy:
    """Change rounding, least margin and what a changed purchase price does; it counts for every price at once."""
    require_shop(actor, reseller)
    row: SellingPolicy
    start = {"organization_id": reseller.organization_id}
    row, _made = SellingPolicy.objects.select_for_update(of=("self",)).get_or_create(account=reseller, defaults=start)
    before = {name: getattr(row, name) for name in POLICY_FIELDS}
    for name in POLICY_FIELDS:
        if name in values:
            setattr(row, name, values[name])
    if not 0 <= row.floor < 100:
        raise BusinessError("floor_range", _("Type a least margin from 0 to below 100 %."), field="floor")
    if row.rounding not in Rounding.values or row.fixed_keeps not in FixedKeeps.values:
        raise BusinessError("policy_value", _("Choose one of the values offered."))
    row.save()
    after = {name: getattr(row, name) for name in POLICY_FIELDS}
    audit.record(actor, "selling_policy.saved", row, before=before, after=after)
    return row


@transaction.atomic
def mark_reviewed(actor: Actor, *, reseller: Account, change: str) -> None:
    """Remember that the changes of purchase prices up to this one (its public id) were looked at; prices stay."""
    require_shop(actor, reseller)
    prices = _bought_from(reseller)
    row = CostChange.objects.get_visible(system_actor(reseller.organization_id), change)
    if row is None or row.price_list_id != prices.pk:
        raise NotVisible("change_missing", _("This change does not exist."))
    SellingPolicy.objects.get_or_create(account=reseller, defaults={"organization_id": reseller.organization_id})
    SellingPolicy.objects.filter(account=reseller, reviewed_to__lt=row.pk).update(reviewed_to=row.pk)
    audit.record(actor, "selling_policy.reviewed", reseller, account=reseller)
