"""Customers, agreements, invitations, qualifications and the catalogue's segments at the Partner Center twin."""

import csv
import io
import json
import uuid
import zipfile
from urllib.parse import quote

import pytest
import requests

from tests.sandbox.partner import STANDARD, Partner
from tests.twins import Twins


@pytest.fixture
def partner(twin: Twins) -> Partner:
    return Partner(twin).mid_hour()


def test_create_answers_the_password_once(partner: Partner) -> None:
    answer = partner.send("POST", "/customers", partner.customer_body())
    body = answer.json()
    assert (answer.status_code, body["relationshipToPartner"], body["userCredentials"]["userName"]) == (
        201,
        "none",
        "admin",
    )
    assert len(body["userCredentials"]["password"]) >= 12
    whole = partner.get(f"/customers/{body['id']}")
    assert (whole["relationshipToPartner"], "userCredentials" in whole) == ("reseller", False)
    assert whole["billingProfile"]["attributes"]["etag"].lstrip("-").isdigit()
    assert body["userCredentials"]["password"] not in json.dumps(partner.twin.state())


@pytest.mark.parametrize(
    ("change", "expected", "named"),
    [
        ({"region": "WA"}, (400, 27002), "Region"),
        ({"state": "XX"}, (400, 27002), "State"),
        ({"postalCode": "1"}, (400, 27002), "PostalCode"),
        ({"country": "UK"}, (400, 27002), "Country"),
        ({"city": ""}, (400, 27002), "city"),
    ],
)
def test_create_refused(partner: Partner, change: dict[str, str], expected: tuple[int, int], named: str) -> None:
    answer = partner.send("POST", "/customers", partner.customer_body(**change))
    assert partner.refused(answer) == expected
    assert named in answer.json()["data"][0]
    assert partner.twin.state()["customers"] == []


def test_taken_domain(partner: Partner) -> None:
    partner.customer("elmbakery")
    assert partner.send("HEAD", "/domains/elmbakery.onmicrosoft.com").status_code == 200
    assert partner.send("HEAD", "/domains/oakbakery.onmicrosoft.com").status_code == 404
    assert partner.send("HEAD", "/domains/existingbakery.onmicrosoft.com").status_code == 200
    answer = partner.send("POST", "/customers", partner.customer_body("elmbakery"))
    assert partner.refused(answer) == (400, 27002)


def test_customer_of_a_reseller(partner: Partner) -> None:
    reseller = partner.known.get("resellers") or partner.twin.credentials()["resellers"]
    tenant = reseller[0]["id"]
    body = partner.customer_body() | {"associatedPartnerId": tenant}
    created = partner.send("POST", "/customers", body).json()
    assert created["relationshipToPartner"] == "reseller"
    rows = partner.get(f"/customers/{created['id']}/relationships")["items"]
    assert [row["mpnId"] for row in rows] == ["4100001"]
    unknown = partner.customer_body("other") | {"associatedPartnerId": str(uuid.uuid4())}
    assert partner.refused(partner.send("POST", "/customers", unknown)) == (400, 2204)


def test_list_by_pages_and_filter(partner: Partner) -> None:
    keys = [partner.customer(f"bakery{number}", agreement=False) for number in range(5)]
    path, headers, seen = "/customers?size=2", {}, []
    while path:
        page = partner.send("GET", path, headers=headers).json()
        seen += [row["id"] for row in page["items"]]
        assert all("billingProfile" not in row for row in page["items"])
        link = page["links"].get("next") or {}
        path, headers = link.get("uri", ""), {item["key"]: item["value"] for item in link.get("headers", [])}
    assert seen == keys
    wanted = quote('{"Field":"Domain","Value":"bakery3","Operator":"starts_with"}')
    assert [row["id"] for row in partner.get(f"/customers?filter={wanted}")["items"]] == [keys[3]]
    bad = quote('{"Field":"Color","Value":"1","Operator":"equals"}')
    assert partner.refused(partner.send("GET", f"/customers?filter={bad}")) == (400, 2000)


def test_billing_profile_and_its_etag(partner: Partner) -> None:
    customer = partner.customer()
    path = f"/customers/{customer}/profiles/billing"
    assert partner.refused(partner.send("GET", path)) == (403, 900329)
    profile = partner.send("GET", path, token=partner.user).json()
    etag = {"If-Match": f'"{profile["attributes"]["etag"]}"'}
    changed = partner.send("PUT", path, profile | {"companyName": "Oak"}, token=partner.user, headers=etag)
    assert changed.json()["companyName"] == "Oak"
    again = partner.send("PUT", path, profile | {"companyName": "Ash"}, token=partner.user, headers=etag)
    assert partner.refused(again) == (400, 2055)
    assert partner.get(f"/customers/{customer}/profiles/company")["companyName"] == "Oak"


def test_leaving_and_deleting(partner: Partner) -> None:
    customer = partner.customer()
    row = partner.buy(customer)
    body = {"relationshipToPartner": "none", "attributes": {"objectType": "Customer"}}
    assert partner.refused(partner.send("PATCH", f"/customers/{customer}", body)) == (400, 2001)
    partner.patch(customer, row, status="suspended")
    left = partner.send("PATCH", f"/customers/{customer}", body).json()
    assert (left["RelationshipToPartner"], left["Id"]) == ("none", None)
    assert partner.refused(partner.send("GET", f"/customers/{customer}")) == (403, 20002)
    assert partner.get("/customers")["items"] == []
    other = partner.customer("other")
    partner.buy(other)
    assert partner.send("DELETE", f"/customers/{other}").status_code == 204
    assert partner.refused(partner.send("GET", f"/customers/{other}/subscriptions")) == (403, 20002)
    assert partner.send("HEAD", "/domains/other.onmicrosoft.com").status_code == 404


@pytest.mark.parametrize(
    ("line", "status"), [("1 Main Street", "VerifiedShippable"), ("1 Nowhere", "None"), ("Partial", "StreetPartial")]
)
def test_addresses(partner: Partner, line: str, status: str) -> None:
    body = {"addressLine1": line, "city": "Redmond", "state": "WA", "postalCode": "98052", "country": "US"}
    assert partner.send("POST", "/validations/address", body).json()["status"] == status


def test_older_shape_of_a_refused_address(partner: Partner) -> None:
    body = {"addressLine1": "Legacy Way", "city": "Redmond", "state": "WA", "postalCode": "98052", "country": "US"}
    answer = partner.send("POST", "/validations/address", body)
    assert partner.refused(answer) == (400, 2007)
    assert json.loads(answer.json()["description"])["corrected_address"]["city"] == "BELLEVUE"


def test_agreement_needs_a_user(partner: Partner) -> None:
    customer = partner.customer(agreement=False)
    answer = partner.send("POST", f"/customers/{customer}/agreements", {})
    assert partner.refused(answer) == (403, 900329)
    assert partner.get(f"/customers/{customer}/agreements")["items"] == []
    document = partner.get(
        "/agreementtemplates/117a77b0-9360-443b-8795-c6dedc750cf9/document?language=de-DE&country=DE"
    )
    assert requests.get(document["displayUri"], timeout=10).status_code == 200


def test_qualification_opens_the_segment(partner: Partner) -> None:
    customer = partner.customer()
    path = f"/customers/{customer}/products?targetView=OnlineServices&targetSegment=education"
    assert partner.get(path)["items"] == []
    asked = partner.send("POST", f"/customers/{customer}/qualifications", {"Qualification": "Education"})
    assert (asked.status_code, asked.json()["vettingStatus"]) == (201, "InReview")
    partner.twin.advance("PT2M")
    assert partner.get(f"/customers/{customer}/qualifications")[0]["vettingStatus"] == "Approved"
    titles = [row["title"] for row in partner.get(path)["items"]]
    assert "Office 365 A3 for faculty" in titles
    assert "Microsoft 365 Business Standard" not in titles


def test_invitation_page(partner: Partner) -> None:
    link = partner.get("/customers/relationshiprequests")["url"]
    assert partner.get("/customers/relationshiprequests")["url"] == link
    page = requests.get(link, timeout=10)
    assert (page.headers["Content-Type"], "Accept</button>" in page.text) == ("text/html; charset=utf-8", True)
    form = {"domain": "oldwharf.onmicrosoft.com", "company_name": "Old Wharf", "answer": "accept"}
    assert "accepted" in requests.post(link, data=form, timeout=10).text
    rows = partner.get("/customers")["items"]
    assert [(row["companyProfile"]["domain"], row["relationshipToPartner"]) for row in rows] == [
        ("oldwharf.onmicrosoft.com", "reseller")
    ]
    other = partner.get("/customers/relationshiprequests")["url"]
    assert other != link
    partner.twin.call("POST", f"/_twin/relationships/{other.rsplit('/', 1)[1]}/decline")
    assert [row["status"] for row in partner.twin.state()["relationships"]] == ["accepted", "declined"]


def test_price_sheet_covers_what_is_sold(partner: Partner) -> None:
    path = "/sales/v1.0/pricesheets(Market='GB',PricesheetView='updatedlicensebased')/$value"
    headers = {"client-request-id": str(uuid.uuid4())}
    assert partner.send("GET", path, headers=headers).status_code == 401
    token = partner.sales_token()
    assert partner.send("GET", path, token=token).status_code == 400
    answer = partner.send("GET", path, token=token, headers=headers)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read(archive.namelist()[0]).decode("utf-8-sig"))))
    standard = {
        (row["TermDuration"], row["BillingPlan"], row["Segment"]): (row["UnitPrice"], row["ERP Price"])
        for row in rows
        if f"{row['ProductId']}:{row['SkuId']}" == STANDARD
    }
    assert standard[("P1Y", "Monthly", "Commercial")] == ("8.00", "10.00")
    assert standard[("P1Y", "Annual", "Commercial")] == ("96.00", "120.00")
    assert standard[("P1M", "Monthly", "Charity")] == ("3.84", "4.80")
    assert {row["Currency"] for row in rows} == {"GBP"}
    sold = partner.get("/products?country=GB&targetView=OnlineServices")["items"]
    assert {row["id"] for row in sold} == {row["ProductId"] for row in rows}
    unknown = path.replace("GB", "ZZ")
    assert partner.send("GET", unknown, token=token, headers=headers).json()["error"]["code"] == "NotFound"


def test_partner_numbers(partner: Partner) -> None:
    def status(query: str) -> tuple[int, object]:
        answer = partner.send("GET", f"/compliance/csp/agreementstatus{query}")
        return answer.status_code, answer.json().get("isAgreementSigned", answer.json().get("code"))

    assert status("?mpnId=4100001") == (200, True)
    assert status("?mpnId=4100003") == (200, False)
    assert status("?mpnId=9999999") == (400, 2200)
    assert status("?mpnId=4100001&tenantId=x") == (400, 2000)
    assert status("") == (400, 2001)
    assert partner.refused(partner.send("GET", "/profiles/mpn?mpnId=9999999")) == (404, 3000)


def test_tokens_of_another_audience_are_refused(partner: Partner) -> None:
    assert partner.send("GET", "/customers", token=partner.sales_token()).status_code == 401
    assert partner.send("GET", "/customers", token="wrong").headers["WWW-Authenticate"].startswith("OAuth")
