"""From our rows to the plain data a connector gets: the whole desired state of a service or an account."""

from typing import Any

from provisioning.ports import AccountData, AddOnLine, Address, AgreementAcceptance, ServiceRequest
from resellers.enums import AccountKind, PurchaseMode
from resellers.models import Account, Contact
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import Operation, Subscription
from vendors.models import AccountLink, AgreementRecord, Instance

MODE_BY_KIND = {
    AccountKind.END_CUSTOMER.value: PurchaseMode.END_CUSTOMER.value,
    AccountKind.AFFILIATE.value: PurchaseMode.AFFILIATE.value,
    AccountKind.RESELLER.value: PurchaseMode.PERSONAL_USE.value,
}


def mode_of(account: Account) -> str:
    """The purchase mode an account of this kind stands for; empty for a direct customer."""
    return MODE_BY_KIND.get(account.kind, "")


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
        purchase_mode=mode_of(account),
        options=options if options is not None else (link.options if link else {}),
        agreement=agreement or agreement_of(account, instance),
        mpn_id=(mpn_id or seller.mpn_id) if seller else mpn_id if account.kind == AccountKind.END_CUSTOMER else "",
        reseller_tenant_id=seller.reseller_tenant_id if seller else "",
    )


def service_request(operation: Operation) -> ServiceRequest:
    """The desired state of an operation's subscription, with its live add-ons."""
    row = operation.subscription
    if row is None:
        raise ValueError("the operation concerns no subscription")
    account = account_data(row.account, row.instance, mpn_id=row.mpn_id)
    return ServiceRequest(
        subscription_id=str(row.public_id),
        account=account,
        product_code=row.product.code,
        product_name=row.name,
        quantity=int(operation.desired.get("quantity", row.quantity)),
        term=row.term,
        billing_cycle=row.billing_cycle,
        currency=row.currency,
        created_at=operation.created_at,
        external_id=row.external_id,
        external_order_id=row.external_order_id,
        segment=row.product.segment,
        confirmed_quantity=row.quantity if row.external_id else 0,
        auto_renew=row.auto_renew,
        is_trial=row.is_trial,
        addons=_addon_lines(row),
    )


def _addon_lines(row: Subscription) -> list[AddOnLine]:
    addons = row.addons.exclude(status=SubscriptionStatus.CANCELLED).select_related("product", "plan").order_by("pk")
    return [
        AddOnLine(
            id=str(addon.public_id),
            product_code=addon.product.code,
            name=addon.name,
            quantity=addon.quantity,
            external_id=addon.external_id,
            term=addon.plan.term,
            billing_cycle=addon.plan.billing_cycle,
        )
        for addon in addons
    ]
