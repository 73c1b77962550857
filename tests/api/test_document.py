"""What is documented is what is served, and every address of the API asks for a token."""

import json

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from api.contract import contract, own_calls
from api.document import operations, served_document
from tests.shop import make_shop

pytestmark = pytest.mark.django_db
OPEN = {"docs", "document", "token", "nothing"}


def patterns() -> dict[str, URLPattern]:
    api = next(item for item in get_resolver().url_patterns if getattr(item, "app_name", "") == "api")
    return {item.name: item for item in api.url_patterns}


def test_the_served_document_is_a_part_of_the_contract():
    whole, served = contract()["paths"] | own_calls()[0], served_document()["paths"]
    assert "/api/subscriptions/{subscriptionId}/customfields" in served
    assert set(served["/api/subscriptions/{subscriptionId}/customfields"]) >= {"get", "put"}
    assert {path: whole[path].get("get") for path in served if "get" in served[path]} == {
        path: served[path]["get"] for path in served if "get" in served[path]
    }
    names = {call.path for call in operations()}
    for start in ("/api/subscriptions", "/api/organization", "/api/invoices", "/api/products"):
        assert {name for name in names if name.startswith(start)} == {path for path in whole if path.startswith(start)}


def test_every_address_is_in_the_contract():
    known = {path.lower().replace("{", "").replace("}", "") for path in served_document()["paths"]}
    ours = {
        "/" + str(item.pattern).replace("<str:", "").replace(">", "").replace("_", "").lower()
        for name, item in patterns().items()
        if name not in OPEN
    }
    same = {path.replace("publicid", f"{path.split('/')[2].rstrip('s')}id") for path in ours}
    assert same - known == set()


def test_the_reader_is_open_and_whole():
    client = Client(headers={"host": make_shop().site.host})
    page = client.get("/apidocs/")
    assert page.status_code == 200
    for call in operations():
        assert call.path in page.content.decode()
    assert json.loads(client.get("/apidocs/openapi.json").content)["openapi"] == "3.0.3"


@pytest.mark.parametrize("name", sorted(set(patterns()) - OPEN))
def test_every_address_asks_for_a_token(name: str):
    path = str(patterns()[name].pattern)
    for part in ("subscription_id", "addon_id", "request_id", "account_id", "asset_id", "order_id", "item_id",
                 "product_id", "public_id", "country_id", "invoice_id"):  # fmt: skip
        path = path.replace(f"<str:{part}>", "1")
    client = Client(headers={"host": make_shop().site.host})
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = client.generic(method, f"/{path}")
        assert (answer.status_code, answer.json()["code"]) == (401, "token_missing")
