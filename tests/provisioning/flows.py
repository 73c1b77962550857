"""Every step that tells the vendor something: what a person does, which calls it makes, and how it must end.

The fault matrix runs each flow with each fault at each of its calls. ``calls`` is checked against the twin's journal,
and every call of the client is in a flow or in :data:`NOT_IN_A_FLOW`, so that a new one cannot be forgotten.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from catalog.models import AddOnRelation, Plan, Product, UpgradeRelation
from core.tenancy import Actor
from orders.enums import DeliveryStatus
from orders.models import OrderLine
from orders.services import giveback, more
from resellers.models import Account
from subscriptions.enums import Execution, SubscriptionStatus
from subscriptions.models import Subscription
from subscriptions.services import schedule, switch
from tests import factories
from tests.provisioning.life import at_vendor, buy, fresh
from tests.shop import Shop, fill_basket, place
from tests.twins import Twins

ADDON = "CFQ7TTC023P2:0001"
TARGET = "CFQ7TTC0LCHC:0001"
READ = "get_subscription"
PATCH = "update_subscription"


@dataclass
class Case:
    """One run of a flow by a customer; what existed before at the vendor is not looked at."""

    shop: Shop
    twins: Twins
    actor: Actor
    row: Subscription | None = None
    known: set[str] = field(default_factory=set)

    @property
    def service(self) -> Subscription:
        """The subscription as it is stored now."""
        row = self.row or Subscription.objects.get(account_id=self.actor.account_id)
        return fresh(row)

    def there(self, kind: str) -> list[dict[str, Any]]:
        """What of a kind exists at the vendor since the case began."""
        return [row for row in self.twins.state()[kind] if row["id"] not in self.known]

    def theirs(self) -> dict[str, Any]:
        """The subscription as the vendor has it."""
        return at_vendor(self.twins, self.service)

    def bases(self) -> list[dict[str, Any]]:
        """What exists at the vendor and has not ended, add-ons left out."""
        rows = self.there("subscriptions")
        return [row for row in rows if row["status"] != "deleted" and not row.get("parentSubscriptionId")]


@dataclass(frozen=True)
class Flow:
    """A step: ``prepare`` an active subscription (or nothing at all), ``act``, and ``check`` how it ended."""

    calls: tuple[str, ...]
    act: Callable[[Case], object]
    check: Callable[[Case], object]
    prepare: Callable[[Case], object] | None = None
    from_nothing: bool = False


def _order(case: Case) -> None:
    order(case)


def _ordered(case: Case) -> None:
    row = case.service
    assert (row.status, row.quantity) == (SubscriptionStatus.ACTIVE, 5)
    assert [(found["id"], found["quantity"]) for found in case.bases()] == [(row.external_id, 5)]
    assert (len(case.there("orders")), len(case.there("customers"))) == (1, 1)
    lines = OrderLine.objects.filter(order__account_id=case.actor.account_id)
    assert [line.delivery_status for line in lines] == [DeliveryStatus.DELIVERED]


def _numbers(quantity: int) -> Callable[[Case], None]:
    def check(case: Case) -> None:
        assert (case.service.quantity, case.theirs()["quantity"], len(case.bases())) == (quantity, quantity, 1)

    return check


def _status(ours: str, theirs: str) -> Callable[[Case], None]:
    def check(case: Case) -> None:
        assert (case.service.status, case.theirs()["status"]) == (ours, theirs)

    return check


def _product(case: Case, code: str, **values: Any) -> Plan:
    known = Plan.objects.filter(product__code=code).first()
    return known or factories.product(case.shop.instance, code=code, **values).plans.get()


def _with_addon(case: Case) -> None:
    plan = _product(case, ADDON, is_addon=True)
    shop = case.shop
    AddOnRelation.objects.get_or_create(organization=shop.organization, parent=shop.product, addon=plan.product)


def _buy_addon(case: Case) -> None:
    plan = Plan.objects.get(product__code=ADDON)
    total = more.wish_addon(case.service, plan=plan, quantity=2).preview.amount.gross
    more.buy_addon(
        case.actor,
        subscription=case.service,
        plan=plan,
        quantity=2,
        key=uuid.uuid4(),
        seen_total=total,
    )


def _addons(case: Case) -> list[tuple[str, int]]:
    rows = case.there("subscriptions")
    return [(row["status"], row["quantity"]) for row in rows if row.get("parentSubscriptionId")]


def _addon_there(case: Case) -> None:
    addon = case.service.addons.get()
    assert (addon.status, addon.quantity, _addons(case)) == (SubscriptionStatus.ACTIVE, 2, [("active", 2)])


def _addon_gone(case: Case) -> None:
    assert (case.service.addons.get().status, _addons(case)) == (SubscriptionStatus.CANCELLED, [("deleted", 2)])


def _with_target(case: Case) -> None:
    plan = _product(case, TARGET, cost="20.00")
    UpgradeRelation.objects.get_or_create(
        organization=case.shop.organization, source=Product.objects.get(pk=case.shop.product.pk), target=plan.product
    )


def _upgrade(case: Case, quantity: int) -> None:
    plan = Plan.objects.get(product__code=TARGET)
    total = more.wish_upgrade(case.service, plan=plan, quantity=quantity).preview.amount.gross
    more.upgrade(
        case.actor,
        subscription=case.service,
        plan=plan,
        quantity=quantity,
        key=uuid.uuid4(),
        seen_total=total,
    )


def _upgraded(case: Case) -> None:
    assert (case.service.product.code, case.service.quantity) == (TARGET, 5)
    assert [(row["id"], row["quantity"]) for row in case.bases()] == [(case.service.external_id, 5)]


def _upgraded_in_part(case: Case) -> None:
    mine = Subscription.objects.filter(account_id=case.actor.account_id).select_related("product")
    rows = {row.product.code: row for row in mine}
    source, target = rows[case.shop.product.code], rows[TARGET]
    assert (source.quantity, target.quantity) == (3, 2)
    wanted = {(source.external_id, 3), (target.external_id, 2)}
    assert {(row["id"], row["quantity"]) for row in case.bases()} == wanted


def _scheduled(quantity: int | None) -> Callable[[Case], None]:
    def check(case: Case) -> None:
        found = case.theirs().get("scheduledNextTermInstructions") or {}
        assert found.get("quantity") == quantity
        assert case.service.quantity == case.theirs()["quantity"] == 5

    return check


def _schedule(case: Case) -> None:
    schedule.schedule_change(case.shop.staff, subscription=case.service, quantity=3, plan=case.service.plan)


NEW_CUSTOMER = (
    "get_country_rules", "check_address", "check_domain", "create_customer", "get_customer",
    "list_agreement_templates", "accept_agreement", "list_agreements", "get_validation_status",
)  # fmt: skip
PURCHASE = ("list_availabilities_for_customer", "create_cart", "checkout_cart", "get_order", "list_subscriptions")

UPGRADE = (
    READ, "list_transition_eligibilities", "list_availabilities_for_customer", "create_transition", "list_transitions",
    "list_subscriptions",
)  # fmt: skip

FLOWS: dict[str, Flow] = {
    "order": Flow((*NEW_CUSTOMER, *PURCHASE), _order, _ordered, from_nothing=True),
    "more licences": Flow((READ, PATCH), lambda case: buy(case.actor, case.service, 8), _numbers(8)),
    "fewer licences": Flow(
        (READ, PATCH),
        lambda case: giveback.reduce(case.actor, subscription=case.service, quantity=3),
        _numbers(3),
    ),
    "add-on": Flow(
        (READ, "list_agreements", "get_validation_status", *PURCHASE), _buy_addon, _addon_there, prepare=_with_addon
    ),
    "cancel the add-on": Flow(
        (READ, PATCH),
        lambda case: giveback.reduce_addon(case.actor, subscription=case.service, addon=case.service.addons.get()),
        _addon_gone,
        prepare=lambda case: (_with_addon(case), _buy_addon(case)),
    ),
    "suspend": Flow(
        (READ, PATCH),
        lambda case: switch.suspend(case.shop.staff, subscription=case.service, reason="not paid"),
        _status("suspended", "suspended"),
    ),
    "reactivate": Flow(
        (READ, PATCH),
        lambda case: switch.activate(case.shop.staff, subscription=case.service),
        _status("active", "active"),
        prepare=lambda case: switch.suspend(case.shop.staff, subscription=case.service, reason="not paid"),
    ),
    "no automatic renewal": Flow(
        (READ, PATCH),
        lambda case: switch.set_auto_renew(case.shop.staff, subscription=case.service, auto_renew=False),
        lambda case: _equal((case.service.auto_renew, case.theirs()["autoRenewEnabled"]), (False, False)),
    ),
    "schedule": Flow((READ, PATCH, "list_availabilities_for_customer"), _schedule, _scheduled(3)),
    "revoke the schedule": Flow(
        (READ, PATCH),
        lambda case: schedule.revoke_schedule(case.shop.staff, subscription=case.service),
        _scheduled(None),
        prepare=_schedule,
    ),
    "cancel now": Flow(
        (READ, PATCH),
        lambda case: giveback.cancel(case.actor, subscription=case.service),
        _status("cancelled", "deleted"),
    ),
    "cancel at the end": Flow(
        (READ, PATCH),
        lambda case: giveback.cancel(case.actor, subscription=case.service, execution=Execution.PERIOD_END),
        lambda case: _equal((case.service.status, case.theirs()["autoRenewEnabled"]), ("pending_cancel", False)),
    ),
    "upgrade": Flow(
        UPGRADE,
        lambda case: _upgrade(case, 5),
        _upgraded,
        prepare=_with_target,
    ),
    "upgrade a part": Flow(
        UPGRADE,
        lambda case: _upgrade(case, 2),
        _upgraded_in_part,
        prepare=_with_target,
    ),
}


def _equal(found: object, wanted: object) -> None:
    assert found == wanted


def order(case: Case) -> str:
    """Five licences by the customer of the case; the order's number."""
    account = Account.objects.get(pk=case.actor.account_id)
    options = {"domain_prefix": f"flow{account.pk}", "username": "admin"}
    return place(case.actor, fill_basket(case.shop, case.actor, target=account, options=options)).number


def begin(name: str, shop: Shop, twins: Twins, drain: Callable[[Twins], None]) -> Case:
    """A flow ready to be done by a new customer: prepared, and everything before it at rest."""
    account = factories.account(shop.organization)
    factories.price_list(shop.organization, to=account)
    state = twins.state()
    known = {row["id"] for kind in ("subscriptions", "orders", "customers") for row in state[kind]}
    case = Case(shop, twins, factories.actor(shop.organization, of=account), known=known)
    if not FLOWS[name].from_nothing:
        number = order(case)
        drain(twins)
        case.row = Subscription.objects.get(order_number=number)
    prepare = FLOWS[name].prepare
    if prepare is not None:
        prepare(case)
        drain(twins)
    return case


CATALOGUE = "reads the catalogue: a job that a person starts, sees fail, and starts again"
CHECKOUT = "is asked before an order, as a job that a person sees and repeats"
UNUSED = "is spoken by the client and no step of ours uses it"
LOOKUP = "is asked when an answer was lost; the faults of this matrix lead there"
NOT_IN_A_FLOW: dict[str, str] = {
    "get_token_v1": "signs in; the fault auth_401 leads there",
    "get_token": "signs in; the fault auth_401 leads there",
    "list_customers": LOOKUP,
    "get_cart": LOOKUP,
    "list_orders": LOOKUP,
    "list_audit_records": LOOKUP,
    "get_direct_signed_status": "is asked when no agreement is listed",
    "get_order_provisioning": LOOKUP,
    "list_subscription_addons": UNUSED,
    "get_relationship_link": CHECKOUT,
    "list_relationships": CHECKOUT,
    "list_customer_relationships": CHECKOUT,
    "get_mpn_profile": CHECKOUT,
    "get_partner_agreement_status": CHECKOUT,
    "list_qualifications": CHECKOUT,
    "get_agreement_document": CHECKOUT,
    "list_products": CATALOGUE,
    "list_skus": CATALOGUE,
    "list_availabilities": CATALOGUE,
    "list_offers": CATALOGUE,
    "list_offer_addons": CATALOGUE,
    "list_offer_categories": CATALOGUE,
    "get_price_sheet": CATALOGUE,
    "remove_relationship": UNUSED,
    "delete_customer": UNUSED,
    "get_billing_profile": UNUSED,
    "update_billing_profile": UNUSED,
    "get_company_profile": UNUSED,
    "update_qualification": UNUSED,
    "get_product": UNUSED,
    "get_sku": UNUSED,
    "get_availability": UNUSED,
    "list_products_for_customer": UNUSED,
    "get_product_for_customer": UNUSED,
    "list_skus_for_customer": UNUSED,
    "get_sku_for_customer": UNUSED,
    "get_availability_for_customer": UNUSED,
    "check_inventory": UNUSED,
    "list_promotions": UNUSED,
    "get_promotion": UNUSED,
    "check_promotion_eligibility": UNUSED,
    "get_offer": UNUSED,
    "update_cart": UNUSED,
    "create_order": UNUSED,
    "update_order": "gives a perpetual licence back, which test_perpetual_matrix tries",
    "list_order_activation_links": UNUSED,
    "list_line_activation_links": UNUSED,
    "list_entitlements": UNUSED,
    "list_upgrades": UNUSED,
    "create_upgrade": UNUSED,
    "list_conversions": UNUSED,
    "create_conversion": UNUSED,
    "get_subscription_provisioning": UNUSED,
    "get_support_contact": UNUSED,
    "update_support_contact": UNUSED,
    "register_subscription": UNUSED,
    "get_registration_status": UNUSED,
    "list_subscription_activation_links": UNUSED,
    "list_azure_entitlements": UNUSED,
    "get_azure_entitlement": UNUSED,
    "cancel_azure_entitlement": UNUSED,
}
