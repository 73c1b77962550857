"""The two sides of a back order: the reseller's organization asks, the distributor's provides.

Nothing of the distributor's words leaves this package: a reason is a sentence of ours for the codes the reseller can do
something about, and a general one for all others.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.models import Plan
from core import audit
from core.errors import BusinessError
from core.tenancy import Actor, system_actor
from provisioning.ports import Outcome, Result
from resellers.enums import AccountKind, PurchaseMode
from resellers.models import Account, Contact
from resellers.services.accounts import COMPANY_FIELDS, create_account
from subscriptions.models import Subscription
from subscriptions.refusals import cleaned
from tenants.enums import Origin
from tenants.models import ManagedAccount, ManagedSubscription, ProfessionalTenant
from tenants.selectors import tenant_of
from tenants.services.transfer import CONTACT_FIELDS, source_instance
from vendors.models import AccountLink, Instance

AT_DISTRIBUTOR = "at_distributor"
RELEASED_SOON = dt.timedelta(minutes=5)
MEANWHILE = frozenset({"operation_running", "operation_open", "changed_meanwhile", "price_changed"})
FOLLOWED = (*COMPANY_FIELDS, "accounting_number")


@dataclass(frozen=True)
class Sides:
    """One inherited instance with the distributor's that stands behind it, and who acts there."""

    tenant: ProfessionalTenant
    instance: Instance
    source: Instance
    actor: Actor

    def link_at_source(self, managed: Account | None) -> AccountLink | None:
        """What the distributor's instance knows of a managed copy."""
        return AccountLink.objects.filter(account=managed, instance=self.source).first() if managed else None


def sides_of(instance_id: str) -> Sides:
    """Both sides of an inherited instance; raises BusinessError ``back_ordering_broken`` if one is gone."""
    instance = Instance.objects.select_related("application", "organization").filter(public_id=instance_id).first()
    tenant = tenant_of(instance.organization_id) if instance else None
    source = source_instance(instance) if instance else None
    if instance is None or tenant is None or source is None or source.organization_id != tenant.organization_id:
        raise BusinessError("back_ordering_broken", _("Your distributor no longer offers this. Ask him."))
    return Sides(tenant, instance, source, system_actor(tenant.organization_id, label=tenant.name))


def own_subscription(sides: Sides, public_id: str) -> Subscription:
    """The reseller's subscription that a request names."""
    rows = Subscription.objects.filter(organization_id=sides.instance.organization_id, public_id=public_id)
    row = rows.select_related("account__bill_to", "plan__product__product_type", "instance").first()
    if row is None:
        raise BusinessError("subscription_missing", _("This subscription does not exist."))
    return row


def refused(code: str) -> Result:
    """A refusal in cleaned words; ``code`` is the distributor's vendor's, or one of ours."""
    words = {
        "back_ordering_off": _("Back ordering is not switched on for your organization. Ask your distributor."),
        "tenant_suspended": _("Your organization is on hold. Ask your distributor."),
        "account_on_hold": _("Your account at the distributor is on hold. Ask him."),
        "mpn_missing": _("Your MPN ID is not known to your distributor yet. Tell it to him."),
        "mpn_invalid": _("The vendor does not accept your MPN ID. Give your distributor the right one."),
        "no_credit": _("Your credit at the distributor is used up."),
        "order_cancelled": _("Your distributor cancelled the order."),
        "no_price": _("Your distributor's price list no longer holds this product."),
        "nothing_changes": _("The service is as wanted already."),
    }
    general = _("Your distributor could not deliver this. Ask him, then try again.")
    return Result(Outcome.REFUSED, code=code, message=cleaned(code) or str(words.get(code, general)))


def answer(error: BusinessError) -> Result:
    """A rule of the distributor's side says no: later, if somebody is just at it; else a refusal in cleaned words."""
    if error.code in MEANWHILE:
        return waiting()
    return refused(error.code)


def waiting() -> Result:
    """The distributor's vendor is at it: look again soon."""
    words = _("Your distributor is working on it.")
    return Result(Outcome.WAITING, code=AT_DISTRIBUTOR, message=words, flag=AT_DISTRIBUTOR)


def unreleased() -> Result:
    """The distributor's people have to release the order: look again now and then."""
    words = _("Your distributor has not released the order yet.")
    return Result(Outcome.WAITING, code=AT_DISTRIBUTOR, message=words, flag=AT_DISTRIBUTOR, retry_after=RELEASED_SOON)


@transaction.atomic
def managed_copy(sides: Sides, own: Account) -> ManagedAccount:
    """The distributor's copy of one of the reseller's customers, made if there is none; its data follow his.

    His people's first contact goes along, because vendors ask for a person.
    """
    # One at a time: two orders of a new customer must find the same copy.
    ProfessionalTenant.objects.select_for_update(of=("self",), no_key=True).get(pk=sides.tenant.pk)
    known = ManagedAccount.objects.select_related("managed").filter(own=own).first()
    if known is not None:
        follow(sides.actor, known.managed, own)
        return known
    values: dict[str, Any] = {name: getattr(own, name) for name in FOLLOWED}
    values["accounting_number"] = _free_number(sides.tenant, values["accounting_number"])
    organization = sides.source.organization
    managed = create_account(
        sides.actor,
        kind=AccountKind.MANAGED_COPY,
        values=values,
        bill_to=sides.tenant.account,
        organization=organization,
    )
    contact = Contact.objects.filter(account=own).order_by("-is_primary", "pk").first()
    if contact is not None:
        fields = {name: getattr(contact, name) for name in CONTACT_FIELDS}
        Contact.objects.create(organization=organization, account=managed, **fields)
    return ManagedAccount.objects.create(
        organization=organization,
        tenant=sides.tenant,
        managed=managed,
        own=own,
        relationship=PurchaseMode.END_CUSTOMER,
        origin=Origin.BACK_ORDER,
    )


def _free_number(tenant: ProfessionalTenant, number: str) -> str:
    """His accounting number, unless an account of the distributor has it: there it must be the only one."""
    taken = Account.objects.filter(organization_id=tenant.organization_id, accounting_number=number)
    return "" if number and taken.exists() else number


@transaction.atomic
def follow(actor: Actor, managed: Account, own: Account) -> bool:
    """Give the managed copy the reseller's present data of his customer; whether something changed."""
    row = Account.objects.select_for_update(of=("self",)).get(pk=managed.pk)
    wanted = {name: getattr(own, name) for name in FOLLOWED}
    number = wanted["accounting_number"]
    same = Account.objects.filter(organization_id=row.organization_id, accounting_number=number).exclude(pk=row.pk)
    if number and same.exists():
        wanted["accounting_number"] = row.accounting_number
    # A customer without an address or country of his own keeps what stands here.
    wanted = {name: value for name, value in wanted.items() if value or name not in ("name", "country")}
    changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if not changed:
        return False
    before = {name: getattr(row, name) for name in changed}
    for name, value in changed.items():
        setattr(row, name, value)
    row.save(update_fields=[*changed, "updated_at"])
    audit.record(actor, "account.updated", row, before=before, after=changed, account=row)
    return True


def tie_of(sides: Sides, own: Subscription) -> ManagedSubscription | None:
    """What stands for a subscription of his; one that a partial upgrade made is found by the vendor's id."""
    rows = ManagedSubscription.objects.select_related("customer", "order")
    known = rows.filter(own=own).first()
    if known is not None or not own.external_id:
        return known
    customer = ManagedAccount.objects.filter(own_id=own.account_id, tenant=sides.tenant).first()
    managed = Subscription.objects.filter(instance=sides.source, external_id=own.external_id, managed_as=None).first()
    if customer is None or managed is None or managed.account_id != customer.managed_id:
        return None
    return ManagedSubscription.objects.create(
        organization_id=sides.tenant.organization_id,
        tenant=sides.tenant,
        customer=customer,
        own=own,
        managed=managed,
        origin=Origin.BACK_ORDER,
    )


def source_plan(sides: Sides, copy: Plan) -> Plan | None:
    """The distributor's plan that an inherited one stands for; with monthly billing where the switch says so."""
    product = copy.product
    rows = Plan.objects.filter(
        product__product_type__public_id=product.product_type.external_id,
        product__product_type__instance=sides.source,
        product__code=product.code,
        term=copy.term,
    ).select_related("product__product_type__instance__application")
    monthly = rows.filter(billing_cycle="monthly", is_offered=True).first() if _is_split(sides, copy) else None
    return monthly or rows.filter(billing_cycle=copy.billing_cycle).first()


def _is_split(sides: Sides, copy: Plan) -> bool:
    return sides.tenant.annual_monthly and copy.billing_cycle == "annual"
