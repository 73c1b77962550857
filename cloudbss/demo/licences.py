"""Licences of the demo in every state: ready, used, given back, asked to be given back, refused."""

from collections.abc import Callable, Mapping
from uuid import NAMESPACE_URL, UUID, uuid5

from catalog.models import Plan
from cloudbss.demo.twins import call_twins
from orders.models import Basket, Order
from orders.selectors import priced_basket
from orders.services.asset_return import return_asset
from orders.services.basket import add_line, open_basket, set_billing_address, set_target
from orders.services.place import place_order
from orders.targets import mode_of
from provisioning.services.assets import refresh_asset
from resellers.enums import AccountKind
from resellers.models import Account, Membership, Organization, Site
from resellers.selectors import actor_for
from resellers.services.accounts import billing_address
from subscriptions.asset_enums import AssetStatus, TokenStatus
from subscriptions.models import Asset
from subscriptions.services.returns import submit_return

# Who buys how many of what: the key of a company, the SKU, the number.
PURCHASES = (
    ("dune", "T5D-06798", 3),
    ("dune", "QQ2-01897", 1),
    ("cedar", "T5D-06798", 2),
    ("cedar", "4YR-00354", 1),
    ("birch", "T5D-06798", 2),
    ("birch", "164-07924", 1),
)


def order_licences(organization: Organization, accounts: Mapping[str, Account], say: Callable[[str], None]) -> None:
    """Place the purchases through the storefront's services; what was placed before is left alone."""
    site = Site.objects.get(organization=organization, account=None)
    placed = 0
    for number, (company, sku, quantity) in enumerate(PURCHASES):
        key = uuid5(NAMESPACE_URL, f"demo-licences-{number}")
        if not Order.objects.filter(organization=organization, idempotency_key=key).exists():
            placed += _order(organization, site, accounts[company], sku, quantity, key)
    say(f"{placed} orders of licences")


def _order(organization: Organization, site: Site, buyer: Account, sku: str, quantity: int, key: UUID) -> int:
    plan = Plan.objects.filter(
        organization=organization,
        product__attributes__sku=sku,
        product__product_type__instance__country=buyer.country,
        product__is_published=True,
    ).first()
    member = Membership.objects.filter(organization=organization, account=buyer).order_by("pk").first()
    if plan is None or member is None:
        return 0
    actor = actor_for(member.user, site, as_staff=False)
    account = _for_whom(buyer)
    basket = open_basket(actor, site=site)
    mode = mode_of(account) if buyer.kind == AccountKind.RESELLER else ""
    basket = set_target(actor, basket=basket, mode=mode, account=account)
    add_line(actor, basket=basket, site=site, plan=plan, quantity=quantity)
    basket = set_billing_address(actor, basket=basket, address=billing_address(account.bill_to or account))
    Basket.objects.filter(pk=basket.pk).update(checkout_key=key)
    basket.refresh_from_db()
    quoted = priced_basket(basket).quote
    if quoted is None:
        return 0
    place_order(actor, basket=basket, key=key, seen_total=quoted.gross, terms_accepted=True, browser="demo")
    return 1


def _for_whom(buyer: Account) -> Account:
    """A reseller buys for an end customer of his, where he has one in his country."""
    if buyer.kind != AccountKind.RESELLER:
        return buyer
    customers = Account.objects.filter(bill_to=buyer, kind=AccountKind.END_CUSTOMER)
    return customers.filter(country__in=(buyer.country, "")).order_by("pk").first() or buyer


def return_licences(organization: Organization) -> None:
    """Use one, give one back, and ask for another to be taken back."""
    rows = Asset.objects.filter(organization=organization, status=AssetStatus.ACTIVE, is_returnable=True)
    ready = list(rows.filter(token_status=TokenStatus.ACTIVATED, returns=None).order_by("pk")[:3])
    if len(ready) < 3 or Asset.objects.filter(organization=organization, redeemed_at__isnull=False).exists():
        return
    used, back, asked = ready
    call_twins("POST", "/_twin/cis/redeem", body={"license_id": used.external_id})
    refresh_asset(Asset.objects.select_related("product").get(pk=used.pk))
    member = Membership.objects.filter(organization=organization, account=asked.bill_to).order_by("pk").first()
    site = Site.objects.get(organization=organization, account=None)
    staff = Membership.objects.filter(organization=organization, account=None).order_by("pk").first()
    if member is None or staff is None:
        return
    return_asset(actor_for(staff.user, site, as_staff=True), asset=back, comment="Bought twice")
    submit_return(actor_for(member.user, site, as_staff=False), asset=asked, comment="We need the other edition.")
