"""Builds the demo once, deterministically, through the services and the vendor twins; later starts only refresh it."""

import datetime as dt
import os
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.db import transaction

from billing.models import TaxRate
from catalog.models import Category, Plan, PriceList, Product
from catalog.selectors import price_list_of, sold_products
from catalog.services.price_lists import assign_price_list, save_price_list
from catalog.services.products import publish_products
from cloudbss.demo.api_clients import api_info, build_api_clients
from cloudbss.demo.data import BIRCH, CEDAR, CUSTOMER_USERS, MAIN, STAFF, SUPERUSER, Company, Person, others
from cloudbss.demo.esd import build_esd
from cloudbss.demo.licences import order_licences, return_licences
from cloudbss.demo.plans import build_plans
from cloudbss.demo.shops import build_shop
from cloudbss.demo.twins import call_twins
from cloudbss.demo.usages import build_usages, load_usages
from cloudbss.demo_settings import microsoft_settings
from core import jobs, outbox
from core.tenancy import Actor, system_actor
from notifications.services.compose import site_of
from orders.models import Basket, Order
from orders.selectors import priced_basket
from orders.services.basket import add_line, open_basket, set_billing_address, set_service_details, set_target
from orders.services.place import place_order
from orders.targets import mode_of
from provisioning.services.setup import register_applications, start_definition
from resellers.enums import AccountKind
from resellers.models import Account, Contact, Membership, Organization, Site, realm_of
from resellers.routing import site_address
from resellers.selectors import actor_for
from resellers.services.accounts import billing_address, create_account, set_credit
from sso.services.people import confirm_address
from subscriptions.asset_enums import AssetStatus
from subscriptions.models import Asset
from subscriptions.services.keys import add_keys
from users.models import User
from users.permissions import BSS_PERMS, SHOP_PERMS
from vendors.models import Application, ConsentState, Instance, InstanceState
from vendors.services.instances import fire_instance, note_consent, save_instance, write_secret
from vendors.services.links import set_mpn_id

SLUG = "aster"
ORDERS = 120
SETTLE_SECONDS = 240
PRICE_LISTS = {
    "retail": {"name": "Retail 2026", "currency": "EUR", "default_rule": "discount", "default_value": Decimal(0)},
    "partner": {"name": "Partner 2026", "currency": "EUR", "default_rule": "markup", "default_value": Decimal(12)},
    "retail_usd": {"name": "Retail USD", "currency": "USD", "default_rule": "discount", "default_value": Decimal(0)},
}
PERPETUAL = "Office LTSC Standard 2024"
FEATURED = ("Microsoft 365 Business Standard", "Microsoft 365 Business Basic", "Microsoft 365 E3", "Microsoft 365 E5")


def password() -> str:
    """The password of all demo users: the one made at set-up."""
    return os.environ.get("DEMO_PASSWORD") or "demo-only-password"


def build(say: Callable[[str], None]) -> None:
    """Make the demo if it is not there, and give its instance today's addresses and a fresh consent in any case."""
    organization = Organization.objects.filter(slug=SLUG).first()
    if organization is None:
        organization = _organization()
        say("organization, staff and price lists")
    _people(organization)
    instance = _instance(organization)
    if not Product.objects.filter(organization=organization, is_published=True).exists():
        say("catalogue from the Partner Center twin")
        _catalogue(organization, instance, say)
    accounts = _accounts(organization, instance)
    build_plans(_operator(organization), _employee(organization), accounts[CEDAR], say)
    _customer_users(organization, accounts)
    build_esd(_operator(organization), say)
    build_shop(_operator(organization), accounts[CEDAR], accounts["elm"], say)
    build_api_clients(_operator(organization), Account.objects.get(pk=accounts[CEDAR].pk), say)
    missing = ORDERS - Order.objects.filter(organization=organization).count()
    if missing > 0:
        say(f"{missing} orders through the twin")
        _orders(organization, instance, accounts, say)
        _settle(say)
        order_licences(organization, accounts, say)
        _settle(say)
        return_licences(organization)
        _perpetual_licence(organization, instance, accounts["dune"])
        _settle(say)
        _enter_keys(organization)
    if build_usages(_operator(organization), organization, accounts):
        _settle(say)
    load_usages(organization, say)


@transaction.atomic
def _organization() -> Organization:
    row = Organization.objects.create(
        name="Aster Distribution",
        slug=SLUG,
        country="DE",
        currency="EUR",
        time_zone="Europe/Berlin",
        email="desk@aster.example",
    )
    Site.objects.create(
        organization=row,
        name="Aster Distribution",
        tagline="Every cloud subscription, one calm place.",
        introduction="Microsoft 365, Dynamics and more: ordered in a minute, active a minute later, always in control.",
        anonymous_access=True,
        anonymous_prices=True,
        support_email="support@aster.example",
        support_phone="+49 30 555 0100",
        mail_sender="shop@aster.example",
        terms="This is a demonstration. Nothing is sold and nothing is charged.\n\n"
        "Orders go to the vendor twins of this installation only.",
        privacy="The demonstration stores what you type until its data folder is removed.",
    )
    for country, percent in (("DE", 19), ("AT", 20), ("GR", 24), ("FR", 20)):
        TaxRate.objects.create(organization=row, country=country, percent=Decimal(percent))
    operator = _operator(row)
    for key, values in PRICE_LISTS.items():
        default = {"is_default": key != "partner"}
        save_price_list(operator, price_list=None, values=values | default)
    return row


def _operator(organization: Organization) -> Actor:
    """The actor of the set-up: an employee with every right."""
    base = system_actor(organization.pk, label="Demo set-up")
    return base.__class__(
        kind=base.kind, organization_id=organization.pk, label=base.label, perms=frozenset(BSS_PERMS | SHOP_PERMS)
    )


def _realm(organization: Organization, account: Account | None) -> UUID:
    """Where somebody signs in: an end customer's people at his reseller's site."""
    return realm_of(site_of(organization, account), organization)


def _user(organization: Organization, person: Person, account: Account | None = None, **values: Any) -> User:
    realm = _realm(organization, account)
    found = User.objects.filter(realm=realm, email=person.email).first()
    user = found or User.objects.create_user(
        realm,
        person.email,
        None,
        first_name=person.first_name,
        last_name=person.last_name,
        **values,
    )
    if not user.check_password(password()):
        user.set_password(password())
        user.save(update_fields=["password"])
    confirm_address(user)
    return user


@transaction.atomic
def _people(organization: Organization) -> None:
    for person in STAFF:
        user = _user(organization, person)
        roles = [str(role) for role in person.roles]
        Membership.objects.get_or_create(organization=organization, user=user, account=None, defaults={"roles": roles})
    _user(organization, SUPERUSER, is_staff=True, is_superuser=True)


def _instance(organization: Organization) -> Instance:
    """The Microsoft instance with today's addresses of the twins and a fresh refresh token."""
    register_applications()
    operator = _operator(organization)
    application = Application.objects.get(code="microsoft_cloud")
    found = Instance.objects.filter(organization=organization, application=application).first()
    credentials = call_twins("GET", "/_twin/credentials")
    values = microsoft_settings(credentials, settings.SANDBOX_URL, settings.SANDBOX_TLS_URL)
    values |= {"markets": ["DE", "US"], "currencies": ["EUR", "USD"]}
    values["families"] = [*values["families"], "perpetual_software", "azure_plan"]
    row = save_instance(
        operator,
        application=application,
        instance=found,
        system_name="Partner Center (twin)",
        values=values,
        complete=True,
    )
    write_secret(row, "refresh_token", str(credentials["refresh_token"]))
    note_consent(operator, instance=row, state=ConsentState.GIVEN, note="admin@partner.example")
    if row.state == InstanceState.READY:
        row = fire_instance(operator, instance=row, event="activate")
    return row


def _catalogue(organization: Organization, instance: Instance, say: Callable[[str], None]) -> None:
    operator = _operator(organization)
    job = start_definition(operator, instance=instance)
    jobs.run_job(job.pk)
    job.refresh_from_db()
    if job.state != jobs.JobState.DONE:
        raise RuntimeError(f"the definition run ended as {job.state}: {job.error}")
    kinds = ("recurring_prepaid", "one_time")
    rows = Product.objects.filter(organization=organization, charge_type__in=kinds, segment="commercial")
    ids = list(rows.values_list("public_id", flat=True))
    done, _refused = publish_products(operator, product_ids=ids)
    Product.objects.filter(organization=organization, name__in=FEATURED).update(is_featured=True)
    say(f"{done} products published")
    for position, category in enumerate(Category.objects.filter(organization=organization).order_by("name")):
        Category.objects.filter(pk=category.pk).update(position=position)


def _accounts(organization: Organization, instance: Instance) -> dict[str, Account]:
    lists = {
        key: PriceList.objects.get(organization=organization, name=row["name"]) for key, row in PRICE_LISTS.items()
    }
    found: dict[str, Account] = {}
    for company in [*MAIN, *others()]:
        row = Account.objects.filter(organization=organization, accounting_number=f"D-{company.key}").first()
        found[company.key] = row or _account(organization, company, found, lists, instance)
    return found


def _customer_users(organization: Organization, accounts: dict[str, Account]) -> None:
    for person in CUSTOMER_USERS:
        account = accounts[person.account]
        user = _user(organization, person, account)
        roles = [str(role) for role in person.roles]
        Membership.objects.get_or_create(
            organization=organization, user=user, account=account, defaults={"roles": roles}
        )


def _employee(organization: Organization) -> Actor:
    """The distributor's Administrator, who orders for others."""
    user = User.objects.get(realm=organization.public_id, email=STAFF[0].email)
    return actor_for(user, site_of(organization, None), as_staff=True)


@transaction.atomic
def _account(
    organization: Organization,
    company: Company,
    found: dict[str, Account],
    lists: dict[str, PriceList],
    instance: Instance,
) -> Account:
    operator = _operator(organization)
    values = {
        "name": company.name,
        "accounting_number": f"D-{company.key}",
        "email": f"office@{company.key}.example",
        "phone": company.phone,
        "address_line1": company.street,
        "postal_code": company.postal_code,
        "city": company.city,
        "state": "NY" if company.country == "US" else "",
        "country": company.country,
        "currency": company.currency,
    }
    bill_to = found.get(company.bill_to)
    row = create_account(operator, kind=company.kind, values=values, bill_to=bill_to, organization=organization)
    first, last = company.contact
    Contact.objects.create(
        organization=organization,
        account=row,
        first_name=first,
        last_name=last,
        email=f"{first.lower()}@{company.key}.example",
        phone=company.phone,
        is_primary=True,
    )
    if bill_to is None and company.kind != AccountKind.PROSPECT:
        set_credit(operator, account=row, values={"credit_limit": Decimal(company.credit)})
    if company.price_list:
        assign_price_list(operator, account=row, price_list=lists[company.price_list])
    if company.mpn_id:
        numbers = call_twins("GET", "/_twin/credentials")["mpn_ids"]
        set_mpn_id(operator, account=row, instance=instance, mpn_id=str(numbers[0 if company.key == BIRCH else 1]))
    return row


def _orders(
    organization: Organization, instance: Instance, accounts: dict[str, Account], say: Callable[[str], None]
) -> None:
    site = Site.objects.get(organization=organization, account=None)
    buyers = {
        row.account_id: row.user for row in Membership.objects.filter(organization=organization).exclude(account=None)
    }
    ordering = [row for row in accounts.values() if row.kind != AccountKind.PROSPECT]
    for number in range(ORDERS):
        key = uuid5(NAMESPACE_URL, f"demo-order-{number}")
        if Order.objects.filter(organization=organization, idempotency_key=key).exists():
            continue
        account = ordering[number % len(ordering)]
        user = buyers.get(account.payer_id)
        actor = actor_for(user, site, as_staff=False) if user else None
        if actor is None or actor.account_id is None:
            actor = _stand_in(organization, account, site)
        if number == ORDERS - 2:
            call_twins(
                "POST",
                "/_twin/faults",
                body={"vendor": "partner_center", "operation": "checkout_cart", "kind": "error"}
                | {"status": 400, "code": "800023", "description": "The credit limit is exceeded.", "times": 1},
            )
        _one_order(actor, site, instance, account, number, key)
        if number == ORDERS - 2:
            _run_until_quiet(5)  # The fault strikes this order and no other.
        if number % 20 == 19:
            say(f"  {number + 1} of {ORDERS}")
            _run_until_quiet(5)


def _stand_in(organization: Organization, account: Account, site: Site) -> Actor:
    """The buyer of an account without users of its own: the set-up, acting as its payer."""
    payer = account.bill_to or account
    user, _made = User.objects.get_or_create(
        realm=organization.public_id,
        email=f"buyer@{payer.accounting_number.removeprefix('D-')}.example",
        defaults={
            "username": f"buyer@{payer.accounting_number.removeprefix('D-')}.example|{organization.public_id}",
            "first_name": "Robin",
            "last_name": "Buyer",
        },
    )
    Membership.objects.get_or_create(organization=organization, user=user, account=payer, defaults={"roles": ["admin"]})
    return actor_for(user, site, as_staff=False)


def _one_order(actor: Actor, site: Site, instance: Instance, account: Account, number: int, key: Any) -> None:
    prices = price_list_of(account)
    if prices is None:
        return
    seats = {"charge_type": "recurring_prepaid", "is_trial": False, "qualification": ""}
    products = sold_products(actor, prices).filter(product_type__instance=instance, **seats)
    products = products.order_by("-is_featured", "name", "id")
    count = products.count()
    product = products[(number * 7) % min(count, 60)]
    plan = product.plans.filter(is_offered=True).order_by("-billing_cycle", "term")[number % 2 :].first()
    plan = plan or Plan.objects.filter(product=product, is_offered=True).first()
    if plan is None:
        return
    quantity = min(max(product.min_quantity, 1 + (number * 3) % 40), product.max_quantity or 40)
    _place(actor, site, instance, account, plan, quantity, key)


def _perpetual_licence(organization: Organization, instance: Instance, account: Account) -> None:
    """One company buys a perpetual licence; nothing happens if it did, or if none is sold."""
    site = Site.objects.get(organization=organization, account=None)
    key = uuid5(NAMESPACE_URL, "demo-perpetual")
    rows = Plan.objects.filter(product__product_type__instance=instance, product__product_type__is_perpetual=True)
    plan = rows.filter(product__is_published=True, product__name=PERPETUAL).first()
    member = Membership.objects.filter(organization=organization, account=account).order_by("pk").first()
    is_placed = Order.objects.filter(organization=organization, idempotency_key=key).exists()
    if plan is not None and member is not None and not is_placed:
        _place(actor_for(member.user, site, as_staff=False), site, instance, account, plan, 3, key)


def _enter_keys(organization: Organization) -> None:
    """Keys as staff read them in Microsoft's portal, for every perpetual licence that has none."""
    rows = Asset.objects.filter(organization=organization, is_perpetual=True, status=AssetStatus.ACTIVE, keys=None)
    for row in rows:
        keys = [f"DEMO{number}-{row.public_id.hex[:5].upper()}-TWINS" for number in range(row.quantity)]
        add_keys(_operator(organization), asset=row, keys=keys)


def _place(
    actor: Actor, site: Site, instance: Instance, account: Account, plan: Plan, quantity: int, key: UUID
) -> None:
    """Order at the price that is shown; nothing happens where there is no price."""
    basket = open_basket(actor, site=site)
    mode = mode_of(account)
    if account.pk == actor.account_id and account.kind != AccountKind.RESELLER:
        mode = ""
    basket = set_target(actor, basket=basket, mode=mode, account=account)
    add_line(actor, basket=basket, site=site, plan=plan, quantity=quantity)
    basket = set_billing_address(actor, basket=basket, address=billing_address(account.bill_to or account))
    set_service_details(actor, basket=basket, instance_id=str(instance.public_id), details=_details(account))
    Basket.objects.filter(pk=basket.pk).update(checkout_key=key)
    basket.refresh_from_db()
    quoted = priced_basket(basket).quote
    if quoted is not None:
        place_order(actor, basket=basket, key=key, seen_total=quoted.gross, terms_accepted=True, browser="demo")


def _details(account: Account) -> dict[str, Any]:
    name = "".join(letter for letter in account.name.lower() if letter.isalnum())[:20]
    return {
        "state": "ok",
        "account": str(account.public_id),
        "options": {"username": "admin", "domain_prefix": f"{name}demo"[:27]},
        "agreement": {
            "first_name": "Alex",
            "last_name": "Kern",
            "email": account.email,
            "phone": account.phone,
            "date_agreed": dt.date(2026, 1, 15).isoformat(),
        },
    }


def _run_until_quiet(seconds: float) -> None:
    end = time.monotonic() + seconds
    while outbox.run_due() and time.monotonic() < end:
        pass


def _settle(say: Callable[[str], None]) -> None:
    """Do the workers' job until nothing is due any more, or until it takes too long (the workers go on then)."""
    say("provisioning")
    end = time.monotonic() + SETTLE_SECONDS
    idle = 0
    while time.monotonic() < end and idle < 15:
        idle = 0 if outbox.run_due() else idle + 1
        time.sleep(1 if idle else 0)


def info() -> dict[str, Any]:
    """Where everything is and who can sign in; demo data only."""
    web = settings.PUBLIC_URL.rstrip("/")
    organization = Organization.objects.filter(slug=SLUG).first()
    users = []
    if organization is not None:
        for person in (*STAFF, *CUSTOMER_USERS, SUPERUSER):
            user = User.objects.filter(email=person.email).order_by("pk").first()
            if user is not None:
                own = Site.objects.filter(public_id=user.realm).first()
                site = f"{site_address(own)}/" if own else f"{web}/"
                users.append({"role": person.role, "username": person.email, "password": password(), "site": site})
    return {
        "urls": {
            "storefront": f"{web}/",
            "bss": f"{web}/bss/",
            "admin": f"{web}/admin/",
            "api": f"{web}/api/",
            "apidocs": f"{web}/apidocs/",
            "twins": settings.SANDBOX_URL,
        },
        "users": users,
        "api": api_info(organization),
    }


__all__ = ["BIRCH", "CEDAR", "build", "info"]
