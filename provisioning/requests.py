"""From our rows to the plain data a connector gets: the whole desired state of a service or an account."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from catalog.models import Plan
from core.tenancy import TenantQuerySet
from provisioning.ports import (
    AccountData,
    AddOnLine,
    Address,
    AgreementAcceptance,
    AssetRequest,
    Schedule,
    ServiceRequest,
    UpgradeOrder,
)
from resellers.enums import MODES, AccountKind
from resellers.models import Account, Contact
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import Asset, Operation, Subscription
from subscriptions.services.changes import pending_schedule
from vendors.models import AccountLink, AgreementRecord, Instance


def agreement_of(account: Account, instance: Instance) -> AgreementAcceptance | None:
    """The last customer agreement that was accepted for this account at this instance."""
    row = AgreementRecord.objects.filter(account=account, instance=instance).order_by("-id").first()
    if row is None:
        return None
    return AgreementAcceptance(row.first_name, row.last_name, row.email, row.date_agreed, row.phone)


def account_data(
    account: Account,
    instance: Instance,
    *,
    options: dict[str, Any] | None = None,
    agreement: AgreementAcceptance | None = None,
    mpn_id: str = "",
) -> AccountData:
    """An account as a connector sees it. MPN ID and reseller's tenant go along for an end customer, and nobody else."""
    link = AccountLink.objects.filter(account=account, instance=instance).first()
    seller = None
    if account.kind == AccountKind.END_CUSTOMER and account.bill_to_id:
        seller = AccountLink.objects.filter(account_id=account.bill_to_id, instance=instance).first()
    contact = Contact.objects.filter(account=account).order_by("-is_primary", "id").first()
    own_address = bool(account.address_line1) or account.bill_to is None
    source = account if own_address or account.bill_to is None else account.bill_to
    return AccountData(
        id=str(account.public_id),
        name=account.name,
        external_id=link.external_id if link else "",
        email=account.email or (contact.email if contact else ""),
        phone=account.phone or source.phone or (contact.phone if contact else ""),
        website=account.website,
        tax_id=account.tax_id,
        language=account.organization.language,
        first_name=contact.first_name if contact else "",
        last_name=contact.last_name if contact else "",
        address=Address(
            source.address_line1,
            source.address_line2,
            source.city,
            source.state,
            source.postal_code,
            source.country,
        ),
        purchase_mode=MODES.get(account.kind, ""),
        options=options if options is not None else (link.options if link else {}),
        agreement=agreement or agreement_of(account, instance),
        mpn_id=(mpn_id or seller.mpn_id) if seller else mpn_id if account.kind == AccountKind.END_CUSTOMER else "",
        reseller_tenant_id=seller.reseller_tenant_id if seller else "",
    )


def service_request(operation: Operation) -> ServiceRequest:
    """The desired state of an operation's subscription: what stands, with what the operation wants over it."""
    row = _with_all_it_needs().filter(pk=operation.subscription_id or 0).first()
    if row is None:
        raise ValueError("the operation concerns no subscription")
    desired = operation.desired
    return replace(
        state_request(row, created_at=operation.created_at, wanted=desired.get("addons")),
        quantity=int(desired.get("quantity", row.quantity)),
        auto_renew=bool(desired.get("auto_renew", row.auto_renew)),
        schedule=_schedule(operation, row),
        upgrade=_upgrade(operation),
        partner_id=str(desired.get("mpn_id", "")),
    )


def asset_request(operation: Operation) -> AssetRequest:
    """What an operation wants of its asset: to be provisioned, or to be taken back."""
    row = _assets_with_all_they_need().filter(pk=operation.asset_id or 0).first()
    if row is None:
        raise ValueError("the operation concerns no asset")
    desired = operation.desired
    return replace(
        asset_state(row, created_at=operation.created_at),
        origin_id=str(row.origin or operation.public_id),
        comment=str(desired.get("comment", ""))[:250],
    )


def asset_state(row: Asset, *, created_at: dt.datetime | None = None) -> AssetRequest:
    """An asset as it stands."""
    return AssetRequest(
        asset_id=str(row.public_id),
        product_code=row.product.code,
        product_name=row.name,
        currency=row.currency,
        created_at=created_at or row.created_at,
        purchased_at=row.purchased_at,
        account=_account_of(row),
        quantity=row.quantity,
        segment=row.product.segment,
        order_number=row.order_number,
        attributes=row.product.attributes,
        origin_id=str(row.origin or ""),
        external_id=row.external_id,
        transaction_id=row.transaction_id,
    )


def _account_of(row: Asset) -> AccountData:
    """Whose asset it is; a vendor that need not know the customer is told nothing of him but our id and his name."""
    if row.product.product_type.requires_account:
        return account_data(row.account, row.instance)
    return AccountData(id=str(row.account.public_id), name=row.account.name)


def _assets_with_all_they_need() -> TenantQuerySet[Asset]:
    """Assets with everything that a request is made of, in one statement."""
    return Asset.objects.select_related(
        "account__organization", "account__bill_to", "instance", "product__product_type"
    )


def _with_all_it_needs() -> TenantQuerySet[Subscription]:
    """Subscriptions with everything that a request is made of, in one statement."""
    return Subscription.objects.select_related("account__organization", "account__bill_to", "instance", "product")


def state_request(
    row: Subscription, *, created_at: dt.datetime | None = None, wanted: Mapping[str, int] | None = None
) -> ServiceRequest:
    """A subscription as it stands, with its live add-ons, or with the numbers ``wanted`` of them."""
    return ServiceRequest(
        subscription_id=str(row.public_id),
        account=account_data(row.account, row.instance, mpn_id=row.mpn_id),
        product_code=row.product.code,
        product_name=row.name,
        quantity=row.quantity,
        term=row.term,
        billing_cycle=row.billing_cycle,
        currency=row.currency,
        created_at=created_at or row.created_at,
        external_id=row.external_id,
        external_order_id=row.external_order_id,
        segment=row.product.segment,
        confirmed_quantity=row.quantity if row.external_id else 0,
        auto_renew=row.auto_renew,
        is_trial=row.is_trial,
        addons=_addon_lines(row, wanted or {}),
    )


def _schedule(operation: Operation, row: Subscription) -> Schedule | None:
    """What the vendor is to do at the renewal; none for a service that ends with its term."""
    wants_none = operation.desired.get("schedule") is False or operation.desired.get("auto_renew") is False
    found = None if wants_none else pending_schedule(row)
    if found is None:
        return None
    plan = found.plan
    return Schedule(plan.product.code, found.quantity, plan.term, plan.billing_cycle)


def _upgrade(operation: Operation) -> UpgradeOrder | None:
    wanted = operation.desired.get("upgrade")
    if not wanted:
        return None
    plan = Plan.objects.select_related("product").get(public_id=wanted["plan"])
    return UpgradeOrder(plan.product.code, int(wanted["quantity"]), plan.term, plan.billing_cycle)


def _addon_lines(row: Subscription, wanted: Mapping[str, int]) -> list[AddOnLine]:
    """The live add-ons with the numbers wanted of them; 0 drops one."""
    addons = row.addons.exclude(status=SubscriptionStatus.CANCELLED).select_related("product", "plan").order_by("pk")
    return [
        AddOnLine(
            id=str(addon.public_id),
            product_code=addon.product.code,
            name=addon.name,
            quantity=int(wanted.get(str(addon.public_id), addon.quantity)),
            external_id=addon.external_id,
            term=addon.plan.term,
            billing_cycle=addon.plan.billing_cycle,
        )
        for addon in addons
        if addon.external_id or not row.external_id or str(addon.public_id) in wanted
    ]
