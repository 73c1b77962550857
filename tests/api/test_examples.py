"""The document's examples are real answers: recorded here with ``EXAMPLES=write``, and held to what is answered now."""

import datetime as dt
import json
import os
import re
from typing import Any

import pytest

from api.document import EXAMPLES, METHODS, examples, served_document, success
from catalog.models import PlanCost
from core import clock
from tests.api.world import World, filled, make_world

pytestmark = pytest.mark.django_db
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
DAY = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
HOST = re.compile(r"https?://[^/\"]+")
ADDRESS = {"address": "Road 1", "city": "Bonn", "postCode": "53111", "countryId": 405}
BODIES: dict[str, Any] = {
    "Accounts_Put": [{"apiField": "1", "value": "C-1042"}],
    "Accounts_CreateAccount": {"name": "Fern GmbH", "email": "office@fern.example", "billingAddress": ADDRESS},
    "Accounts_PatchAccount": [{"op": "replace", "path": "/phone", "value": "+49 30 5550100"}],
    "Accounts_SaveAccountSyncOptions": [{"alias": "domain_prefix", "value": "ferncloud"}],
    "Orders_Put": [{"apiField": "2", "value": "PO-9"}],
    "Orders_UpdateCharacteristics": [],
    "Webhooks_Create": {"url": "https://erp.example.com/hooks", "events": ["order.executed"]},
    "Webhooks_Update": {"isActive": True},
}
# Calls that only a draft takes.
OF_DRAFTS = {"Orders_CreateOrderItem", "Orders_GetCharacteristics", "Orders_UpdateCharacteristics", "Orders_Put"}
# Calls that only an account takes which the vendor does not know yet.
OF_NEW_ACCOUNTS = {"Accounts_SynchronizeAccount", "Accounts_GetAccountSyncOptions", "Accounts_SaveAccountSyncOptions"}
QUERIES = {"Accounts_GetAccounts": "?include=billingAddress&pageSize=2"}
# Calls that nothing in this world can answer with success, since there are no instalments and no invoices: their
# refusal is the example.
REFUSED = {
    "Subscriptions_GetCurrentInstallmentPlan", "Invoices_GetInvoice", "Invoices_GetInvoiceItems",
    "Invoices_GetInvoiceOrders", "Invoices_Get",
}  # fmt: skip
TOKEN = "OAuth_Token"


def missing() -> list[tuple[str, str, str]]:
    """Method, path and operationId of calls whose example the contract does not have."""
    recorded, found = examples(), []
    for path, item in served_document()["paths"].items():
        for method in METHODS:
            call = item.get(method)
            media = success(call) if call else {}
            if media and ("example" not in media or call["operationId"] in recorded):
                found.append((method.upper(), path, call["operationId"]))
    has_drafts = "post" in served_document()["paths"]["/api/orders"]
    return [row for row in found if has_drafts or row[2] != "Orders_Put"]


def shape_of(value: Any) -> Any:
    """The members of an answer, whatever is in them; of an array its first element's."""
    if isinstance(value, dict):
        return {name: shape_of(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape_of(value[0])] if value else []
    return None


def agree(one: Any, two: Any) -> bool:
    """Whether both have the same members; what is empty or null in one of them can be anything."""
    if one in (None, []) or two in (None, []):
        return True
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(agree(one[name], two[name]) for name in one)
    if isinstance(one, list) and isinstance(two, list):
        return agree(one[0], two[0])
    return False


def neutral(text: str, known: dict[str, str]) -> str:
    """The same with plain ids, one host and dates of one month, so that recording again changes little."""
    lead = DAY - clock.now().replace(microsecond=0)

    def moved(found: re.Match[str]) -> str:
        moment = dt.datetime.fromisoformat(found[0]) + lead
        return f"{moment.isoformat(timespec='milliseconds')[:23]}Z"

    text = GUID.sub(lambda found: known.setdefault(found[0], f"3f1c2a10-0000-4000-8000-{len(known) + 256:012x}"), text)
    return HOST.sub("https://bss.example.com", MOMENT.sub(moved, text))


def answers(world: World) -> dict[str, Any]:
    """Every missing example, asked for now."""
    found: dict[str, Any] = {}
    known: dict[str, str] = {}
    draft = {"orderId": world.ids.get("draftId", ""), "itemId": world.ids.get("draftItemId", "")}
    special = dict.fromkeys(OF_DRAFTS, draft)
    special |= {key: {"accountId": str(world.shop.affiliate.pk)} for key in OF_NEW_ACCOUNTS}
    bodies = BODIES | {"Orders_CreateOrderItem": {"productId": world.ids["productId"], "quantity": 10}}
    plan = world.shop.plan
    quoted = {"organization": world.shop.organization, "cost": 10, "retail": 12}
    PlanCost.objects.update_or_create(plan=plan, currency="EUR", defaults=quoted)
    price = f"?unitId={plan.public_id}&currency=EUR&accountId={world.shop.reseller.pk}"
    queries = QUERIES | {"Products_GetProductExternalPricing": price}
    # What starts the synchronization comes last: the vendor's questions are answered before it.
    for method, path, key in sorted(missing(), key=lambda row: row[2] == "Accounts_SynchronizeAccount"):
        where = filled(path, world.ids | special.get(key, {}))
        if method == "GET":
            where += queries.get(key, "?pageSize=2" if "{" not in path else "")
        answer = token(world) if key == TOKEN else world.distributor.call(method, where, bodies.get(key))
        assert answer.status_code == 404 if key in REFUSED else answer.status_code < 300, (where, answer.content)
        name = f"{key} {answer.status_code}" if key in REFUSED else key
        found[name] = json.loads(neutral(answer.content.decode(), known))
    return found


def token(world: World) -> Any:
    """The answer that has a token, which is replaced by another word."""
    answer = world.distributor.fetch_token()
    answer.content = json.dumps(answer.json() | {"access_token": "the-access-token"}).encode()
    return answer


def test_examples_are_what_is_answered():
    found = answers(make_world())
    if os.environ.get("EXAMPLES") == "write":
        EXAMPLES.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        examples.cache_clear()
    assert set(examples()) == set(found)
    assert [key for key in found if not agree(shape_of(found[key]), shape_of(examples()[key]))] == []
