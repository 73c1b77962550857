"""A distributor with a Professional reseller, for tests of both sides."""

from dataclasses import dataclass
from typing import Any

from catalog.models import PriceListAssignment, Product
from core.tenancy import Actor
from resellers.models import Account, Membership, Organization, Site
from resellers.selectors import actor_for
from tenants.models import ProfessionalTenant
from tenants.services.create import make_professional
from tenants.services.state import go_live
from tenants.services.transfer import ACCOUNTS, SUBSCRIPTIONS, start_transfer
from tests import factories
from tests.drain import drain
from tests.shop import Shop
from vendors.models import Instance


@dataclass
class Professional:
    """The reseller's own side."""

    tenant: ProfessionalTenant
    own: Organization
    staff: Actor
    code: str

    @property
    def site(self) -> Site:
        """His own site."""
        return Site.objects.get(organization=self.own, account=None)

    @property
    def product(self) -> Product:
        """The copy of the shop's product."""
        return Product.objects.get(organization=self.own, code=self.code)

    @property
    def instance(self) -> Instance:
        """His inherited instance."""
        return Instance.objects.get(organization=self.own)


def form_values(shop: Shop, **values: Any) -> dict[str, Any]:
    """What the form for a Professional reseller gives."""
    prices = PriceListAssignment.objects.get(account=shop.reseller).price_list
    return {
        "name": "Delta Cloud",
        "host": f"bss{shop.reseller.pk}.delta.test",
        "licence": "premium",
        "price_list": prices,
        "language": "en",
        "time_zone": "Europe/Athens",
        "separate_invoices": False,
        "admin_email": "dora@delta.test",
        "admin_first_name": "Dora",
        "admin_last_name": "Delta",
    } | values


def make(shop: Shop, **values: Any) -> Professional:
    """A reseller whose organization is made; he is not live yet."""
    tenant = make_professional(shop.staff, account=shop.reseller, values=form_values(shop, **values))
    drain()
    tenant.refresh_from_db()
    assert tenant.own is not None, tenant.note
    member = Membership.objects.get(organization=tenant.own, account=None)
    site = Site.objects.get(organization=tenant.own, account=None)
    return Professional(tenant, tenant.own, actor_for(member.user, site, as_staff=True), shop.product.code)


def make_live(shop: Shop, **values: Any) -> Professional:
    """A reseller who is live, everything of his transferred."""
    pro = make(shop, **values)
    for kind in (ACCOUNTS, SUBSCRIPTIONS):
        start_transfer(shop.staff, tenant=pro.tenant, kind=kind)
        drain()
    pro.tenant = go_live(shop.staff, tenant=pro.tenant)
    return pro


def own_of(account: Account) -> Account:
    """The reseller's account of a managed copy."""
    return Account.objects.get(managed_by__managed=account)


def shop_of(pro: Professional) -> Shop:
    """His own shop with one customer, whose Admin may order the copy of the product."""
    Product.objects.filter(organization=pro.own).update(is_published=True)
    customer, other = factories.account(pro.own), factories.account(pro.own)
    return Shop(
        organization=pro.own,
        site=pro.site,
        instance=pro.instance,
        product=pro.product,
        customer=customer,
        reseller=other,
        end_customer=other,
        affiliate=other,
        staff=pro.staff,
        customer_admin=factories.actor(pro.own, of=customer),
        reseller_admin=factories.actor(pro.own, of=other),
    )
