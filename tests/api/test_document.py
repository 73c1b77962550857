"""The document says what is served: it comes from the views, means what the contract says, and is valid."""

import copy
import json
import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import URLPattern, get_resolver
from openapi_spec_validator import validate

from api.contract import contract
from api.document import COMMITTED, METHODS, document_text, known_operations, served_document, served_views, success
from api.listing import ListView
from clients.scopes import Scope
from tests import factories
from tests.api.contract import faults
from tests.api.test_examples import REFUSED
from tests.shop import make_shop

OPEN = {"docs", "document", "errors", "token", "nothing"}
# What of the contract nothing serves yet; it becomes empty.
NOT_SERVED: set[str] = set()
# Lists without rows that could have custom fields: no invoices are written yet.
WITHOUT_FIELDS = {"Invoices_GetInvoices"}


def patterns() -> dict[str, URLPattern]:
    return {item.name: item for item in get_resolver("api.urls").url_patterns}


def resolved(document: dict[str, Any], node: Any) -> Any:
    """A node with its references to parameters and answers followed; those to schemas stay names."""
    if isinstance(node, list):
        return [resolved(document, item) for item in node]
    if not isinstance(node, dict):
        return node
    while "$ref" in node and "/schemas/" not in node["$ref"]:
        _hash, _components, kind, name = node["$ref"].split("/")
        node = document["components"][kind][name]
    return {name: resolved(document, value) for name, value in node.items()}


def calls(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every operation by method and path, with the parameters of its path."""
    found = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                call = resolved(document, item[method])
                shared = resolved(document, item.get("parameters", []))
                call["parameters"] = {(p["in"], p["name"].lower()): p for p in [*shared, *call.get("parameters", [])]}
                found[f"{method.upper()} {path}"] = call
    return found


def test_the_committed_file_is_what_the_views_say(tmp_path, monkeypatch):
    call_command("api_document", "--check")
    monkeypatch.setattr("api.management.commands.api_document.COMMITTED", tmp_path / "openapi.json")
    with pytest.raises(CommandError):
        call_command("api_document", "--check")
    call_command("api_document")
    assert (tmp_path / "openapi.json").read_text() == document_text() == COMMITTED.read_text()


@pytest.mark.parametrize("staff", [True, False])
def test_it_is_openapi(staff: bool):
    validate(copy.deepcopy(served_document(staff=staff)))


def test_everything_of_the_contract_is_served():
    assert set(calls(contract())) - set(calls(served_document())) == NOT_SERVED


def test_every_call_means_what_the_contract_says():
    contracted = calls(contract())
    for name, served in calls(served_document()).items():
        if name in contracted:
            assert_same(contracted[name], served)
        else:
            assert served["x-origin"] == "ours"


def assert_same(known: dict[str, Any], served: dict[str, Any]) -> None:
    for member in ("operationId", "tags", "summary", "requestBody", "x-origin", "x-error-types"):
        assert served.get(member) == known.get(member), member
    assert served.get("description", "").startswith(known.get("description", ""))
    assert set(served["parameters"]) == set(known["parameters"])
    for key, parameter in known["parameters"].items():
        for member in ("schema", "required"):
            assert served["parameters"][key].get(member) == parameter.get(member), key
    assert set(served["responses"]) == set(known["responses"])
    for status, answer in known["responses"].items():
        found = copy.deepcopy(served["responses"][status])
        found.pop("links", None)
        for kind, media in found.get("content", {}).items():
            if "example" not in answer["content"][kind]:
                media.pop("example", None)
            elif status == "404" and known["operationId"] in REFUSED:
                media["example"] = answer["content"][kind]["example"]
        assert found == answer, status
    assert served["security"][0] == known["security"][0]
    without = {"customFields/*"} if known["operationId"] in WITHOUT_FIELDS else set()
    for member in ("x-filter-fields", "x-orderby-fields"):
        assert sorted(served.get(member, [])) == sorted(set(known.get(member, [])) - without), known["operationId"]


def test_every_schema_of_the_contract_stands_in_it():
    assert served_document()["components"]["schemas"].items() >= contract()["components"]["schemas"].items()


def test_the_answer_of_a_view_is_the_one_of_its_call():
    """``answers`` of a view, which decides what older programs are shown, names the schema that is documented."""
    known = known_operations()
    for where, view in served_views():
        for method in view.rights:
            _path, call = known[where, method.lower()]
            if view.answers and method == "GET":
                assert view.answers in json.dumps(success(call)), (where, view.answers)
            if method == "GET" and issubclass(view, ListView):
                assert success(call), where


def examples_of(document: dict[str, Any]) -> list[tuple[str, dict[str, Any], Any]]:
    """Every example with its schema."""
    found: list[tuple[str, dict[str, Any], Any]] = []

    def walk(node: Any, where: str) -> None:
        if isinstance(node, list):
            for number, item in enumerate(node):
                walk(item, f"{where}/{number}")
        elif isinstance(node, dict):
            if "example" in node and "schema" in node:
                found.append((where, node["schema"], node["example"]))
            for name, item in node.items():
                if name != "example":
                    walk(item, f"{where}/{name}")

    walk(document, "")
    return found


@pytest.mark.parametrize("staff", [True, False])
def test_every_example_is_valid(staff: bool):
    found = examples_of(served_document(staff=staff))
    assert len(found) > 40
    assert [fault for where, node, value in found for fault in faults(node, value, where, reseller=not staff)] == []


def test_every_answer_has_an_example():
    documented = calls(served_document())
    missing = {call["operationId"] for call in documented.values() if success(call) and "example" not in success(call)}
    assert missing == REFUSED
    for call in documented.values():
        if call["operationId"] in REFUSED:
            examples = {kind: media["example"] for kind, media in call["responses"]["404"]["content"].items()}
            plain, problem = examples["application/json"], examples["application/problem+json"]
            assert plain["type"] in call["x-error-types"]["404"] or plain["code"] == "installment_plan_not_found"
            assert problem["type"].endswith(f"#{plain['type']}")


def test_resellers_are_told_nothing_of_cost_and_of_others_members():
    text = json.dumps(served_document(staff=False))
    assert "x-visibility" not in text
    for word in (Scope.COST_READ.value, "creditLimit", "purchasePrice", "pricingMethod", "folderName"):
        assert f'"{word}"' not in text, word
    filters = served_document(staff=False)["paths"]["/api/accounts"]["get"]["x-filter-fields"]
    assert "billToAccountId" not in filters
    assert "billToAccountId" in served_document()["paths"]["/api/accounts"]["get"]["x-filter-fields"]


# --- The pages --------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_the_reader_is_open_and_for_both():
    client = Client(headers={"host": make_shop().site.host})
    page = client.get("/apidocs/").content.decode()
    assert 'data-document="/apidocs/openapi.json"' in page
    assert "?for=resellers" in page
    for sample in ("curl -s", "import requests", "Invoke-RestMethod"):
        assert sample in page
    resellers = client.get("/apidocs/?for=resellers").content.decode()
    assert 'data-document="/apidocs/openapi.json?for=resellers"' in resellers
    whole, part = client.get("/apidocs/openapi.json").json(), client.get("/apidocs/openapi.json?for=resellers").json()
    assert whole["openapi"] == "3.0.3"
    assert whole["servers"] == [{"url": f"http://{make_host(page)}"}]
    assert len(part["components"]["schemas"]) < len(whole["components"]["schemas"])
    errors = client.get("/apidocs/errors").content.decode()
    assert 'id="NotFoundError"' in errors
    assert 'id="CustomFieldsNotUpdatedError"' in errors


def make_host(page: str) -> str:
    return page.partition("http://")[2].partition("/")[0]


@pytest.mark.django_db
def test_a_resellers_own_site_shows_no_api():
    site = factories.reseller_site(make_shop().reseller)
    for path in ("/apidocs/", "/apidocs/openapi.json", "/apidocs/errors"):
        assert Client(headers={"host": site.host}).get(path).status_code == 404


@pytest.mark.django_db
def test_every_address_asks_for_a_token():
    client = Client(headers={"host": make_shop().site.host})
    for name in sorted(set(patterns()) - OPEN):
        path = re.sub(r"<[^>]+>", "1", str(patterns()[name].pattern))
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            answer = client.generic(method, f"/{path}")
            assert (answer.status_code, answer.json()["code"]) == (401, "token_missing"), (method, path)
