"""Every call the product makes exists in the twin, under the same name, and its answers parse into our schemas."""

import uuid
from typing import Any

import pytest

from office365.calls import CALLS, find_call, parse
from office365.schemas.common import ApiError
from sandbox.__main__ import open_world
from sandbox.partner_center import PartnerCenter
from tests.sandbox.partner import STANDARD, Partner
from tests.twins import Twins

OURS = {name: call for name, call in CALLS.items() if call.base != "login"}


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> PartnerCenter:
    world = open_world(tmp_path_factory.mktemp("twin"))
    found = world.vendor("partner_center")
    world.state.close()
    assert isinstance(found, PartnerCenter)
    return found


@pytest.mark.parametrize("name", sorted(OURS))
def test_call_exists(vendor: PartnerCenter, name: str) -> None:
    call = OURS[name]
    base = "/sales/v1.0" if call.base == "sales" else "/v1"
    path = call.path.replace("{view}", "Market='US',PricesheetView='software'")
    for parameter in call.parameters:
        path = path.replace(f"{{{parameter}}}", str(uuid.uuid4()))
    found = vendor.routes.match(call.method, f"{base}/{path}")
    assert found is not None
    assert (found[0].operation, found[0].write or call.method == "GET") == (
        name,
        call.method == "GET" or not call.repeat_safe,
    )
    assert (found[0].token == "user") == (call.token == "U")


def test_every_route_is_a_known_call_or_the_twins_own(vendor: PartnerCenter) -> None:
    own = {"open_agreement", "open_invitation", "answer_invitation", "get_audit_record", "get_exchange_rates"}
    assert {route.operation for route in vendor.routes} == set(OURS) | own


def read(partner: Partner, method: str, path: str, body: Any = None, *, user: bool = False) -> Any:
    answer = partner.send(method, path, body, token=partner.user if user else "")
    parsed = parse(method, f"/v1{path}", answer.status_code, answer.content)
    assert not isinstance(parsed, ApiError), answer.text
    return parsed


def test_answers_parse(twin: Twins) -> None:
    partner = Partner(twin).mid_hour()
    customer = partner.customer()
    base = f"/customers/{customer}"
    row = partner.buy(customer)
    one = f"{base}/subscriptions/{row['id']}"
    product, sku = STANDARD.split(":")
    paths = [
        "/countryvalidationrules/GR", "/customers", base, f"{base}/profiles/company", f"{base}/validationStatus",
        f"{base}/qualifications", "/agreements?agreementType=MicrosoftCustomerAgreement",
        "/agreementtemplates/117a77b0-9360-443b-8795-c6dedc750cf9/document?language=el-GR&country=GR",
        f"{base}/agreements", f"{base}/directSignedMicrosoftCustomerAgreementStatus",
        "/customers/relationshiprequests", "/relationships?relationship_type=IsIndirectCloudSolutionProviderOf",
        f"{base}/relationships", "/profiles/mpn?mpnId=4100001", "/compliance/csp/agreementstatus?mpnId=4100001",
        "/products?country=US&targetView=OnlineServices&targetSegment=commercial", f"/products/{product}?country=US",
        f"/products/{product}/skus?country=US", f"/products/{product}/skus/{sku}?country=US",
        f"/products/{product}/skus/{sku}/availabilities?country=US", f"{base}/products?targetView=Software",
        f"{base}/products/{product}", f"{base}/products/{product}/skus", f"{base}/products/{product}/skus/{sku}",
        f"{base}/products/{product}/skus/{sku}/availabilities", "/productpromotions?country=US&segment=commercial",
        "/offers?country=US", "/offers/MS-AZR-0145P?country=US", "/offercategories?country=US", f"{base}/orders",
        f"{base}/orders/{row['orderId']}", f"{base}/orders/{row['orderId']}/provisioningstatus",
        f"{base}/orders/{row['orderId']}/activationlinks",
        f"{base}/orders/{row['orderId']}/lineitems/0/activationlinks",
        f"{base}/entitlements", "/auditrecords", f"{base}/subscriptions", one, f"{one}/addons",
        f"{one}/transitionEligibilities?eligibilityType=immediate", f"{one}/transitions", f"{one}/upgrades",
        f"{one}/conversions", f"{one}/provisioningstatus", f"{one}/supportcontact", f"{one}/registrationstatus",
        f"{one}/activationlinks", f"{one}/azureEntitlements",
    ]  # fmt: skip
    for path in paths:
        read(partner, "GET", path)
    read(partner, "GET", f"{base}/profiles/billing", user=True)
    seen = {find_call("GET", f"/v1{path}").name for path in paths} | {"get_billing_profile"}
    missing = {name for name, call in OURS.items() if call.method == "GET"} - seen
    assert missing == {
        "get_availability", "get_availability_for_customer", "get_promotion", "list_offer_addons", "get_price_sheet",
        "get_cart", "get_azure_entitlement",
    }  # fmt: skip


def test_inventory_promotions_and_offers(twin: Twins) -> None:
    partner = Partner(twin).mid_hour()
    customer = partner.customer()
    target = {"TargetItems": [{"ProductId": "CFQ7TTC0LDPB"}], "InventoryContext": {"customerId": customer}}
    rows = read(partner, "POST", "/extensions/product/checkinventory?country=US", target).items
    assert [(row.product_id, row.is_restricted) for row in rows] == [("CFQ7TTC0LDPB", False)] * 2

    promotion = partner.get("/productpromotions?country=US&segment=commercial")["items"][0]
    assert partner.get(f"/productpromotions/{promotion['id']}?country=US")["id"] == promotion["id"]
    code = ":".join((promotion["requiredProducts"][0]["productId"], "0001"))
    item = {
        "catalogItemId": partner.item(customer, code), "quantity": 5, "termDuration": "P1Y", "billingCycle": "Monthly",
        "promotionId": promotion["id"],
    }  # fmt: skip
    few = item | {"quantity": 4}
    answer = read(partner, "POST", f"/customers/{customer}/promotionEligibilities", {"items": [item, few]})
    assert [row.eligibilities[0].is_eligible for row in answer.items] == [True, False]

    first = partner.get("/offers?country=US&size=200&offset=0")
    rest = partner.get(first["links"]["next"]["uri"])
    assert (len(first["items"]), len(rest["items"]), "next" in rest["links"]) == (200, 74, False)
    known = {row["id"] for row in first["items"]}
    base = next(key for row in first["items"] if row["isAddOn"] for key in row["prerequisiteOffers"] if key in known)
    assert partner.get(f"/offers/{base}/addons?country=US")["items"]


def test_unknown_call_has_code_1000(twin: Twins) -> None:
    partner = Partner(twin).mid_hour()
    assert partner.refused(partner.send("GET", "/customers/1/devices")) == (404, 1000)
