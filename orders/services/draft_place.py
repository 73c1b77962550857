"""Checking a draft out: it becomes an order that waits, or is executed at once (``channel.md`` 8.1, ``api.md`` 10.3).

The two halves run in one transaction of the caller, who asks in between what the vendors want to know.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from billing.services import lock_payer
from core import audit, clock
from core.errors import BusinessError, NotVisible
from core.events import emit
from core.tenancy import Actor
from orders.enums import LineKind, OrderStatus
from orders.models import Order, OrderLine, TermsAcceptance
from orders.selectors import basket_instances
from orders.services.basket import check_quantity
from orders.services.draft_prices import draft_lines, price_lines, sum_up
from orders.services.drafts import demand_fresh, lock_draft
from orders.services.execute import check_single, execute_within_credit
from orders.services.place import check_instances, order_payload, submit, totals
from orders.services.plans import check_plans, hold_alias_of
from orders.targets import demand_settled, hold_of, mode_of
from resellers.models import Account, Site
from resellers.selectors import own_account
from resellers.services.accounts import billing_address, take_order_number
from users.permissions import Perm

ADDRESS = ("name", "address_line1", "city", "country")


@dataclass(frozen=True)
class ReadyDraft:
    """A draft under a lock with its lines, at today's prices; ``price_changed`` if it said something else before."""

    order: Order
    lines: Sequence[OrderLine]
    price_changed: bool

    @property
    def fresh(self) -> list[OrderLine]:
        """The lines that make new services."""
        return [line for line in self.lines if line.kind == LineKind.NEW]


def ready_draft(actor: Actor, *, order: Order) -> ReadyDraft:
    """Lock a draft and look at everything that stands in the way of placing it, before any vendor is thought of.

    New prices are written down, so that the program reads what it has to agree to. Raises ``order_is_not_draft``,
    ``order_expired``, ``order_empty``, ``account_on_hold``, ``bill_to_mismatch``, ``quantity_limit``, ``withdrawn``,
    ``terms_not_accepted``, ``address_incomplete``, and what :func:`orders.services.draft_prices.wish_of` raises.
    """
    draft = lock_draft(actor, order)
    demand_fresh(draft)
    lines = draft_lines(draft)
    if not lines:
        raise BusinessError("order_empty", _("This order has no items yet."))
    held = hold_of(draft.account, lock_payer(draft.payer_id))
    if held is not None:
        raise held
    demand_settled(draft.account)
    if (draft.payer_id, draft.purchase_mode) != (draft.account.payer_id, mode_of(draft.account)):
        words = _("This account is billed otherwise than when the order was begun. Begin another order.")
        raise BusinessError("bill_to_mismatch", words)
    ready = ReadyDraft(draft, lines, price_lines(actor, draft, lines))
    sum_up(draft)
    _check_new(draft, ready.fresh)
    if ready.price_changed:
        return ready
    _demand_terms(actor, draft, ready.fresh)
    draft.billing_address = billing_address(draft.account.bill_to or draft.account)
    if not all(str(draft.billing_address.get(name, "")).strip() for name in ADDRESS):
        raise BusinessError("address_incomplete", _("The billing address of the account is incomplete."))
    return ready


def _check_new(draft: Order, lines: Sequence[OrderLine]) -> None:
    for line in lines:
        check_quantity(line.plan.product, line.quantity)
    bases = [line.plan.product for line in lines if line.parent_id is None]
    check_single(draft.account_id, bases)
    check_plans(draft.account, draft.purchase_mode, bases)
    check_instances(draft.account, lines, draft.currency)


def _demand_terms(actor: Actor, draft: Order, lines: Sequence[OrderLine]) -> None:
    """Refuse products whose terms in force neither the payer nor the account has accepted, for whatever order."""
    ours = Q(account_id__in=[draft.account_id, draft.payer_id]) | Q(order__buyer_account_id=draft.payer_id)
    missing = _unaccepted(draft.site, ours, {line.plan.product.name for line in lines})
    if missing:
        words = _("An Admin accepts the terms of use in the storefront first (API credentials), for: %(names)s.")
        if actor.is_staff:
            words = _("The customer, or an employee for him, accepts the terms with a first order of: %(names)s.")
        raise BusinessError("terms_not_accepted", words % {"names": ", ".join(sorted(missing))})


def _unaccepted(site: Site | None, ours: Q, names: set[str]) -> set[str]:
    if site is None or not site.terms.strip():
        return set()
    # Each shop counts its own versions: what was accepted at a reseller's says nothing about these terms.
    ours &= Q(order=None) | Q(order__site=site)
    rows = TermsAcceptance.objects.filter(ours, product_name__in=names, terms_version=site.terms_version)
    return names - set(rows.filter(organization_id=site.organization_id).values_list("product_name", flat=True))


def place_draft(actor: Actor, *, ready: ReadyDraft, details: Mapping[str, Any], browser: str, execute: bool) -> Order:
    """Turn a ready draft into an order: number, log of terms, event; executed within the credit if ``execute``.

    ``details`` are the answers for the vendors by instance, in the form of a checkout. Without ``execute`` it waits, as
    Submitted, for a vendor's check (:func:`execute_checked`).
    """
    order = ready.order
    order.number = take_order_number(order.organization_id)
    order.service_details, order.expires_at = dict(details), None
    fields = ["number", "service_details", "billing_address", "expires_at", "price_list", "updated_at"]
    order.save(update_fields=fields)
    hold_alias_of(order, basket_instances(ready.fresh))
    _log_terms(actor, order, ready.fresh, browser)
    submit(actor, order, audited=totals(order) | {"mode": order.purchase_mode}, execute=execute)
    return order


def _log_terms(actor: Actor, order: Order, lines: Sequence[OrderLine], browser: str) -> None:
    if order.site is None:
        return
    rows = [
        _acceptance(actor, order.account, name, order.site, browser, order=order, basket_url="/api/")
        for name in sorted({line.plan.product.name for line in lines})
    ]
    TermsAcceptance.objects.bulk_create(rows)


def _acceptance(actor: Actor, account: Account, name: str, site: Site, browser: str, **more: Any) -> TermsAcceptance:
    return TermsAcceptance(
        organization_id=account.organization_id,
        account=account,
        product_name=name,
        email=actor.email,
        terms_version=site.terms_version,
        ip=actor.ip,
        browser=browser[:255],
        accepted_at=clock.now(),
        by_staff=actor.is_staff,
        **more,
    )


# --- What a reseller's Admin accepts for his programs -----------------------------------------------------------------
def terms_wanted(actor: Actor) -> list[str]:
    """The products in open drafts of the actor's programs whose terms in force he has not accepted yet, by name."""
    account = own_account(actor)
    if account is None:
        return []
    lines = OrderLine.objects.filter(order__buyer_account=account, order__status=OrderStatus.DRAFT, kind=LineKind.NEW)
    names = lines.filter(order__expires_at__gt=clock.now()).values_list("plan__product__name", flat=True)
    site = Site.objects.filter(organization_id=account.organization_id, account=None).first()
    ours = Q(account=account) | Q(order__buyer_account=account)
    return sorted(_unaccepted(site, ours, set(names)))


@transaction.atomic
def accept_terms(actor: Actor, *, version: int, browser: str = "") -> list[str]:
    """A reseller's Admin accepts the terms for what his programs want to order; once per product and version.

    Raises ``terms_changed`` if the terms in force are not those of ``version``.
    """
    account = own_account(actor)
    actor.require(Perm.SHOP_API, account)
    if account is None:
        raise NotVisible("account_missing", _("This account does not exist."))
    site = Site.objects.get(organization_id=account.organization_id, account=None)
    if site.terms_version != version:
        raise BusinessError("terms_changed", _("The terms of use have changed. Read them and confirm again."))
    names = terms_wanted(actor)
    TermsAcceptance.objects.bulk_create(
        [_acceptance(actor, account, name, site, browser, basket_url="/my-shop/api/") for name in names]
    )
    audit.record(actor, "terms.accepted", account, after={"products": ", ".join(names), "version": version})
    return names


# --- After the vendors were asked -------------------------------------------------------------------------------------
@transaction.atomic
def execute_checked(actor: Actor, *, order: Order, details: Mapping[str, Any]) -> bool:
    """Execute an order that waited for its vendors' checks, with what they said; False if it waits no longer."""
    row = _waiting(order)
    if row is None:
        return False
    row.service_details = {**row.service_details, **details}
    row.save(update_fields=["service_details", "updated_at"])
    held = hold_of(row.account, lock_payer(row.payer_id))
    if held is not None:
        raise held
    execute_within_credit(actor, row)
    return True


@transaction.atomic
def hold(actor: Actor, *, order: Order, code: str, message: str) -> bool:
    """Leave an order Submitted because a vendor's check refused it; staff and who ordered read why."""
    row = _waiting(order)
    if row is None:
        return False
    row.hold_reason, row.reason = code[:40], message[:2000]
    row.save(update_fields=["hold_reason", "reason", "updated_at"])
    audit.record(actor, "order.held", row, reason=message[:2000])
    emit(
        "order.waiting",
        order_payload(row) | {"reason": "refused", "code": code, "message": message},
        organization_id=row.organization_id,
        account_id=row.account_id,
    )
    return True


def _waiting(order: Order) -> Order | None:
    rows = Order.objects.select_for_update(of=("self",)).select_related("account", "payer", "organization")
    return rows.filter(pk=order.pk, status=OrderStatus.SUBMITTED).first()
