"""Every documented answer of a call we make is read; what varies on the wire changes nothing."""

import dataclasses
import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from office365.calls import CALLS, find_call, parse
from office365.schemas.catalogue import Availability, Offer
from office365.schemas.commerce import Cart, Checkout
from office365.schemas.common import ApiError, Collection, IdentityError, NoContent, read_moment, read_word
from office365.schemas.customers import Customer
from office365.schemas.subscriptions import Subscription
from provisioning.ports import ErrorKind, VendorError

FIXTURES = Path(__file__).parent / "fixtures"
PRODUCT = "/v1/products/P/skus"
# Samples that the documentation prints without their request line.
LINES = {
    "B_confirm-customer-consent-customer-agreement": ("POST", "/v1/customers/c/agreements", 400),
    "B_get-customer-qualification-asynchronous_2": ("GET", "/v1/customers/c/qualifications", 200),
    "B_get-partner-by-mpn-id_2": ("GET", "/v1/profiles/mpn?mpnId=1", 404),
    "B_retrieve-validation-status": ("GET", "/v1/customers/c/validationStatus?type=account", 200),
    "B_retrieve-validation-status_2": ("GET", "/v1/customers/c/validationStatus?type=account", 200),
    "B_retrieve-validation-status_3": ("GET", "/v1/customers/c/validationStatus?type=account", 200),
    "B_retrieve-validation-status_4": ("GET", "/v1/customers/c/validationStatus?type=account", 200),
    "B_retrieve-validation-status_6": ("GET", "/v1/customers/c/validationStatus?type=account", 404),
    "B_verify-domain-availability_2": ("HEAD", "/v1/domains/d.onmicrosoft.com", 404),
    "C_get-a-list-of-availabilities-for-a-sku-by-customer_2": ("GET", PRODUCT + "/0001/availabilities", 200),
    "C_get-a-list-of-availabilities-for-a-sku_3": ("GET", PRODUCT + "/0001/availabilities", 200),
    "C_get-a-list-of-products-by-customer_3": ("GET", "/v1/customers/c/products", 200),
    "C_get-a-list-of-products_5": ("GET", "/v1/products", 200),
    "C_get-a-list-of-products_6": ("GET", "/v1/products", 200),
    "C_get-a-list-of-skus-for-a-product-by-customer_2": ("GET", "/v1/customers/c/products/P/skus", 200),
    "C_get-a-list-of-skus-for-a-product_4": ("GET", PRODUCT, 200),
    "C_get-a-product-by-id_2": ("GET", "/v1/products/P", 200),
    "C_get-a-sku-by-id_2": ("GET", PRODUCT + "/0001", 200),
    "C_get-an-availability-by-id_2": ("GET", PRODUCT + "/0001/availabilities/A", 200),
    "D_create-a-cart_3": ("POST", "/v1/customers/c/carts", 201),
    "E_change-the-quantity-of-a-subscription_5": ("PATCH", "/v1/customers/c/subscriptions/s", 400),
    "E_get-a-subscription-by-id_3": ("GET", "/v1/customers/c/subscriptions/s", 200),
    "E_manage-billing-frequency-software-subs": ("GET", "/v1/customers/c/subscriptions/s", 200),
    "H_api-throttling-guidance": ("GET", "/v1/customers", 429),
    "error_20002_no_relationship": ("GET", "/v1/customers/c/orders", 403),
    "error_20002_reseller_relationship": ("GET", "/v1/customers/c/orders", 400),
}


def answers() -> list[tuple[str, str, str, int, Any]]:
    """(file, method, url, status, body) of every sample with an answer that is JSON or empty."""
    rows = []
    for path in sorted(FIXTURES.glob("*/*.json")):
        if path.parent.name == "contracts":
            continue
        sample = json.loads(path.read_text(encoding="utf-8"))
        request, response = sample.get("request") or {}, sample.get("response") or {}
        shown = sample.get("body") or {}
        if response.get("body_text") or shown.get("body_text"):
            continue
        status = response.get("status")
        body = response.get("body") if response else shown.get("body")
        line = LINES.get(path.stem)
        if line is None and "mpa-status_" in path.stem and status:
            line = ("GET", "/v1/compliance/csp/agreementstatus", status)
        if request.get("url") and status:
            rows.append((path.stem, request["method"], request["url"], status, body))
        elif line:
            rows.append((path.stem, line[0], line[1], status or line[2], body))
    return rows


SAMPLES = answers()


def plain(value: object) -> object:
    """A typed answer without what was sent (``raw``), for comparing two readings."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            item.name: plain(getattr(value, item.name))
            for item in dataclasses.fields(value)
            if item.name
            not in {"raw", "dynamic_attributes", "link", "provisioning_context", "primary_contact", "details"}
        }
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


def recase(value: Any, change: Any) -> Any:
    """The same JSON with every key spelled differently."""
    if isinstance(value, dict):
        return {change(key): recase(item, change) for key, item in value.items()}
    return [recase(item, change) for item in value] if isinstance(value, list) else value


def test_samples_are_there() -> None:
    assert len(SAMPLES) > 115


@pytest.mark.parametrize(("name", "method", "url", "status", "body"), SAMPLES, ids=[row[0] for row in SAMPLES])
def test_parse_reads_sample(name: str, method: str, url: str, status: int, body: Any) -> None:
    result = parse(method, url, status, body)
    call = find_call(method, url)
    if status >= 400:
        assert isinstance(result, ApiError | IdentityError)
        assert result.status == status
    elif isinstance(result, NoContent):
        assert body in (None, {}, "")
    elif call.many:
        assert isinstance(result, Collection)
        assert result.problems == ()
        rows = (
            body
            if isinstance(body, list)
            else next((body[key] for key in ("items", "transition") if key in body), [body])
        )
        assert len(result.items) == len(rows)
    else:
        assert isinstance(result, call.schema or object)


@pytest.mark.parametrize(("name", "method", "url", "status", "body"), SAMPLES, ids=[row[0] for row in SAMPLES])
def test_parse_is_the_same_whatever_the_spelling(name: str, method: str, url: str, status: int, body: Any) -> None:
    if body is None:
        return
    usual = plain(parse(method, url, status, body))
    text = json.dumps(body)
    assert plain(parse(method, url, status, b"\xef\xbb\xbf" + text.encode())) == usual
    assert plain(parse(method, "http://127.0.0.1:8010/partner-center" + find_path(url), status, text)) == usual
    assert plain(parse(method, url, status, recase(body, lambda key: key[:1].upper() + key[1:]))) == usual
    with_more = {**body, "brandNew": {"deep": [1]}} if isinstance(body, dict) else body
    assert plain(parse(method, url, status, with_more)) == usual


def find_path(url: str) -> str:
    """The path of a sample's address, with a doubled slash as the documentation has in places."""
    path = url.split("://", 1)[-1]
    path = path[path.index("/") :] if "/" in path else path
    return path.replace("/v1/", "/v1//", 1)


def test_parse_call_not_in_table() -> None:
    for method, url in (
        ("GET", "/v1/devicebatches"),
        ("GET", "/v1/customers/c/subscriptions/usagerecords"),
        ("PUT", "/v1/offers"),
    ):
        with pytest.raises(LookupError):
            parse(method, url, 200, {})


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "/v1/customers/c"),
        ("GET", "/v1/customers/c/subscriptions"),
        ("GET", "/v1/customers/c/subscriptions/s"),
        ("POST", "/v1/customers/c/carts"),
        ("POST", "/v1/customers/c/carts/k/checkout"),
        ("GET", "/v1/customers/c/orders/o"),
        ("GET", "/v1/customers/relationshiprequests"),
    ],
)
def test_parse_missing_required_part(method: str, url: str) -> None:
    bodies: tuple[Any, ...] = ({}, b"{}", b"[1", b"", "not json")
    for body in bodies:
        with pytest.raises(VendorError) as caught:
            parse(method, url, 200, body)
        assert caught.value.kind is ErrorKind.CONTRACT


def test_parse_bad_row_spoils_itself_only() -> None:
    good = {"id": "s-1", "quantity": "3", "status": "in_grace_period", "billingCycle": "quadrennial"}
    result = parse("GET", "/v1/customers/c/subscriptions", 200, {"totalCount": 2, "items": [good, {"quantity": 1}]})
    assert isinstance(result, Collection)
    (row,) = result.items
    assert isinstance(row, Subscription)
    assert (row.quantity, row.status, row.status.raw, row.billing_cycle) == (3, "unknown", "in_grace_period", "unknown")
    assert len(result.problems) == 1


def test_parse_error_shapes() -> None:
    url = "/v1/customers/c/subscriptions/s"
    newer = {"code": 600061, "message": "m", "description": "d", "errorName": "n", "isRetryable": True}
    proxy = "<html>Bad gateway</html>"
    graph = {"error": {"code": "Forbidden", "message": "no"}}
    cases: list[tuple[int, Any, ApiError]] = [
        (400, {"code": 2055, "description": "Etag is no longer valid", "data": ["A : b"], "source": "PartnerFD"},
         ApiError(400, "2055", "Etag is no longer valid", details=("A : b",), source="PartnerFD")),
        (400, newer, ApiError(400, "600061", "d", name="n", is_retryable=True)),
        (429, {"statusCode": 429, "message": "wait"}, ApiError(429, "", "wait")),
        (502, proxy, ApiError(502)),
        (500, b"", ApiError(500)),
        (403, graph, ApiError(403, "Forbidden", "no")),
    ]  # fmt: skip
    for status, body, expected in cases:
        assert parse("GET", url, status, body) == expected
    assert parse(
        "POST", "/t/oauth2/token", 400, {"error": "invalid_grant", "error_description": "AADSTS65001: no\r\nTrace"}
    ) == IdentityError(400, "invalid_grant", "AADSTS65001: no", (65001,))


def test_parse_corrected_address_inside_description() -> None:
    sample = json.loads((FIXTURES / "doc_samples/B_validate-an-address_2021-03_400.json").read_text(encoding="utf-8"))
    error = parse("POST", "/v1/validations/address", 400, sample["response"]["body"])
    assert isinstance(error, ApiError)
    assert error.code == "2007"
    assert "Field - 'City' is corrected" in error.message
    assert error.correction["corrected_address"]["city"] == "BELLEVUE"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-02-24T19:26:06.9471649Z", dt.datetime(2021, 2, 24, 19, 26, 6, 947164, tzinfo=dt.UTC)),
        ("2019-01-16T00:48:44.76+00:00", dt.datetime(2019, 1, 16, 0, 48, 44, 760000, tzinfo=dt.UTC)),
        ("2019-01-16T00:00:00-07:00", dt.datetime(2019, 1, 16, 7, tzinfo=dt.UTC)),
        ("2021-07-14T18:02:00", dt.datetime(2021, 7, 14, 18, 2, tzinfo=dt.UTC)),
        ("0001-01-01T00:00:00", None),
        ("9999-12-14T00:00:00Z", None),
        ("11/30/9999 11:59:59 PM", None),
        ("soon", None),
        (None, None),
    ],
)
def test_read_moment_every_form(text: str | None, expected: dt.datetime | None) -> None:
    assert read_moment(text) == expected


def test_read_word_normalises() -> None:
    read = read_word(("one_time", "not_ready", "started"))
    assert [read(raw) for raw in ("OneTime", "one_time", "Not Ready", "Started ", 1, None)] == [
        "one_time", "one_time", "not_ready", "started", "unknown", "",
    ]  # fmt: skip
    assert read(1).raw == "1"


def test_read_numbers_and_entities() -> None:
    body = {"id": "s", "status": "active", "quantity": "12.0", "offerName": "Elm &amp; Oak&#39;s"}
    row = parse("GET", "/v1/customers/c/subscriptions/s", 200, body)
    assert isinstance(row, Subscription)
    assert (row.quantity, row.offer_name) == (12, "Elm & Oak's")
    order = parse("GET", "/v1/customers/c/orders/o", 200, b'{"id":"o","totalPrice":-0.10000000000000000001}')
    assert order.total_price == Decimal("-0.10000000000000000001")  # type: ignore[attr-defined]


def test_table_of_calls_is_sound() -> None:
    assert all(
        name == call.name and call.documentation.startswith("https://learn.microsoft.com/")
        for name, call in CALLS.items()
    )
    assert all(call.repeat_safe for call in CALLS.values() if call.method in {"GET", "HEAD"})
    users = {call.name for call in CALLS.values() if call.token == "U"}
    assert users == {"accept_agreement", "get_billing_profile", "update_billing_profile", "get_price_sheet"}


def test_samples_of_the_journey_say_what_they_should() -> None:
    bodies = {name: (method, url, status, body) for name, method, url, status, body in SAMPLES}
    customer = parse(*bodies["B_create-a-customer"])
    assert isinstance(customer, Customer) and customer.user_credentials is not None
    assert customer.billing_profile is not None and customer.billing_profile.etag == "5920358838484612121"
    assert "<password>" not in repr(customer)
    cart = parse(*bodies["D_create-a-cart_3"])
    assert isinstance(cart, Cart) and cart.status == "active" and cart.errors == ()
    checkout = parse(*bodies["D_checkout-a-cart"])
    assert isinstance(checkout, Checkout)
    assert [order.status for order in checkout.orders] == ["completed", "pending", "pending"]
    availability = parse(*bodies["C_get-an-availability-by-id_2"])
    assert isinstance(availability, Availability) and availability.terms[0].billing_cycle == "annual"
    offers = parse(*bodies["GetPartnerOffer_US_full_274"])
    assert isinstance(offers, Collection) and len(offers.items) == 274
    assert all(isinstance(offer, Offer) for offer in offers.items)
