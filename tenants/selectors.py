"""Reads of Professional resellers: the distributor's list, what can be transferred, the reseller's own catalogue."""

from django.db.models import Count, Exists, OuterRef, Q

from catalog.models import Product
from core.brief import briefly
from core.tenancy import Actor, TenantQuerySet, system_actor
from orders.enums import OrderStatus
from orders.models import Order
from resellers.enums import AccountKind, AccountStatus
from resellers.models import Account, Organization
from subscriptions.enums import LIVE_STATUSES
from subscriptions.models import Subscription
from tenants.enums import TenantStatus
from tenants.models import CatalogueUpdate, ManagedAccount, ManagedSubscription, ProfessionalTenant
from vendors.inherited import BACK_ORDERING
from vendors.models import Instance

MOVED_KINDS = (AccountKind.END_CUSTOMER, AccountKind.AFFILIATE)
OPEN_ORDERS = (OrderStatus.SUBMITTED, OrderStatus.SUSPENDED)


def tenants_for(actor: Actor) -> TenantQuerySet[ProfessionalTenant]:
    """The Professional resellers of the distributor, for his employees, with the number of their managed copies."""
    if not actor.is_staff:
        return ProfessionalTenant.objects.none()
    rows = ProfessionalTenant.objects.visible_to(actor).select_related("account", "own", "price_list")
    return rows.annotate(customer_count=Count("customers", distinct=True))


def tenant_of_account(actor: Actor, account: Account) -> ProfessionalTenant | None:
    """The Professional reseller that an account is, or None."""
    return tenants_for(actor).filter(account=account).first()


def tenant_of(organization_id: int | None) -> ProfessionalTenant | None:
    """The Professional reseller whose own organization this is; None for a distributor's."""
    rows = ProfessionalTenant.objects.select_related("account", "own", "price_list", "organization")
    return rows.filter(own_id=organization_id).first() if organization_id else None


@briefly
def has_tenant(organization_id: int) -> bool:
    """Whether an organization is a Professional reseller's own; a new one shows after ``BRIEF_SECONDS``."""
    return ProfessionalTenant.objects.filter(own_id=organization_id).exists()


def is_professional(actor: Actor) -> bool:
    """Whether the actor is an employee of a Professional reseller's own organization."""
    return actor.is_staff and actor.organization_id is not None and has_tenant(actor.organization_id)


def own_tenant(actor: Actor) -> ProfessionalTenant | None:
    """The Professional reseller whose employee the actor is; None elsewhere."""
    return tenant_of(actor.organization_id) if is_professional(actor) else None


def tenant_of_instance(instance: Instance) -> ProfessionalTenant | None:
    """Whose inherited instance this is."""
    return tenant_of(instance.organization_id) if instance.application.code == BACK_ORDERING else None


def accounts_to_move(actor: Actor, tenant: ProfessionalTenant) -> TenantQuerySet[Account]:
    """Accounts billed to him that were not transferred, by name, with ``has_open_order``; closed ones stay."""
    waiting = Order.objects.filter(account=OuterRef("pk"), status__in=OPEN_ORDERS)
    rows = Account.objects.visible_to(actor).filter(bill_to=tenant.account_id, kind__in=MOVED_KINDS)
    rows = rows.exclude(status=AccountStatus.CLOSED).select_related("bill_to")
    return rows.annotate(has_open_order=Exists(waiting)).order_by("name", "id")


def moved_accounts(actor: Actor, tenant: ProfessionalTenant) -> TenantQuerySet[ManagedAccount]:
    """His managed copies by name."""
    rows = ManagedAccount.objects.visible_to(actor).filter(tenant=tenant)
    return rows.select_related("managed").order_by("managed__name", "id")


def subscriptions_to_move(actor: Actor, tenant: ProfessionalTenant) -> TenantQuerySet[Subscription]:
    """Running subscriptions of his managed copies that have no counterpart in his own organization."""
    rows = Subscription.objects.visible_to(actor).filter(
        bill_to=tenant.account_id, status__in=LIVE_STATUSES, account__managed_as__tenant=tenant, managed_as=None
    )
    # An order of his own that is still at work is no candidate: it has its counterpart already.
    ordered = ManagedSubscription.objects.filter(order__number=OuterRef("order_number"), tenant=tenant, managed=None)
    # So has what a partial upgrade made: the vendor's id says which.
    there = Subscription.objects.filter(organization_id=tenant.own_id or 0).exclude(external_id="")
    rows = rows.exclude(Exists(ordered)).exclude(Exists(there.filter(external_id=OuterRef("external_id"))))
    return rows.select_related("account__managed_as", "product__product_type", "plan", "instance").order_by(
        "account__name", "name", "id"
    )


def moved_subscriptions(actor: Actor, tenant: ProfessionalTenant) -> TenantQuerySet[ManagedSubscription]:
    """His subscriptions here that stand for one of his own, with both."""
    rows = ManagedSubscription.objects.visible_to(actor).filter(tenant=tenant, managed__isnull=False)
    return rows.select_related("customer__managed", "managed").order_by("customer__managed__name", "id")


def inherited_instances(tenant: ProfessionalTenant) -> list[Instance]:
    """The instances of his own organization that stand for the distributor's."""
    if tenant.own_id is None:
        return []
    rows = Instance.objects.visible_to(system_actor(tenant.own_id)).filter(application__code=BACK_ORDERING)
    return list(rows.select_related("application", "organization").order_by("id"))


def updates_for(actor: Actor) -> TenantQuerySet[CatalogueUpdate]:
    """The update log of the actor's own organization, for its employees, newest first."""
    if not actor.is_staff:
        return CatalogueUpdate.objects.none()
    return CatalogueUpdate.objects.visible_to(actor).order_by("-id")


def live_services(tenant: ProfessionalTenant) -> int:
    """How many services run in his own organization."""
    return Subscription.objects.filter(organization_id=tenant.own_id or 0, status__in=LIVE_STATUSES).count()


def source_product(copy: Product) -> Product | None:
    """The distributor's product that an inherited one stands for; None for the reseller's own.

    An inherited type carries its source's public id as its external id, and its products their source's codes.
    """
    kind = copy.product_type
    if kind.instance.application.code != BACK_ORDERING:
        return None
    rows = Product.objects.filter(product_type__public_id=kind.external_id, code=copy.code)
    return rows.select_related("product_type__instance__application").first()


def due_nightly(actor: Actor) -> TenantQuerySet[ProfessionalTenant]:
    """Professional resellers whose purchase prices are to be taken over every night."""
    rows = ProfessionalTenant.objects.visible_to(actor).filter(status=TenantStatus.ACTIVE, nightly_update=True)
    return rows.select_related("own", "price_list", "account").filter(Q(own__isnull=False)).order_by("id")


def own_organization(tenant: ProfessionalTenant) -> Organization:
    """His organization; raises LookupError before the job has made it."""
    if tenant.own is None:
        raise LookupError("the organization is not made yet")
    return tenant.own
