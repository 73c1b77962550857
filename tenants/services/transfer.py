"""Taking a reseller's customers and running subscriptions over into his own organization (``channel.md`` 5.2).

Each row is one transaction: the copy, the change of the distributor's row and the tie between them are there together
or not at all, so that a run that was killed goes on where it stood and a customer is never at two places. No vendor is
told: the distributor bills the reseller on, the reseller bills his customer from the next period.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.models import Plan
from catalog.selectors import price_list_of, price_plans
from core import audit
from core.errors import BusinessError, Conflict, NotVisible
from core.jobs import RUN_BULK_TASK, Job, start_job
from core.tenancy import Actor, system_actor
from orders.targets import mode_of
from resellers.enums import AccountKind
from resellers.models import Account, Contact
from resellers.services.accounts import COMPANY_FIELDS, create_account
from resellers.services.custom_fields import carry_values
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import Subscription, SubscriptionAddOn
from subscriptions.preconditions import facts_of
from subscriptions.services.changes import lock_subscription
from subscriptions.services.life import tell
from tenants.enums import Origin, TenantStatus
from tenants.models import ManagedAccount, ManagedSubscription, ProfessionalTenant
from tenants.selectors import accounts_to_move, inherited_instances, own_organization, subscriptions_to_move
from users.permissions import Perm
from vendors.models import AccountLink, AgreementRecord, Instance, LinkState, SyncStatus

ACCOUNTS = "tenants.transfer_accounts"
SUBSCRIPTIONS = "tenants.transfer_subscriptions"
CONTACT_FIELDS = ("first_name", "last_name", "email", "phone", "job_title", "is_primary")
SERVICE_FIELDS = (
    "name",
    "term",
    "billing_cycle",
    "quantity",
    "auto_renew",
    "external_id",
    "starts_at",
    "first_activated_at",
    "term_ends_at",
    "cancel_until",
    "period_starts_at",
    "period_ends_at",
    "refundable",
    "vendor_read_at",
)


@transaction.atomic
def start_transfer(actor: Actor, *, tenant: ProfessionalTenant, kind: str, ids: Sequence[UUID] = ()) -> Job:
    """Transfer the chosen rows, or all that are left, in the background; ``kind`` is ACCOUNTS or SUBSCRIPTIONS."""
    actor.require(Perm.PROFESSIONAL, tenant.account)
    _demand_active(tenant)
    titles = {
        ACCOUNTS: _("Transfer the accounts of %(name)s"),
        SUBSCRIPTIONS: _("Transfer the subscriptions of %(name)s"),
    }
    return start_job(
        actor,
        kind,
        title=titles[kind] % {"name": tenant.account.name},
        params={"tenant": str(tenant.public_id), "ids": [str(item) for item in ids]},
        account_id=tenant.account_id,
        unique_key=f"tenants.transfer:{tenant.public_id}",
        queue_task=RUN_BULK_TASK,
    )


def _demand_active(tenant: ProfessionalTenant) -> None:
    if tenant.status != TenantStatus.ACTIVE:
        raise Conflict("not_active", _("His organization is not active."))


def account_obstacle(row: Account) -> str:
    """Why an account of :func:`tenants.selectors.accounts_to_move` cannot be transferred now; empty if it can."""
    if row.has_open_order:  # type: ignore[attr-defined]
        return _("It has an order that waits. Execute or cancel it first.")
    if not row.country and not (row.bill_to and row.bill_to.country):
        return _("It has no country.")
    return ""


@transaction.atomic
def move_account(actor: Actor, tenant: ProfessionalTenant, account: Account) -> ManagedAccount:
    """Copy one customer into the reseller's organization; the row here becomes a managed copy. Twice copies once."""
    actor.require(Perm.PROFESSIONAL, account)
    _demand_active(tenant)
    rows = Account.objects.visible_to(actor).select_for_update(of=("self",))
    source = rows.filter(pk=account.pk, bill_to=tenant.account_id).first()
    if source is None:
        raise NotVisible("account_missing", _("This account does not exist."))
    known = ManagedAccount.objects.filter(managed=source).first()
    if known is not None:
        return known
    found = accounts_to_move(actor, tenant).filter(pk=source.pk).first()
    reason = account_obstacle(found) if found else _("Only open accounts billed to him are transferred.")
    if found is None or reason:
        raise Conflict("account_not_movable", reason)
    relationship = mode_of(found)
    copy = _copy_account(tenant, found)
    before = source.kind
    source.kind = AccountKind.MANAGED_COPY
    source.save(update_fields=["kind", "updated_at"])
    made = ManagedAccount.objects.create(
        organization_id=tenant.organization_id,
        tenant=tenant,
        managed=source,
        own=copy,
        relationship=relationship,
        origin=Origin.TRANSFER,
    )
    _copy_links(tenant, source, copy)
    audit.record(actor, "account.managed", source, before={"kind": before}, after={"kind": source.kind}, account=source)
    return made


def _copy_account(tenant: ProfessionalTenant, source: Account) -> Account:
    own = own_organization(tenant)
    values: dict[str, Any] = {name: getattr(source, name) for name in COMPANY_FIELDS}
    if not source.address_line1 and source.bill_to is not None:
        places = ("address_line1", "address_line2", "city", "state", "postal_code", "country")
        values |= {name: getattr(source.bill_to, name) for name in places}
    values |= {"country": values["country"] or (source.bill_to.country if source.bill_to else "")}
    values |= {"accounting_number": source.accounting_number, "currency": own.currency}
    system = system_actor(own.pk, label=_("transfer"))
    copy = create_account(system, kind=AccountKind.DIRECT, values=values, organization=own)
    contacts = Contact.objects.filter(account=source).order_by("pk")
    for row in contacts:
        values = {name: getattr(row, name) for name in CONTACT_FIELDS}
        carry_values(row, Contact.objects.create(organization=own, account=copy, **values))
    carry_values(source, copy)
    return copy


def _copy_links(tenant: ProfessionalTenant, source: Account, copy: Account) -> None:
    """Where the vendor knows the customer already, nothing has to be set up again."""
    for instance in inherited_instances(tenant):
        known = AccountLink.objects.filter(
            account=source, instance__public_id=str(instance.read_settings()["source"]), state=LinkState.SYNCHRONIZED
        ).first()
        if known is not None:
            _copy_agreement(known, copy, instance)
            AccountLink.objects.get_or_create(
                account=copy,
                instance=instance,
                defaults={
                    "organization_id": copy.organization_id,
                    "state": LinkState.SYNCHRONIZED,
                    "external_id": str(source.public_id),
                    "synchronized_at": known.synchronized_at,
                },
            )


def _copy_agreement(known: AccountLink, copy: Account, instance: Instance) -> None:
    """What the customer accepted he need not accept again."""
    row = AgreementRecord.objects.filter(account=known.account_id, instance=known.instance_id).order_by("-id").first()
    if row is not None:
        fields = ("first_name", "last_name", "email", "phone", "date_agreed", "recorded_at", "user_label")
        AgreementRecord.objects.create(
            organization_id=copy.organization_id,
            account=copy,
            instance=instance,
            **{name: getattr(row, name) for name in fields},
        )


def subscription_obstacle(tenant: ProfessionalTenant, row: Subscription) -> str:
    """Why a subscription cannot be transferred now; empty if it can."""
    if row.status != SubscriptionStatus.ACTIVE:
        return _("Only active subscriptions are transferred.")
    if row.is_trial:
        return _("A trial is not transferred.")
    facts = facts_of(row)
    if facts.is_busy or row.sync_status != SyncStatus.SYNCHRONIZED:
        return _("A change is in progress, or the last one did not reach the vendor.")
    if facts.schedule is not None:
        return _("A change is scheduled for the renewal. Revoke it first.")
    if facts.request is not None:
        return _("A cancellation request waits for a decision.")
    plans = [row.plan, *(addon.plan for addon in _addons(row))]
    for plan in plans:
        if copy_of(tenant, plan) is None:
            words = _("%(name)s is not in his catalogue. Run a full catalogue update first.")
            return words % {"name": plan.product.name}
    return ""


def _addons(row: Subscription) -> list[SubscriptionAddOn]:
    rows = row.addons.filter(status=SubscriptionStatus.ACTIVE)
    return list(rows.select_related("plan__product__product_type__instance").order_by("pk"))


def copy_of(tenant: ProfessionalTenant, plan: Plan) -> Plan | None:
    """The plan in the reseller's organization that stands for one of the distributor's."""
    rows = Plan.objects.filter(
        organization_id=tenant.own_id or 0,
        product__product_type__external_id=str(plan.product.product_type.public_id),
        product__code=plan.product.code,
        term=plan.term,
        billing_cycle=plan.billing_cycle,
    )
    return rows.select_related("product__product_type__instance").first()


@transaction.atomic
def move_subscription(actor: Actor, tenant: ProfessionalTenant, subscription: Subscription) -> ManagedSubscription:
    """Copy one running subscription; no vendor is told, nothing is charged now. Twice copies once."""
    actor.require(Perm.PROFESSIONAL, subscription.account)
    _demand_active(tenant)
    source = lock_subscription(actor, subscription)
    known = ManagedSubscription.objects.filter(managed=source).first()
    if known is not None:
        return known
    customer = ManagedAccount.objects.select_related("own").filter(managed_id=source.account_id, tenant=tenant).first()
    if customer is None:
        raise Conflict("account_first", _("Transfer its account first."))
    reason = subscription_obstacle(tenant, source)
    if reason:
        raise Conflict("subscription_not_movable", reason)
    copy = _copy_subscription(tenant, source, customer.own)
    made = ManagedSubscription.objects.create(
        organization_id=tenant.organization_id,
        tenant=tenant,
        customer=customer,
        own=copy,
        managed=source,
        origin=Origin.TRANSFER,
    )
    audit.record(actor, "subscription.transferred", source, after={"quantity": source.quantity, "to": tenant.name})
    system = system_actor(tenant.own_id, label=_("transfer"))
    audit.record(system, "subscription.taken_over", copy, after={"quantity": copy.quantity, "price": copy.unit_price})
    tell(copy, "created")
    return made


def _copy_subscription(tenant: ProfessionalTenant, source: Subscription, account: Account) -> Subscription:
    plan = _demand_copy(tenant, source.plan)
    price, trace = _selling(account, plan)
    copy = Subscription.objects.create(
        organization_id=account.organization_id,
        account=account,
        bill_to=account,
        instance=plan.product.product_type.instance,
        product=plan.product,
        plan=plan,
        unit_price=price,
        currency=account.currency,
        price_trace=list(trace),
        status=SubscriptionStatus.ACTIVE,
        sync_status=SyncStatus.SYNCHRONIZED,
        **{name: getattr(source, name) for name in SERVICE_FIELDS},
    )
    for addon in _addons(source):
        addon_plan = _demand_copy(tenant, addon.plan)
        addon_price, addon_trace = _selling(account, addon_plan)
        own = SubscriptionAddOn.objects.create(
            organization_id=account.organization_id,
            subscription=copy,
            product=addon_plan.product,
            plan=addon_plan,
            name=addon.name,
            quantity=addon.quantity,
            unit_price=addon_price,
            price_trace=list(addon_trace),
            status=SubscriptionStatus.ACTIVE,
            external_id=addon.external_id,
            first_activated_at=addon.first_activated_at,
        )
        carry_values(addon, own)
    carry_values(source, copy)
    return copy


def _demand_copy(tenant: ProfessionalTenant, plan: Plan) -> Plan:
    found = copy_of(tenant, plan)
    if found is None:
        raise Conflict("plan_missing", _("%(name)s is not in his catalogue.") % {"name": plan.product.name})
    return found


def _selling(account: Account, plan: Plan) -> tuple[Any, tuple[str, ...]]:
    """What the reseller's customer pays from the next period on."""
    prices = price_list_of(account)
    found = price_plans(Plan.objects.filter(pk=plan.pk).select_related("product"), prices) if prices else []
    if not found:
        raise Conflict("no_price", _("%(name)s has no selling price in his list.") % {"name": plan.product.name})
    return found[0].price.amount, found[0].price.trace


def chosen_accounts(actor: Actor, tenant: ProfessionalTenant, ids: Sequence[str]) -> list[Account]:
    """The accounts a run transfers: those chosen that are left, or all that are."""
    rows = accounts_to_move(actor, tenant)
    return list(rows.filter(public_id__in=ids) if ids else rows)


def chosen_subscriptions(actor: Actor, tenant: ProfessionalTenant, ids: Sequence[str]) -> list[Subscription]:
    """The subscriptions a run transfers: those chosen that are left, or all that are."""
    rows = subscriptions_to_move(actor, tenant)
    return list(rows.filter(public_id__in=ids) if ids else rows)


def said_of(error: BusinessError) -> str:
    """The reason of a row that was refused, for the report."""
    return str(error.message)


def source_instance(instance: Instance) -> Instance | None:
    """The distributor's instance that an inherited one stands for."""
    rows = Instance.objects.select_related("application", "organization", "certificate")
    return rows.filter(public_id=str(instance.read_settings().get("source", ""))).first()
