"""Acceptance checks of the API's contract that no test of one part proves: walks over every call, and long lists."""

import datetime as dt
import json
import re
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings

from api import paging
from api.contract import contract
from api.document import METHODS, served_document
from clients.scopes import Scope
from clients.services.clients import save_policy
from core import clock
from core.custom_fields import CustomField
from resellers.enums import Edition
from subscriptions.models import Subscription
from tests import factories
from tests.api.caller import Program, program
from tests.api.conftest import set_edition
from tests.api.contract import check
from tests.api.world import SWITCHES, World, filled, make_world
from tests.bss.running import running
from tests.shop import Shop

pytestmark = pytest.mark.django_db
LIST = "/api/subscriptions"
# Who may call what (the contract's table): scope, Free reseller, Standard reseller, the distributor's switch.
TABLE = [
    (r"GET /api/subscriptions.*/pricinginfo", ("pricing:read", True, True, "resellers_pricing")),
    (r"POST /api/subscriptions.*/synchronization/retry", ("subscriptions:write", False, False, "")),
    (r"GET /api/subscriptions.*/synchronization", ("subscriptions:read", True, True, "resellers_synchronization")),
    (r"GET /api/subscriptions.*/usages/.*", ("usages:read", True, True, "resellers_usages")),
    (r"PUT /api/subscriptions.*/customfields", ("subscriptions:write", False, True, "resellers_custom_fields")),
    (r"GET /api/subscriptions.*", ("subscriptions:read", True, True, "")),
    (r"POST /api/subscriptions.*", ("subscriptions:write", False, True, "")),
    (r"GET /api/(orders|products|accounts|assets|invoices|organization).*", ("{}:read", True, True, "")),
    (r"(POST|PUT|DELETE) /api/orders.*", ("orders:write", False, True, "")),
    (r"(POST|PUT|PATCH) /api/accounts.*", ("accounts:write", False, True, "")),
    (r".* /api/webhooks.*", ("webhooks:manage", False, True, "")),
]


@pytest.fixture(autouse=True)
def no_limits(settings: LazySettings) -> None:
    settings.API_CALLS_PER_MINUTE = settings.API_ORGANIZATION_CALLS_PER_MINUTE = 10**6
    settings.API_WRITES_PER_MINUTE = 10**6


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every call but the token's."""
    for path, item in served_document()["paths"].items():
        for method in METHODS:
            if method in item and path != "/oauth/token":
                yield method.upper(), path, item[method]


def unknown(path: str) -> str:
    """The path with well-formed ids that nothing has."""
    numbers = {"accountId": "2000000001", "systemId": "2000000001", "countryId": "2000000001"}
    return re.sub(r"\{(\w+)\}", lambda found: numbers.get(found[1], "3f1c2a10-0000-4000-8000-00000000beef"), path)


def row_of(method: str, path: str) -> tuple[str, bool, bool, str]:
    for pattern, (scope, free, standard, switch) in TABLE:
        found = re.fullmatch(pattern, f"{method} {path}")
        if found:
            return scope.format(found[1] if "{}" in scope else ""), free, standard, switch
    raise LookupError(f"{method} {path}")


def asked(caller: Program, method: str, path: str) -> tuple[int, str]:
    answer = caller.call(method, unknown(path))
    return answer.status_code, answer.json()["code"] if answer.status_code >= 400 else ""


# --- Rights -----------------------------------------------------------------------------------------------------------
def test_who_may_call_what(shop: Shop, distributor: Program, reseller: Program):
    """Check 22: operation x edition x switch x scope; 403 comes before 404."""
    whole = {scope.value for scope in Scope}
    rows = [(method, path, *row_of(method, path)) for method, path, _call in operations()]
    assert len(rows) > 70
    for scope in sorted({row[2] for row in rows}):
        for held in (whole - {scope}, {scope}):
            distributor.sign_in(" ".join(sorted(held)))
            for method, path, needed, *_others in rows:
                if needed == scope:
                    found = asked(distributor, method, path)
                    assert (found == (403, "scope_missing")) == (scope not in held), (method, path, found)
                    assert found[0] != 403 or scope not in held, (method, path, found)
    for edition in (Edition.FREE, Edition.STANDARD):
        for is_open in (False, True):
            save_policy(shop.staff, values=dict.fromkeys(SWITCHES, is_open))
            set_edition(shop.reseller, edition)
            reseller.sign_in()
            for method, path, _scope, free, standard, switch in rows:
                may = free if edition == Edition.FREE else standard
                found = asked(reseller, method, path)
                allowed = may and (is_open or not switch)
                assert (found[0] != 403) == allowed, (edition, is_open, method, path, found)


def test_foreign_is_as_missing_and_malformed_is_wrong():
    """Check 17, for every call with an id in its path, as a reseller asks."""
    world: World = make_world()
    for method, path, call in operations():
        names = re.findall(r"\{(\w+)\}", path)
        shared = {"productId", "systemId", "countryId", "webhookId", "deliveryId", "invoiceId"}
        if not names or names[0] in shared or (call.get("x-rights") or {}).get("resellerEditions") == []:
            continue
        body = [] if method == "PUT" or (method == "PATCH" and "accounts" in path) else {}
        sent = body if method in ("POST", "PUT", "PATCH") else None
        malformed = world.reseller.call(method, re.sub(r"\{\w+\}", "no-id", path, count=1).format(**world.ids), sent)
        assert (malformed.status_code, malformed.json()["code"]) == (400, "invalid_parameter"), (method, path)
        foreign = world.reseller.call(method, filled(path, world.foreign), sent)
        missing = world.reseller.call(method, unknown(path), sent)
        assert foreign.status_code == missing.status_code == 404, (method, path, foreign.content, missing.content)
        same = ("requestId", "instance", "value")
        one, two = ({k: v for k, v in answer.json().items() if k not in same} for answer in (foreign, missing))
        assert one == two, (method, path)


def test_nobody_reads_cost_without_its_scope():
    """Check 24: all thirteen, the includes, licences, products, invoices and orders."""
    world: World = make_world()
    schemas = contract()["components"]["schemas"].values()
    costs = {
        name
        for schema in schemas
        for name, member in schema.get("properties", {}).items()
        if member.get("x-visibility") == "cost:read"
    }
    assert {"unitCost", "totalCost", "margin", "purchasePrice"} <= costs
    blind = program(world.shop, scopes=tuple(sorted({scope.value for scope in Scope} - {"cost:read"})))
    read = 0
    for method, path, call in operations():
        if method == "GET" and "topics" not in path:
            includes = [part.get("x-include-names") for part in call["parameters"] if part.get("name") == "include"]
            query = f"?include={','.join(includes[0])}" if includes and includes[0] else ""
            if path.endswith("externalprices"):
                query = f"?unitId={world.shop.plan.public_id}&currency=EUR&accountId={world.shop.reseller.pk}"
            for caller in (blind, world.reseller):
                answer = caller.get(filled(path, world.ids) + query)
                read += answer.status_code == 200
                told = set(re.findall(r'"(\w+)":', answer.content.decode()))
                assert not told & costs, (path, told & costs)
    assert read > 60


# --- Long lists -------------------------------------------------------------------------------------------------------
def walked(caller: Program, path: str) -> tuple[list[str], list[str]]:
    """The ids along ``next``, and the kinds of the links."""
    met, links = [], []
    while path:
        body = check(caller.get(path), LIST)
        met += [row["id"] for row in body["data"]]
        path = (body["links"]["next"] or "").partition(".test")[2]
        links.append("cursor" if "cursor=" in path else "page" if path else "end")
    return met, links


def test_next_goes_on_by_cursor_and_large_totals_are_estimates(
    shop: Shop, distributor: Program, monkeypatch: pytest.MonkeyPatch
):
    """Check 7, with small limits: the walk by ``next`` reaches the last row, whatever the limits are."""
    made = {str(running(shop).public_id) for _number in range(7)}
    monkeypatch.setattr(paging, "CURSOR_FROM_ROW", 4)
    met, links = walked(distributor, f"{LIST}?pageSize=2")
    assert (len(met), set(met), links) == (7, made, ["page", "cursor", "cursor", "end"])
    assert distributor.get(LIST).json()["paging"]["totalIsEstimate"] is False
    monkeypatch.setattr(paging, "EXACT_UP_TO", 6)
    told = check(distributor.get(f"{LIST}?pageSize=2"), LIST)["paging"]
    assert (told["totalIsEstimate"], told["totalRecords"] >= 7) == (True, True)
    monkeypatch.setattr(paging, "DEEPEST_ROW", 4)
    assert distributor.get(f"{LIST}?pageSize=2&pageIndex=2").status_code == 200
    assert distributor.get(f"{LIST}?pageSize=2&pageIndex=3").json()["code"] == "page_too_deep"


@pytest.mark.parametrize("order", ["", "name desc", "renewalDate", "subscriptionAmount desc,quantity"])
def test_a_cursor_walk_under_changes(shop: Shop, distributor: Program, order: str):
    """Check 6: while rows come and go, none is met twice and none that stays is missed."""
    rows = [running(shop, quantity=number % 3 + 1) for number in range(6)]
    stay = {str(row.public_id) for row in rows}
    query = f"pageSize=1&count=false&$orderBy={order}" if order else "pageSize=1&count=false"
    met: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        body = distributor.get(f"{LIST}?{query}" + (f"&cursor={cursor}" if cursor else "")).json()
        met += [row["id"] for row in body["data"]]
        cursor = body["paging"]["nextCursor"]
        if len(met) == 2:
            running(shop)
            gone = next(row for row in rows if str(row.public_id) not in met)
            # A row is never deleted here; it leaves the caller's list.
            Subscription.objects.filter(pk=gone.pk).update(account=shop.end_customer, bill_to=shop.reseller)
            Subscription.objects.filter(pk=gone.pk).update(organization=_other())
            stay.discard(str(gone.public_id))
    assert len(met) == len(set(met))
    assert stay <= set(met)


def _other() -> Any:
    return factories.organization()


# --- One subscription -------------------------------------------------------------------------------------------------
def test_the_first_activation_stays(distributor: Program, service: Subscription):
    """Check 26."""
    path, planned = f"{LIST}/{service.public_id}", clock.now() + dt.timedelta(days=3)
    first = distributor.get(path).json()["firstActivationDateTime"]
    assert first == distributor.get(path).json()["activationDate"]
    for values in ({"status": "suspended"}, {"status": "active", "quantity": 9}, {"term_ends_at": planned}):
        Subscription.objects.filter(pk=service.pk).update(**values)
        body = distributor.get(path).json()
        assert body["firstActivationDateTime"] == body["activationDate"] == first


def test_amounts_agree_to_the_digit(distributor: Program, service: Subscription):
    """Check 32: the amount of the service is the total of its price, rounded half up."""
    for price, quantity, total in (
        ("4.24", 10, "42.4"),
        ("6.536", 1, "6.54"),
        ("0.1250", 1, "0.13"),
        ("6.8765", 3, "20.63"),
    ):
        Subscription.objects.filter(pk=service.pk).update(unit_price=Decimal(price), quantity=quantity)
        whole = json.loads(distributor.get(f"{LIST}/{service.public_id}").content, parse_float=Decimal)
        info = json.loads(distributor.get(f"{LIST}/{service.public_id}/pricinginfo").content, parse_float=Decimal)
        assert whole["subscriptionAmount"] == info["total"] == Decimal(total)
        assert info["finalUnitPrice"] == info["unitPrice"]["value"] == Decimal(price)


@pytest.mark.parametrize(
    ("stored", "status", "required"),
    [
        ("not_required", "Unsynchronized", False),
        ("unsynchronised", "Unsynchronized", True),
        ("in_progress", "InProgress", True),
        ("synchronized", "Synchronized", True),
        ("failed", "Failed", True),
    ],
)
def test_synchronization_in_words(
    shop: Shop, distributor: Program, service: Subscription, stored: str, status: str, required: bool
):
    """Check 25: every row of the contract's table 7.2."""
    Subscription.objects.filter(pk=service.pk).update(sync_status=stored)
    path = f"{LIST}/{service.public_id}/synchronization"
    body = check(distributor.get(path), f"{LIST}/{{subscriptionId}}/synchronization")
    assert (body["status"], body["isProvisioningRequired"]) == (status, required)
    assert (body["provisioningSystem"] is None) == (not required)
    assert body["allowedActions"] == (["retry"] if stored == "failed" else [])
    found = distributor.get(f"{LIST}?$filter=synchronizationStatus eq '{status}'").json()
    assert [row["id"] for row in found["data"]] == [str(service.public_id)]


def test_nothing_changed_moves_nothing(shop: Shop, distributor: Program, service: Subscription):
    """Check 30: the same values again keep ETag and updatedAt."""
    values = {"code": "r", "name": "R", "field_type": "text", "provisioning_code": 1}
    CustomField.objects.create(organization=shop.organization, entity="subscription", **values)
    path, body = f"{LIST}/{service.public_id}", [{"apiField": "1", "value": "A"}]
    before = distributor.get(path).json()["updatedAt"]
    tag = distributor.call("PUT", f"{path}/customfields", body)["ETag"]
    whole = distributor.get(path)
    assert whole.json()["updatedAt"] > before
    assert distributor.call("PUT", f"{path}/customfields", body)["ETag"] == tag
    assert distributor.get(path, if_none_match=whole["ETag"]).status_code == 304


def test_one_key_at_once_is_of_one_method_and_path(distributor: Program, service: Subscription):
    """Check 31 besides parallel calls: the same key at another path is another call."""
    key = str(uuid.uuid4())
    path = f"{LIST}/{service.public_id}"
    assert distributor.post(
        f"{path}/autoRenewalSettings", {"autoRenewalEnabled": False}, idempotency_key=key
    ).status_code
    other = distributor.post(f"{path}/quantity", {"quantity": 5}, idempotency_key=key)
    assert (other.status_code, "Idempotency-Replayed" in other) == (200, False)
