"""Ordering by API: drafts, items, checkout; each refusal by its name, each caller his own (``api.md`` 10.3)."""

import datetime as dt
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import Charge
from core import clock
from core.audit import AuditEntry
from core.custom_fields import CustomField, CustomValues
from core.jobs import Job
from orders.models import Order, OrderLine, TermsAcceptance
from orders.selectors import orders_for
from orders.services import drafts
from orders.services.draft_place import terms_wanted
from orders.services.drafts import erase_drafts
from resellers.enums import AccountStatus, Edition
from resellers.models import Account, Site
from subscriptions.models import Operation, Subscription
from tests import factories
from tests.api.caller import Program, program
from tests.api.conftest import set_edition
from tests.api.contract import check
from tests.api.ordering import (
    CHECKOUT,
    ITEMS,
    ORDERS,
    add,
    added,
    addon_of,
    answer_all,
    ask_nothing,
    begin,
    checkout,
    dearer,
    filled,
    progress,
    refused,
    services,
)
from tests.bss.staff import staff_client
from tests.shop import Shop
from tests.storefront.services import browser
from vendors.models import LinkState
from vendors.services.links import ensure_link

pytestmark = pytest.mark.django_db


@pytest.fixture
def plain(shop: Shop) -> Shop:
    """A shop whose product asks nothing about the customer."""
    ask_nothing(shop)
    return shop


# --- The way of an order ----------------------------------------------------------------------------------------------
def test_draft_item_checkout_executed(plain: Shop, reseller: Program):
    answer = reseller.post(ORDERS, {"accountId": plain.end_customer.pk, "name": "PO 7"}, idempotency_key="a")
    draft = check(answer, ORDERS, method="post", reseller=True)
    again = reseller.post(ORDERS, {"accountId": plain.end_customer.pk, "name": "PO 7"}, idempotency_key="a")
    assert (again.json(), Order.objects.count()) == (draft, 1)
    assert (draft["status"], draft["stage"], draft["code"], draft["total"]) == (None, "Draft", None, 0)
    assert (draft["purchaseMode"], draft["billingTo"]["id"]) == ("EndCustomer", plain.reseller.pk)
    assert Order.objects.get().reference == "PO 7"
    made = add(reseller, draft["id"], productId=str(plain.product.public_id), quantity=10)
    item = check(made, ITEMS, method="post", reseller=True)
    assert (item["quantity"], item["unitPrice"]["value"], item["total"]) == (10, 12, 120)
    assert reseller.get(made["Location"].partition("test")[2]).json() == item
    shown = reseller.get(f"{ORDERS}/{draft['id']}").json()
    assert (shown["total"], shown["status"]) == (120, None)
    done = checkout(reseller, draft["id"])
    assert (done.status_code, done.content) == (202, b"")
    where = done["Location"].partition("test")[2]
    assert where == f"{ORDERS}/{draft['id']}/execute/status"
    assert progress(reseller, draft["id"])["status"] == "Executing"
    service = services(plain.end_customer)[0]
    assert (service.quantity, service.bill_to_id, service.purchase_mode) == (10, plain.reseller.pk, "end_customer")
    order = Order.objects.get()
    assert (order.number[:4], order.buyer_account_id) == ("ORD-", plain.reseller.pk)
    assert reseller.get(f"{ORDERS}/{draft['id']}").json()["code"] == order.number
    for call in ("checkout", "execute"):
        body = check(reseller.post(f"{ORDERS}/{draft['id']}/{call}"), CHECKOUT, method="post")
        assert (body["type"], body["code"]) == ("OrderIsNotDraftError", "order_is_not_draft")
    log = TermsAcceptance.objects.get(order=order)
    assert (log.basket_url, AuditEntry.objects.filter(action="order.placed").get().actor_label) == (
        "/api/",
        "API: Sync",
    )


@pytest.mark.parametrize(
    ("who", "mode"), [("reseller", "PersonalUse"), ("affiliate", "AffiliateAccount"), ("end_customer", "EndCustomer")]
)
def test_the_mode_follows_from_the_account(plain: Shop, reseller: Program, distributor: Program, who: str, mode: str):
    account = getattr(plain, who)
    for caller in (reseller, distributor):
        order = filled(caller, account, plain.product, 2)
        assert caller.get(f"{ORDERS}/{order}").json()["purchaseMode"] == mode
        assert checkout(caller, order).status_code == 202
    assert len(services(account)) == 2


def test_the_distributor_orders_for_a_direct_customer(plain: Shop, distributor: Program):
    order = filled(distributor, plain.customer, plain.product)
    assert distributor.get(f"{ORDERS}/{order}").json()["purchaseMode"] is None
    assert distributor.post(f"{ORDERS}/{order}/execute", {"whatever": 1}).status_code == 202
    assert services(plain.customer)[0].quantity == 10


def test_more_licences_of_a_service(shop: Shop, reseller: Program, resold: Subscription):
    order = begin(reseller, shop.end_customer)
    item = check(
        add(reseller, order, relatedSubscriptionId=str(resold.public_id), quantity=3),
        ITEMS,
        method="post",
        reseller=True,
    )
    assert (item["relatedSubscription"], item["quantity"]) == (str(resold.public_id), 3)
    assert 0 < item["total"] < 36  # What is left of the period.
    twice = add(reseller, order, relatedSubscriptionId=str(resold.public_id), quantity=1)
    assert twice.json()["code"] == "subscription_twice"
    assert checkout(reseller, order).status_code == 202
    assert Operation.objects.get(subscription=resold, purpose="licences").desired["quantity"] == 6
    held = add(reseller, begin(reseller, shop.end_customer), relatedSubscriptionId=str(resold.public_id), quantity=1)
    assert held.json()["code"] == "operation_open"


def test_addons_of_an_item_and_of_a_service(plain: Shop, reseller: Program, resold: Subscription):
    addon = addon_of(plain)
    order = begin(reseller, plain.end_customer)
    base = added(reseller, order, plain.product, 2)
    alone = add(reseller, order, productId=str(addon.public_id), quantity=1)
    assert alone.json()["code"] == "addon_foreign"
    child = added(reseller, order, addon, 2, relatedItemId=base)
    rows = reseller.get(f"{ORDERS}/{order}/items").json()
    assert [(row["id"], row["relatedItem"]) for row in rows] == [(base, None), (child, base)]
    more = added(reseller, order, addon, 1, relatedSubscriptionId=str(resold.public_id))
    assert reseller.get(f"{ORDERS}/{order}/items/{more}").json()["relatedSubscription"] == str(resold.public_id)
    assert checkout(reseller, order).status_code == 202
    assert Order.objects.get(public_id=order).gross == sum(
        OrderLine.objects.filter(order__public_id=order).values_list("gross", flat=True)
    )
    assert services(plain.end_customer)[-1].addons.get().quantity == 2
    assert resold.addons.get().quantity == 1


def test_more_of_an_addon(plain: Shop, reseller: Program, resold: Subscription):
    addon = addon_of(plain)
    first = begin(reseller, plain.end_customer)
    added(reseller, first, addon, 1, relatedSubscriptionId=str(resold.public_id))
    checkout(reseller, first)
    Operation.objects.filter(subscription=resold).update(state="done")
    Subscription.objects.filter(pk=resold.pk).update(sync_status="synchronized")
    row = resold.addons.get()
    row.status = "active"
    row.save()
    order = begin(reseller, plain.end_customer)
    wrong = add(reseller, order, relatedSubscriptionId=str(resold.public_id), relatedAddonItemId=str(uuid.uuid4()))
    assert wrong.json()["code"] == "addon_not_found"
    made = add(
        reseller,
        order,
        relatedSubscriptionId=str(resold.public_id),
        relatedAddonItemId=str(row.public_id),
        quantity=4,
    )
    assert check(made, ITEMS, method="post", reseller=True)["quantity"] == 4
    assert checkout(reseller, order).status_code == 202
    assert Operation.objects.latest("pk").desired["addons"] == {str(row.public_id): 5}


def test_items_are_taken_out_with_their_addons(plain: Shop, reseller: Program):
    addon = addon_of(plain)
    order = begin(reseller, plain.end_customer)
    base = added(reseller, order, plain.product, 2)
    added(reseller, order, addon, 2, relatedItemId=base)
    kept = added(reseller, order, plain.product, 1)
    path = f"{ORDERS}/{order}/items/{base}"
    gone = reseller.call("DELETE", path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert reseller.call("DELETE", path).status_code == 404
    assert [row["id"] for row in reseller.get(f"{ORDERS}/{order}/items").json()] == [kept]
    assert reseller.get(f"{ORDERS}/{order}").json()["total"] == 12


def test_several_drafts_at_once_and_by_stage(plain: Shop, reseller: Program, distributor: Program):
    mine = {begin(reseller, plain.end_customer) for _number in range(3)}
    for stage, found in (("Draft", mine), ("Confirmed", set()), ("All", mine)):
        rows = check(reseller.get(f"{ORDERS}?stage={stage}"), ORDERS, reseller=True)["data"]
        assert {row["id"] for row in rows} == found
    # What a reseller's programs have begun is theirs alone until it is placed.
    assert distributor.get(f"{ORDERS}?stage=All").json()["data"] == []
    assert distributor.get(f"{ORDERS}/{mine.pop()}").status_code == 404
    assert not orders_for(plain.staff).exists()


def test_a_page_costs_the_same_however_long_it_is(plain: Shop, reseller: Program):
    counts = []
    for _round in range(2):
        filled(reseller, plain.end_customer, plain.product)
        filled(reseller, plain.affiliate, plain.product)
        with CaptureQueriesContext(connection) as found:
            answer = reseller.get(f"{ORDERS}?stage=Draft&include=items,customFields")
        counts.append((len(answer.json()["data"]), len(found)))
    assert ([number for number, _count in counts], counts[0][1]) == ([2, 4], counts[1][1])


def test_a_draft_moves_nothing(plain: Shop, reseller: Program, resold: Subscription):
    charges = Charge.objects.count()
    order = filled(reseller, plain.end_customer, plain.product)
    added(reseller, order, plain.product, 1)
    add(reseller, order, relatedSubscriptionId=str(resold.public_id), quantity=1)
    assert Charge.objects.count() == charges
    assert (Operation.objects.filter(subscription=resold, purpose="licences").count(), Job.objects.count()) == (0, 0)
    assert len(services(plain.end_customer)) == 1


# --- Custom fields ----------------------------------------------------------------------------------------------------
def test_custom_fields_of_a_draft(plain: Shop, reseller: Program):
    field = CustomField.objects.create(
        organization=plain.organization,
        entity="order",
        code="po",
        name="PO",
        field_type="text",
        provisioning_code=7,
        shop_visible=True,
        shop_editable=True,
    )
    order = begin(reseller, plain.end_customer, customFields=[{"id": field.pk, "value": "PO-9"}])
    path = f"{ORDERS}/{order}/customfields"
    assert reseller.get(path).json()[0]["groupFields"][0]["values"] == [{"id": None, "value": "PO-9"}]
    put = reseller.call("PUT", path, [{"apiField": "7", "value": "PO-10"}])
    check(put, "/api/orders/{orderId}/customfields", method="put")
    added(reseller, order, plain.product)
    checkout(reseller, order)
    late = reseller.call("PUT", path, [{"apiField": "7", "value": "PO-11"}])
    assert (late.status_code, late.json()["type"]) == (400, "OrderIsNotDraftError")
    assert reseller.get(path).json()[0]["groupFields"][0]["values"][0]["value"] == "PO-10"
    rows = check(reseller.get(f"{ORDERS}?include=customFields"), ORDERS, reseller=True)["data"]
    assert [row["customFields"] for row in rows] == [reseller.get(path).json()]


# --- Refusals ---------------------------------------------------------------------------------------------------------
def test_empty_and_expired(plain: Shop, reseller: Program):
    order = begin(reseller, plain.end_customer)
    assert refused(reseller, order) == "order_empty"
    item = added(reseller, order, plain.product)
    clock.advance(dt.timedelta(days=7, minutes=1))
    reseller.sign_in()
    assert refused(reseller, order) == "order_expired"
    assert add(reseller, order, productId=str(plain.product.public_id)).json()["code"] == "order_expired"
    assert reseller.get(f"{ORDERS}/{order}/items/{item}").status_code == 200
    assert erase_drafts() == 0
    clock.advance(dt.timedelta(days=24))
    assert (erase_drafts(), Order.objects.count(), CustomValues.objects.count()) == (1, 0, 0)


def test_quantity_out_of_range(plain: Shop, reseller: Program):
    order = begin(reseller, plain.end_customer)
    for quantity in (0, -1, 301):
        answer = add(reseller, order, productId=str(plain.product.public_id), quantity=quantity)
        assert (answer.status_code, answer.json()["code"]) == (400, "quantity_out_of_range")
    added(reseller, order, plain.product, 300)
    plain.product.max_quantity = 5
    plain.product.save()
    assert refused(reseller, order) == "quantity_out_of_range"


def test_product_withdrawn(plain: Shop, reseller: Program, distributor: Program):
    order = filled(reseller, plain.end_customer, plain.product)
    plain.product.plans.update(is_offered=False)
    assert refused(reseller, order) == "product_withdrawn"
    other = begin(reseller, plain.end_customer)
    # What his price list does not sell does not exist for a reseller; the distributor's programs see it.
    assert add(reseller, other, productId=str(plain.product.public_id)).json()["code"] == "product_not_found"
    direct = begin(distributor, plain.customer)
    assert add(distributor, direct, productId=str(plain.product.public_id)).json()["code"] == "product_withdrawn"


def test_price_changed_then_accepted(plain: Shop, reseller: Program):
    order = filled(reseller, plain.end_customer, plain.product)
    dearer(plain, "20.00")
    answer = checkout(reseller, order, idempotency_key="first")
    body = check(answer, CHECKOUT, method="post")
    assert (answer.status_code, body["code"]) == (400, "price_changed")
    assert reseller.get(f"{ORDERS}/{order}").json()["total"] == 240
    assert (Charge.objects.count(), services(plain.end_customer)) == (0, [])
    assert checkout(reseller, order, idempotency_key="first")["Idempotency-Replayed"] == "true"
    assert checkout(reseller, order, idempotency_key="second").status_code == 202
    assert Charge.objects.get().gross == 240


def test_over_credit_waits_with_a_flag(plain: Shop, reseller: Program):
    Account.objects.filter(pk=plain.reseller.pk).update(credit_limit=5)
    order = filled(reseller, plain.end_customer, plain.product)
    assert checkout(reseller, order).status_code == 202
    row = reseller.get(f"{ORDERS}/{order}").json()
    assert (row["status"]["type"], row["creditLimitExceeded"]) == ("Submitted", True)
    found = progress(reseller, order)
    assert (found["status"], found["error"]["code"], services(plain.end_customer)) == ("Submitted", "no_credit", [])
    flagged = reseller.get(f"{ORDERS}?$filter=creditLimitExceeded eq true").json()["data"]
    assert [item["id"] for item in flagged] == [order]


@pytest.mark.parametrize("who", ["end_customer", "reseller"])
def test_account_on_hold(plain: Shop, reseller: Program, who: str):
    order = filled(reseller, plain.end_customer, plain.product)
    Account.objects.filter(pk=getattr(plain, who).pk).update(status=AccountStatus.SUSPENDED)
    assert refused(reseller, order) == "account_on_hold"


def test_bounds_and_the_address(plain: Shop, reseller: Program, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(drafts, "MAX_LINES", 1)
    monkeypatch.setattr(drafts, "MOST_DRAFTS", 1)
    order = filled(reseller, plain.end_customer, plain.product)
    assert add(reseller, order, productId=str(plain.product.public_id)).json()["code"] == "order_full"
    assert reseller.post(ORDERS, {"accountId": plain.end_customer.pk}).json()["code"] == "too_many_drafts"
    Account.objects.filter(pk=plain.reseller.pk).update(city="")
    assert refused(reseller, order) == "address_incomplete"
    Account.objects.filter(pk=plain.reseller.pk).update(city="Bonn")
    assert checkout(reseller, order).status_code == 202
    assert Order.objects.get(public_id=order).billing_address["city"] == "Bonn"


def test_bill_to_mismatch(plain: Shop, reseller: Program):
    for payer, status in ((plain.reseller.pk, 201), (plain.end_customer.pk, 400)):
        answer = reseller.post(ORDERS, {"accountId": plain.end_customer.pk, "billingToId": payer})
        assert answer.status_code == status
    assert check(answer, ORDERS, method="post")["code"] == "bill_to_mismatch"
    order = filled(reseller, plain.end_customer, plain.product)
    Account.objects.filter(pk=plain.end_customer.pk).update(kind="affiliate")
    assert refused(reseller, order) == "bill_to_mismatch"


def test_terms_are_accepted_once_by_an_admin(plain: Shop, reseller: Program):
    Site.objects.filter(pk=plain.site.pk).update(terms="Pay in time.")
    order = filled(reseller, plain.end_customer, plain.product)
    assert refused(reseller, order) == "terms_not_accepted"
    admin = browser(plain, plain.reseller)
    assert reverse("storefront:api_terms") in admin.get(reverse("storefront:api_client_list")).content.decode()
    page = admin.get(reverse("storefront:api_terms")).content.decode()
    assert f"You accept the terms of use for: {plain.product.name}." in page
    assert admin.post(reverse("storefront:api_terms"), {"version": "7"}).status_code == 400
    assert admin.post(reverse("storefront:api_terms"), {"version": "1"}).status_code == 302
    assert terms_wanted(factories.actor(plain.organization, of=plain.reseller)) == []
    log = staff_client(plain.organization).get(reverse("bss:terms_log")).content.decode()
    assert reverse("bss:account_detail", args=[plain.reseller.public_id]) in log
    assert checkout(reseller, order).status_code == 202
    again = filled(reseller, plain.affiliate, plain.product)
    assert checkout(reseller, again).status_code == 202
    Site.objects.filter(pk=plain.site.pk).update(terms_version=2)
    assert refused(reseller, filled(reseller, plain.end_customer, plain.product)) == "terms_not_accepted"


def test_what_the_vendor_asks(shop: Shop, reseller: Program):
    order = begin(reseller, shop.end_customer)
    item = added(reseller, order, shop.product)
    body = check(checkout(reseller, order), CHECKOUT, method="post")
    assert (body["type"], body["code"]) == ("BusinessRuleError", "characteristic_required")
    assert len(body["errors"]) > 1
    path = f"{ORDERS}/{order}/items/{item}/characteristics"
    for wrong, code in (
        ([{"id": str(uuid.uuid4()), "value": "x"}], "validation_failed"),
        ({"id": "x"}, "invalid_body"),
        ([{"id": str(uuid.uuid4()), "value": "x", "more": 1}], "validation_failed"),
    ):
        found = reseller.call("PUT", path, wrong).json()
        assert found["code"] == code
    assert [item["code"] for item in found["errors"]] == ["unknown_member", "unknown_characteristic"]
    answer_all(reseller, order, item)
    for where in (f"{ORDERS}/{order}/items", f"{ORDERS}/{order}/items/{item}"):
        found = reseller.get(f"{where}?include=characteristics").json()
        assert (found[0] if isinstance(found, list) else found)["characteristics"] == reseller.get(path).json()
    assert checkout(reseller, order).status_code == 202
    assert (progress(reseller, order)["status"], Job.objects.get().kind) == ("Submitted", "provisioning.check_order")
    late = reseller.call("PUT", path, [])
    assert late.json()["type"] == "OrderIsNotDraftError"


def test_mpn_missing(shop: Shop, reseller: Program):
    instance = factories.instance(shop.organization, settings={"partner_type": "indirect"})
    product = factories.product(instance)
    order = begin(reseller, shop.end_customer)
    item = added(reseller, order, product)
    answer_all(reseller, order, item)
    assert refused(reseller, order) == "mpn_missing"
    answer_all(reseller, order, item, mpn_id="1234567")
    assert checkout(reseller, order).status_code == 202


def test_tax_id_required(shop: Shop, reseller: Program):
    Account.objects.filter(pk=shop.end_customer.pk).update(country="PL", tax_id="")
    order = begin(reseller, shop.end_customer)
    item = added(reseller, order, shop.product)
    answer_all(reseller, order, item)
    assert refused(reseller, order) == "tax_id_required"


@pytest.mark.parametrize("state", [LinkState.AWAITING_RELATIONSHIP, LinkState.RELATIONSHIP_LOST])
def test_relation_unverified(shop: Shop, reseller: Program, state: str):
    link = ensure_link(shop.end_customer, shop.instance)
    type(link).objects.filter(pk=link.pk).update(state=state)
    assert refused(reseller, filled(reseller, shop.end_customer, shop.product)) == "relation_unverified"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "required"),
        ({"productId": "x"}, "invalid_guid"),
        ({"productId": str(uuid.uuid4())}, "product_not_found"),
        ({"relatedSubscriptionId": str(uuid.uuid4())}, "subscription_not_found"),
        ({"unitId": str(uuid.uuid4()), "productId": "own"}, "unit_not_found"),
        ({"relatedItemId": str(uuid.uuid4()), "productId": "own"}, "item_not_found"),
        ({"productId": "own", "quantity": 1.5}, "invalid_number"),
        ({"productId": "own", "customEndDate": "2027-01-01T00:00:00Z"}, "invalid_option"),
        ({"productId": "own", "unitPrice": 1}, "member_not_allowed"),
        ({"productId": "own", "nonsense": 1}, "unknown_member"),
    ],
)
def test_items_are_refused_by_name(plain: Shop, reseller: Program, body: dict, code: str):
    order = begin(reseller, plain.end_customer)
    if body.get("productId") == "own":
        body = body | {"productId": str(plain.product.public_id)}
    answer = add(reseller, order, **body)
    assert (answer.status_code, check(answer, ITEMS, method="post")["code"]) == (400, code)
    assert not OrderLine.objects.exists()


# --- Each his own -----------------------------------------------------------------------------------------------------
def test_nobody_orders_for_foreign_accounts(plain: Shop, reseller: Program, service: Subscription):
    other = factories.account(plain.organization, "reseller")
    factories.price_list(plain.organization, to=other)
    theirs = factories.account(plain.organization, "end_customer", bill_to=other)
    unknown = reseller.post(ORDERS, {"accountId": 2_000_000_000}).json()
    for account in (plain.customer, other, theirs):
        answer = reseller.post(ORDERS, {"accountId": account.pk})
        body = check(answer, ORDERS, method="post")
        assert (answer.status_code, body["code"], body["detail"]) == (400, "account_not_found", unknown["detail"])
    order = begin(reseller, plain.end_customer)
    found = add(reseller, order, relatedSubscriptionId=str(service.public_id), quantity=1)
    assert found.json()["code"] == "subscription_not_found"
    foreign = factories.product(factories.instance(factories.organization()))
    assert add(reseller, order, productId=str(foreign.public_id)).json()["code"] == "product_not_found"
    set_edition(other, Edition.STANDARD)
    stranger = program(plain, of=other)
    item = added(reseller, order, plain.product)
    for method, path in (
        ("GET", ""),
        ("GET", "/items"),
        ("POST", "/items"),
        ("DELETE", f"/items/{item}"),
        ("GET", f"/items/{item}/characteristics"),
        ("PUT", f"/items/{item}/characteristics"),
        ("PUT", "/customfields"),
        ("POST", "/checkout"),
        ("POST", "/execute"),
        ("GET", "/execute/status"),
    ):
        answer = stranger.call(method, f"{ORDERS}/{order}{path}", None if method in ("GET", "DELETE") else {})
        assert (answer.status_code, answer.json()["type"]) == (404, "OrderNotFoundError"), path
    assert OrderLine.objects.count() == 2  # The service's own order, and the item.


def test_a_service_of_another_account_is_not_raised_here(plain: Shop, distributor: Program, service: Subscription):
    order = begin(distributor, plain.end_customer)
    answer = add(distributor, order, relatedSubscriptionId=str(service.public_id), quantity=1)
    assert answer.json()["code"] == "subscription_foreign"


def test_writes_need_the_standard_edition_and_the_scope(plain: Shop, reseller: Program):
    order = filled(reseller, plain.end_customer, plain.product)
    reader = program(plain, of=plain.reseller, scopes=("orders:read",))
    for path in ("", f"/{order}/items", f"/{order}/checkout", f"/{order}/execute"):
        assert reader.post(f"{ORDERS}{path}", {}).json()["code"] == "scope_missing"
    set_edition(plain.reseller, Edition.FREE)
    assert reseller.post(f"{ORDERS}/{order}/checkout").json()["code"] == "edition_required"
    assert reseller.get(f"{ORDERS}/{order}").status_code == 200
    assert services(plain.end_customer) == []
