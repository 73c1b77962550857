"""Changing accounts by API: JSON Patch, what vendors ask, setting up; and trying refused changes again."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from core.audit import AuditEntry
from core.custom_fields import CustomField
from resellers.enums import AccountKind, AccountStatus, Edition
from resellers.models import Account
from resellers.services.kinds import turn_account
from subscriptions.enums import OperationState, Verb
from subscriptions.models import Operation, Subscription
from tests import factories
from tests.api.caller import Program, program
from tests.api.conftest import set_edition
from tests.api.contract import check
from tests.shop import Shop
from vendors.models import AccountLink, LinkState
from vendors.services.links import ensure_link, save_options

pytestmark = pytest.mark.django_db
ONE = "/api/accounts/{accountId}"
SYNC = "/api/accounts/{accountId}/synchronizations/{systemId}"
OPTIONS = "/api/accounts/{accountId}/syncoptions/{systemId}"


def patch(caller: Program, account: Account, *operations: tuple[Any, ...]) -> Any:
    """The answer to a patch of (op, path, value)."""
    body = [dict(zip(("op", "path", "value"), item, strict=False)) for item in operations]
    return caller.call("PATCH", f"/api/accounts/{account.pk}", body)


# --- JSON Patch -------------------------------------------------------------------------------------------------------
def test_a_reseller_changes_his_customer(shop: Shop, reseller: Program):
    account = shop.end_customer
    answer = patch(
        reseller,
        account,
        ("test", "/Name", account.name),
        ("replace", "/name", "Fern GmbH"),
        ("add", "/phone", "+49 228 1"),
        ("replace", "/billingAddress/city", "Bonn"),
        ("replace", "/billingAddress/countryId", 120),
        ("remove", "/website"),
        ("replace", "/isAffiliate", "false"),
    )
    body = check(answer, ONE, method="patch", reseller=True)
    assert (body["name"], body["phone"]) == ("Fern GmbH", "+49 228 1")
    account.refresh_from_db()
    assert (account.city, account.country) == ("Bonn", "AT")
    entry = AuditEntry.objects.filter(action="account.updated").latest("pk")
    assert entry.actor_label == "API: Sync"


def test_json_patch_has_a_type_of_its_own(shop: Shop, reseller: Program):
    body = json.dumps([{"op": "replace", "path": "/name", "value": "Elm"}])
    headers = {"host": shop.site.host, "authorization": f"Bearer {reseller.token}"}
    path = f"/api/accounts/{shop.end_customer.pk}"
    answer = Client(headers=headers).patch(path, body, content_type="application/json-patch+json")
    assert (answer.status_code, answer.json()["name"]) == (200, "Elm")
    wrong = Client(headers=headers).patch(path, body, content_type="text/plain")
    assert wrong.status_code == 415


def test_the_distributor_changes_credit_and_hold(shop: Shop, distributor: Program):
    answer = patch(
        distributor,
        shop.reseller,
        ("replace", "/creditLimit", "250.50"),
        ("replace", "/taxable", "false"),
        ("replace", "/orderingEnabled", "false"),
        ("test", "/noteType", "Invoice"),
    )
    body = check(answer, ONE, method="patch")
    assert (body["creditLimit"], body["taxable"], body["orderingEnabled"]) == (250.5, False, False)
    row = Account.objects.get(pk=shop.reseller.pk)
    assert (row.credit_limit, row.status) == (Decimal("250.50"), AccountStatus.SUSPENDED)
    body = patch(distributor, row, ("remove", "/orderingEnabled"), ("remove", "/taxable")).json()
    assert (body["orderingEnabled"], body["taxable"]) == (True, True)


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        (("replace", "/name", ""), "required"),
        (("remove", "/name"), "required"),
        (("replace", "/name", 5), "invalid_text"),
        (("replace", "/name", "x" * 101), "too_long"),
        (("replace", "/registrationNumber", "x" * 31), "too_long"),
        (("replace", "/email", "nobody"), "invalid_email"),
        (("replace", "/creditLimit", 5), "member_not_allowed"),
        (("replace", "/orderingEnabled", False), "member_not_allowed"),
        (("replace", "/billingToId", 5), "member_not_allowed"),
        (("replace", "/edition", "standard"), "member_not_allowed"),
        (("replace", "/kind", "reseller"), "member_not_allowed"),
        (("replace", "/isAffiliate", True), "member_not_allowed"),
        (("replace", "/noteType", 2), "member_not_allowed"),
        (("replace", "/separateInvoices", False), "member_not_allowed"),
        (("replace", "/billingAddress/stateId", 5), "invalid_option"),
        (("test", "/billingAddress/stateId", 5), "test_failed"),
        (("test", "/fax", "1"), "test_failed"),
        (("test", "/name", None), "test_failed"),
        (("replace", "/nonsense", 1), "unknown_member"),
        (("replace", "/account__users__password", "x"), "unknown_member"),
        (("test", "/name", "Somebody else"), "test_failed"),
        (("move", "/name", "x"), "invalid_option"),
        (("replace", "name", "x"), "invalid_option"),
        (("replace", "/name"), "required"),
        (("replace", "/billingAddress/countryId", 1), "invalid_option"),
        (("replace", "/billingAddress", "Road 1"), "invalid_body"),
        (("replace", "/billingAddress", {"street": "Road 1"}), "unknown_member"),
    ],
)
def test_a_patch_is_all_or_nothing(shop: Shop, reseller: Program, operation: tuple[Any, ...], code: str):
    before = Account.objects.filter(pk=shop.end_customer.pk).values().get()
    answer = patch(reseller, shop.end_customer, ("replace", "/phone", "1"), operation)
    body = check(answer, ONE, method="patch")
    assert (answer.status_code, body["type"], body["code"]) == (400, "AccountNotUpdatedError", code)
    assert body["errors"][0]["pointer"].startswith("/1")
    assert Account.objects.filter(pk=shop.end_customer.pk).values().get() == before


@pytest.mark.parametrize("value", [[1], {"city": "Bonn"}, "x"])
def test_the_value_of_a_removal_counts_for_nothing(shop: Shop, reseller: Program, value: object):
    plain = patch(reseller, shop.end_customer, ("remove", "/billingAddress"))
    answer = patch(reseller, shop.end_customer, ("remove", "/billingAddress", value))
    assert answer.status_code == plain.status_code < 500
    shop.end_customer.refresh_from_db()
    assert shop.end_customer.city != "Bonn"


def test_members_that_an_account_has_besides(shop: Shop, reseller: Program):
    texts = {
        "fax": "+49 228 2",
        "tradingName": "Fern & Co",
        "businessActivity": "Gardens",
        "website": "https://fern.test",
    }
    account = shop.end_customer
    check(
        patch(
            reseller,
            account,
            *(("test", f"/{name}", None) for name in texts),
            *(("add", f"/{name}", text) for name, text in texts.items()),
            *(("test", f"/{name}", text) for name, text in texts.items()),
        ),
        ONE,
        method="patch",
        reseller=True,
    )
    read = check(reseller.get(f"/api/accounts/{account.pk}"), ONE, reseller=True)
    assert {name: read[name] for name in texts} == texts
    for name, text in texts.items():
        found = reseller.get(f"/api/accounts?$filter={name} eq '{text.replace('&', '%26').replace('+', '%2B')}'").json()
        assert [row["id"] for row in found["data"]] == [account.pk], name
    assert patch(reseller, account, *(("remove", f"/{name}") for name in texts)).status_code == 200
    assert [reseller.get(f"/api/accounts/{account.pk}").json()[name] for name in texts] == [None] * 4


def test_the_document_an_account_is_billed_by(shop: Shop, distributor: Program):
    for value, word in ((2, "Receipt"), ("Invoice", "Invoice"), ("2", "Receipt"), (1, "Invoice")):
        body = check(patch(distributor, shop.customer, ("replace", "/noteType", value)), ONE, method="patch")
        assert body["noteType"] == word
    assert patch(distributor, shop.customer, ("test", "/noteType", 2)).json()["code"] == "test_failed"
    patch(distributor, shop.customer, ("replace", "/noteType", 2))
    assert patch(distributor, shop.customer, ("remove", "/noteType")).json()["noteType"] == "Invoice"
    for member, wrong, same in (("separateInvoices", True, "false"), ("billingFrequencyMarkup", 5, "0")):
        refused = patch(distributor, shop.customer, ("replace", f"/{member}", wrong))
        assert refused.json()["code"] == "member_not_allowed"
        assert patch(distributor, shop.customer, ("replace", f"/{member}", same)).status_code == 200


def test_each_side_has_its_own_key_of_an_account(shop: Shop, distributor: Program, reseller: Program):
    account, one = shop.end_customer, f"/api/accounts/{shop.end_customer.pk}"
    assert patch(distributor, account, ("replace", "/integrationId", "ERP-1")).json()["integrationId"] == "ERP-1"
    assert reseller.get(one).json()["integrationId"] is None
    assert patch(reseller, account, ("replace", "/integrationId", "mine")).json()["integrationId"] == "mine"
    assert distributor.get(one).json()["integrationId"] == "ERP-1"
    for caller, key, count in ((distributor, "ERP-1", 1), (reseller, "mine", 1), (reseller, "ERP-1", 0)):
        page = caller.get(f"/api/accounts?$filter=integrationId eq '{key}'").json()
        assert len(page["data"]) == count, key
    for caller, key, other in ((distributor, "ERP-1", shop.customer), (reseller, "mine", shop.reseller)):
        refused = patch(caller, other, ("test", "/fax", None), ("replace", "/integrationId", key))
        assert refused.json()["code"] == "integration_id_taken"
        assert refused.json()["errors"][0]["pointer"] == "/1/value"
    # Another reseller's programs have keys of their own.
    assert patch(distributor, shop.customer, ("replace", "/integrationId", "mine")).status_code == 200


def test_the_key_of_the_former_resellers_programs_is_forgotten(shop: Shop, reseller: Program):
    assert patch(reseller, shop.end_customer, ("replace", "/integrationId", "mine")).status_code == 200
    turn_account(shop.staff, account=shop.end_customer, kind=AccountKind.AFFILIATE)
    assert Account.objects.get(pk=shop.end_customer.pk).reseller_integration_id == "mine"
    turn_account(shop.staff, account=shop.end_customer, kind=AccountKind.DIRECT)
    assert Account.objects.get(pk=shop.end_customer.pk).reseller_integration_id == ""


def test_a_state_stays_or_goes(shop: Shop, reseller: Program):
    account = shop.end_customer
    Account.objects.filter(pk=account.pk).update(state="NRW")
    state = reseller.get(f"/api/accounts/{account.pk}/billingaddress").json()["state"]
    place = {"address": "Road 1", "city": "Bonn", "postCode": "53111", "countryId": 405}
    for value in (state["id"], str(state["id"])):
        answer = patch(reseller, account, ("replace", "/billingAddress", place | {"stateId": value}))
        assert answer.status_code == 200, answer.content
    account.refresh_from_db()
    assert (account.state, account.city) == ("NRW", "Bonn")
    assert patch(reseller, account, ("replace", "/billingAddress/stateId", None)).status_code == 200
    account.refresh_from_db()
    assert account.state == ""


def test_every_operation_to_blame_is_named(shop: Shop, reseller: Program):
    answer = patch(
        reseller,
        shop.end_customer,
        ("replace", "/name", ""),
        ("replace", "/phone", "1"),
        ("replace", "/nonsense", 1),
        ("replace", "/billingAddress/countryId", 1),
    )
    body = check(answer, ONE, method="patch")
    assert [(item["pointer"], item["code"]) for item in body["errors"]] == [
        ("/0/value", "required"),
        ("/2/path", "unknown_member"),
        ("/3/value", "invalid_option"),
    ]
    assert (body["type"], body["code"]) == ("AccountNotUpdatedError", "validation_failed")


def test_what_a_service_refuses_is_blamed_on_the_operation(shop: Shop, distributor: Program):
    assert patch(distributor, shop.customer, ("replace", "/code", "D-1")).status_code == 200
    answer = patch(distributor, shop.reseller, ("replace", "/phone", "1"), ("replace", "/code", "D-1"))
    body = check(answer, ONE, method="patch")
    assert body["errors"] == [
        {"code": "accounting_number_taken", "detail": body["detail"], "pointer": "/1/value"},
    ]


def test_the_whole_address(shop: Shop, reseller: Program):
    place = {"address": "Road 1", "city": "Bonn", "postCode": "53111", "countryId": 405}
    assert patch(reseller, shop.end_customer, ("replace", "/billingAddress", place)).status_code == 200
    shop.end_customer.refresh_from_db()
    assert (shop.end_customer.address_line1, shop.end_customer.address_line2) == ("Road 1", "")


def test_nobody_changes_a_foreign_account(shop: Shop, reseller: Program):
    for key in (shop.customer.pk, 2_000_000_000):
        for method, path, body in (
            ("PATCH", f"/api/accounts/{key}", [{"op": "replace", "path": "/name", "value": "x"}]),
            ("POST", f"/api/accounts/{key}/synchronizations/{shop.instance.pk}", None),
            ("GET", f"/api/accounts/{key}/syncoptions/{shop.instance.pk}", None),
            ("POST", f"/api/accounts/{key}/syncoptions/{shop.instance.pk}", []),
        ):
            answer = reseller.call(method, path, body)
            assert (answer.status_code, answer.json()["type"]) == (404, "AccountNotFoundError")


def test_custom_fields_of_accounts(shop: Shop, reseller: Program):
    field = CustomField.objects.create(
        organization=shop.organization,
        entity="account",
        code="region",
        name="Region",
        field_type="list",
        options=["North", "South"],
        provisioning_code=3,
        shop_visible=True,
        shop_editable=True,
    )
    where = f"/api/accounts/{shop.end_customer.pk}"
    put = reseller.call("PUT", f"{where}/customfields", [{"id": field.pk, "value": "south"}])
    values = check(put, f"{ONE}/customfields", method="put")
    assert values[0]["groupFields"][0]["values"] == [{"id": str(field.option_numbers["South"]), "value": "South"}]
    assert reseller.get(f"{where}?include=customFields").json()["customFields"] == values
    wrong = reseller.call("PUT", f"{where}/customfields", [{"id": field.pk, "value": "West"}])
    assert (wrong.json()["type"], wrong.json()["errors"][0]["pointer"]) == ("CustomFieldsNotUpdatedError", "/0/value")


# --- Making accounts --------------------------------------------------------------------------------------------------
def test_refused_accounts_have_the_contracts_type(shop: Shop, reseller: Program):
    for body in ({"name": ""}, {"name": "X", "billingAddress": None}, {"name": "X", "nonsense": 1}, []):
        answer = reseller.post("/api/accounts", body)
        assert (answer.status_code, answer.json()["type"]) == (400, "AccountNotCreatedError")
    Account.objects.filter(pk=shop.reseller.pk).update(status=AccountStatus.SUSPENDED)
    answer = reseller.post("/api/accounts", {"name": "X", "billingAddress": {"countryId": 405}})
    assert (answer.json()["type"], answer.json()["code"]) == ("AccountNotCreatedError", "account_on_hold")
    assert reseller.get("/api/accounts").status_code == 200


# --- What vendors ask, and setting up ---------------------------------------------------------------------------------
def test_sync_options_are_read_and_kept(shop: Shop, reseller: Program):
    path = f"/api/accounts/{shop.end_customer.pk}/syncoptions/{shop.instance.pk}"
    system = check(reseller.get(path), OPTIONS)["systems"][0]
    assert (system["id"], system["code"]) == (shop.instance.pk, "microsoft_cloud")
    aliases = {option["alias"] for option in system["options"]}
    assert "domain_prefix" in aliases
    assert not {"mpn_id", "agreement_accepted"} & aliases
    answer = reseller.post(path, [{"alias": "domain_prefix", "value": "fern"}, {"alias": "username", "value": "boss"}])
    body = check(answer, OPTIONS, method="post")
    assert {option["alias"]: option["value"] for option in body["options"]}["domain_prefix"] == "fern"
    reseller.post(path, [{"alias": "username", "value": None}])
    assert AccountLink.objects.get(account=shop.end_customer).options == {"domain_prefix": "fern"}
    for entries, code in (([{"alias": "nonsense"}], "unknown_option"), ({}, "invalid_body"), ([{}], "required")):
        refused = reseller.post(path, entries)
        assert (refused.status_code, refused.json()["code"]) == (400, code)


def test_the_vendor_is_told_once(shop: Shop, reseller: Program):
    path = f"/api/accounts/{shop.end_customer.pk}/synchronizations/{shop.instance.pk}"
    first = check(reseller.post(path), SYNC, method="post")
    assert (first["type"], first["code"]) == ("AccountNotUpdatedError", "link_not_ready")
    link = ensure_link(shop.end_customer, shop.instance)
    save_options(shop.staff, link=link, options={"domain_prefix": "fern"})
    for _try in range(2):
        body = check(reseller.post(path), SYNC, method="post")
        assert body == {"success": True, "syncStatus": "InProgress", "error": None}
    assert Operation.objects.filter(verb=Verb.ACCOUNT_SYNC).count() == 1
    AccountLink.objects.filter(pk=link.pk).update(state=LinkState.SYNCHRONIZED)
    Operation.objects.update(state=OperationState.DONE)
    assert reseller.post(path).json()["syncStatus"] == "Synchronized"
    late = reseller.post(path.replace("synchronizations", "syncoptions"), [{"alias": "domain_prefix", "value": "x"}])
    assert late.status_code == 400
    assert reseller.post(path.rpartition("/")[0] + "/2000000000").json()["type"] == "NotFoundError"
    foreign = factories.instance(factories.organization())
    assert reseller.post(path.rpartition("/")[0] + f"/{foreign.pk}").status_code == 404


def test_rights(shop: Shop, reseller: Program):
    reader = program(shop, of=shop.reseller, scopes=("accounts:read",))
    one = f"/api/accounts/{shop.end_customer.pk}"
    for method, path in (("PATCH", ""), ("POST", "/synchronizations/1"), ("POST", "/syncoptions/1")):
        assert reader.call(method, one + path, []).json()["code"] == "scope_missing"
    set_edition(shop.reseller, Edition.FREE)
    assert patch(reseller, shop.end_customer, ("replace", "/name", "x")).json()["code"] == "edition_required"


# --- Retry ------------------------------------------------------------------------------------------------------------
def test_a_refused_change_is_tried_again(shop: Shop, distributor: Program, reseller: Program, resold: Subscription):
    path = f"/api/subscriptions/{resold.public_id}/synchronization/retry"
    assert distributor.post(path).json()["code"] == "not_retriable"
    assert distributor.post(f"/api/subscriptions/{resold.public_id}/quantity", {"quantity": 2}).status_code == 200
    Operation.objects.filter(subscription=resold, purpose="reduce").update(state=OperationState.REFUSED, code="x")
    Subscription.objects.filter(pk=resold.pk).update(sync_status="failed")
    assert distributor.get(path.rpartition("/")[0]).json()["allowedActions"] == ["retry"]
    assert reseller.post(path).json()["code"] == "not_enabled"
    answer = distributor.post(path)
    assert (answer.status_code, answer.content) == (202, b"")
    assert answer["Location"].endswith("/synchronization")
    assert Operation.objects.filter(subscription=resold, purpose="reduce").count() == 2
    assert distributor.post(path).json()["code"] == "not_retriable"
    foreign = f"/api/subscriptions/{resold.public_id}/addons/{shop.product.public_id}/synchronization/retry"
    assert distributor.post(foreign).json()["type"] == "SubscriptionAddonNotFoundError"
