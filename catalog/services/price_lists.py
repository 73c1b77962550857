"""Price lists: create, copy, dates, prices by plan, assignment to accounts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from catalog.models import Plan, Price, PriceList, PriceListAssignment, PriceRule
from core import audit, money
from core.errors import BusinessError, NotVisible
from core.tenancy import Actor
from resellers.models import Account
from users.permissions import Perm

FIELDS = (
    "name",
    "currency",
    "valid_from",
    "valid_to",
    "default_rule",
    "default_value",
    "notes",
    "is_default",
)


def _check(row: PriceList) -> None:
    if row.valid_from and row.valid_to and row.valid_to < row.valid_from:
        raise BusinessError("price_list_dates", _("The last day lies before the first."), field="valid_to")
    if row.default_rule == PriceRule.FIXED:
        raise BusinessError(
            "price_list_default", _("All other products can have a mark-up or a discount only."), field="default_rule"
        )
    if row.default_rule == PriceRule.DISCOUNT and row.default_value > 100:
        raise BusinessError("discount_range", _("A discount cannot exceed 100 %."), field="default_value")
    same = PriceList.objects.filter(organization_id=row.organization_id, name=row.name).exclude(pk=row.pk)
    if same.exists():
        raise BusinessError("price_list_name", _("A price list with this name exists."), field="name")
    default = PriceList.objects.filter(organization_id=row.organization_id, currency=row.currency, is_default=True)
    if row.is_default and default.exclude(pk=row.pk).exists():
        raise BusinessError(
            "price_list_default_taken",
            _("%(name)s is the default list in %(currency)s already.")
            % {"name": default.first(), "currency": row.currency},
            field="is_default",
        )


@transaction.atomic
def save_price_list(actor: Actor, *, price_list: PriceList | None, values: Mapping[str, Any]) -> PriceList:
    """Create or change a price list. The currency is fixed as soon as the list holds prices or is assigned."""
    actor.require(Perm.CATALOG_MANAGE)
    row = price_list or PriceList(organization_id=actor.tenant_id)
    before = {name: getattr(row, name) for name in FIELDS} if row.pk else {}
    if row.pk and values.get("currency", row.currency) != row.currency and _in_use(row):
        raise BusinessError(
            "price_list_currency", _("The list is in use; copy it to change the currency."), field="currency"
        )
    for name in FIELDS:
        if name in values:
            setattr(row, name, values[name])
    _check(row)
    row.save()
    audit.record(actor, "price_list.saved", row, before=before, after={name: getattr(row, name) for name in FIELDS})
    return row


def _in_use(row: PriceList) -> bool:
    return row.prices.exists() or row.assignments.exists()


@transaction.atomic
def copy_price_list(actor: Actor, *, price_list: PriceList, name: str, percent: Decimal = money.ZERO) -> PriceList:
    """A new list with the same rules and prices under another name; it is assigned to nobody and is no default.

    ``percent`` raises (or, below 0, lowers) every fixed price; mark-ups and discounts stay as they are.
    """
    actor.require(Perm.CATALOG_MANAGE)
    if percent < -100 or percent > 1000:
        raise BusinessError("percent_range", _("Type a change between -100 and 1000 %."), field="percent")
    factor = 1 + percent / 100
    source = PriceList.objects.visible_to(actor).filter(pk=price_list.pk).first()
    if source is None:
        raise NotVisible("price_list_missing", _("This price list does not exist."))
    row = PriceList(
        organization_id=source.organization_id,
        name=name,
        currency=source.currency,
        valid_from=source.valid_from,
        valid_to=source.valid_to,
        default_rule=source.default_rule,
        default_value=source.default_value,
        notes=source.notes,
    )
    _check(row)
    row.save()
    Price.objects.bulk_create(
        [
            Price(
                organization_id=row.organization_id,
                price_list=row,
                plan_id=price.plan_id,
                rule=price.rule,
                value=money.to_stored(price.value * factor) if price.rule == PriceRule.FIXED else price.value,
            )
            for price in source.prices.all()
        ],
        batch_size=500,
    )
    audit.record(
        actor, "price_list.copied", row, after={"from": source.name, "prices": row.prices.count(), "percent": percent}
    )
    return row


@transaction.atomic
def set_price(actor: Actor, *, price_list: PriceList, plan: Plan, rule: str, value: Decimal) -> Price:
    """Give a plan its own price in a list; the value is an amount for fixed prices, else per cent."""
    actor.require(Perm.CATALOG_MANAGE)
    if plan.organization_id != price_list.organization_id:
        raise NotVisible("plan_missing", _("This plan does not exist."))
    if value < 0 or (rule == PriceRule.DISCOUNT and value > 100):
        raise BusinessError("price_range", _("Type a value of 0 or more; a discount ends at 100 %."), field="value")
    old = Price.objects.filter(price_list=price_list, plan=plan).first()
    row, _created = Price.objects.update_or_create(
        price_list=price_list,
        plan=plan,
        defaults={"organization_id": price_list.organization_id, "rule": rule, "value": value},
    )
    audit.record(
        actor,
        "price.set",
        price_list,
        before={"plan": plan, "rule": old.rule, "value": old.value} if old else {},
        after={"plan": plan, "rule": rule, "value": value},
    )
    return row


@transaction.atomic
def remove_price(actor: Actor, *, price: Price) -> None:
    """Take a plan's own price away; the list's default rule applies again, if it has one."""
    actor.require(Perm.CATALOG_MANAGE)
    row = Price.objects.visible_to(actor).filter(pk=price.pk).first()
    if row is None:
        raise NotVisible("price_missing", _("This price does not exist."))
    audit.record(
        actor, "price.removed", row.price_list, before={"plan": row.plan, "rule": row.rule, "value": row.value}
    )
    row.delete()


@transaction.atomic
def assign_price_list(actor: Actor, *, account: Account, price_list: PriceList | None) -> None:
    """Let an account buy from a list. Its currency must be the account's; sub accounts follow their Bill To."""
    actor.require(Perm.ACCOUNT_EDIT, account)
    if account.bill_to_id:
        raise BusinessError(
            "price_list_of_payer", _("This account buys from the price list of the account it is billed to.")
        )
    old = PriceListAssignment.objects.filter(account=account).select_related("price_list").first()
    if price_list is None:
        if old and account.is_reseller:
            raise BusinessError("price_list_required", _("A reseller needs a price list."))
        if old:
            old.delete()
    else:
        if price_list.organization_id != account.organization_id:
            raise NotVisible("price_list_missing", _("This price list does not exist."))
        if account.currency and price_list.currency != account.currency:
            raise BusinessError(
                "price_list_currency",
                _("The list is in %(list)s, the account pays in %(account)s.")
                % {"list": price_list.currency, "account": account.currency},
                field="price_list",
            )
        try:
            PriceListAssignment.objects.update_or_create(
                account=account, defaults={"organization_id": account.organization_id, "price_list": price_list}
            )
        except IntegrityError as error:
            raise BusinessError("changed_meanwhile", _("Somebody else changed this meanwhile. Try again.")) from error
    audit.record(
        actor,
        "account.price_list",
        account,
        before={"price_list": old.price_list.name if old else ""},
        after={"price_list": price_list.name if price_list else ""},
        account=account,
    )


def take_price_list(actor: Actor, *, account: Account, price_list: PriceList) -> None:
    """Let an account no longer buy from this list; raises ``price_list_other`` if it does not buy from it."""
    mine = PriceListAssignment.objects.filter(account=account, price_list=price_list)
    if not mine.exists():
        raise BusinessError("price_list_other", _("This account does not buy from this list."))
    assign_price_list(actor, account=account, price_list=None)
