"""Making accounts by API: what the distributor's programs may say, every fault at once, and pointers of the wire."""

from decimal import Decimal
from typing import Any

import pytest

from core.custom_fields import CustomField, values_of
from resellers.enums import AccountKind, AccountStatus, Edition
from resellers.models import Account
from tests import factories
from tests.api.caller import Program
from tests.api.contract import check
from tests.shop import Shop

pytestmark = pytest.mark.django_db
ALL = "/api/accounts"
GERMANY = {"countryId": 405}


def faults_of(answer: Any) -> dict[str, str]:
    """The codes of a refusal by pointer."""
    body = check(answer, ALL, method="post")
    assert (answer.status_code, body["type"]) == (400, "AccountNotCreatedError")
    return {item["pointer"]: item["code"] for item in body["errors"]}


# --- The distributor's members ----------------------------------------------------------------------------------------
def test_the_distributor_says_what_was_agreed(shop: Shop, distributor: Program):
    body = {
        "name": "Fern GmbH",
        "billingAddress": GERMANY | {"stateId": None},
        "orderingEnabled": False,
        "taxable": False,
        "creditLimit": "250.50",
        "noteType": 2,
        "separateInvoices": False,
        "autoInvoiceNotification": False,
        "isBillingFrequencyEnabled": False,
        "billingFrequencyMarkup": 0,
    }
    made = check(distributor.post(ALL, body), ALL, method="post")
    assert made == distributor.get(f"{ALL}/{made['id']}").json()
    agreed = {name: made[name] for name in ("orderingEnabled", "taxable", "creditLimit", "noteType")}
    assert agreed == {"orderingEnabled": False, "taxable": False, "creditLimit": 250.5, "noteType": "Receipt"}
    row = Account.objects.get(pk=made["id"])
    assert (row.kind, row.status, row.credit_limit) == ("direct", AccountStatus.SUSPENDED, Decimal("250.5"))
    assert row.tax_exempt_reason


@pytest.mark.parametrize(
    ("more", "pointer", "code"),
    [
        ({"separateInvoices": True}, "/separateInvoices", "member_not_allowed"),
        ({"autoInvoiceNotification": True}, "/autoInvoiceNotification", "member_not_allowed"),
        ({"isBillingFrequencyEnabled": True}, "/isBillingFrequencyEnabled", "member_not_allowed"),
        ({"billingFrequencyMarkup": 5}, "/billingFrequencyMarkup", "member_not_allowed"),
        ({"noteType": 3}, "/noteType", "invalid_option"),
        ({"noteType": True}, "/noteType", "invalid_option"),
        ({"creditLimit": -1}, "/creditLimit", "invalid_number"),
        ({"taxable": "perhaps"}, "/taxable", "invalid_boolean"),
        ({"isAffiliate": True}, "/billingToId", "required"),
        ({"isAffiliate": True, "resellingEnabled": True, "billingToId": 1}, "/resellingEnabled", "invalid_option"),
        ({"resellingEnabled": True, "billingToId": 1}, "/billingToId", "invalid_option"),
        ({"billingToId": 2_000_000_000}, "/billingToId", "account_not_found"),
        ({"fax": "1"}, "/fax", "member_not_allowed"),
        ({"billingAddress": GERMANY | {"stateId": 5}}, "/billingAddress/stateId", "invalid_option"),
        ({"billingAddress": None}, "/billingAddress/countryId", "country_missing"),
        ({"billingAddress": "Bonn"}, "/billingAddress", "invalid_body"),
    ],
)
def test_the_distributor_is_told_what_cannot_be(
    shop: Shop, distributor: Program, more: dict[str, Any], pointer: str, code: str
):
    before = Account.objects.count()
    found = faults_of(distributor.post(ALL, {"name": "X", "billingAddress": GERMANY} | more))
    assert found[pointer] == code
    assert Account.objects.count() == before


@pytest.mark.parametrize(
    "member", ["orderingEnabled", "taxable", "creditLimit", "noteType", "separateInvoices", "billingToId"]
)
def test_resellers_agree_nothing_with_themselves(reseller: Program, member: str):
    found = faults_of(reseller.post(ALL, {"name": "X", "billingAddress": GERMANY, member: 1}))
    assert found == {f"/{member}": "member_not_allowed"}


@pytest.mark.parametrize(("is_affiliate", "kind"), [(True, AccountKind.AFFILIATE), (False, AccountKind.END_CUSTOMER)])
def test_the_distributor_makes_accounts_of_a_reseller(
    shop: Shop, distributor: Program, reseller: Program, is_affiliate: bool, kind: str
):
    body = {
        "name": "Fern Lab",
        "billingAddress": GERMANY,
        "isAffiliate": is_affiliate,
        "billingToId": shop.reseller.pk,
        "creditLimit": 0,
        "taxable": True,
    }
    made = check(distributor.post(ALL, body), ALL, method="post")
    row = Account.objects.get(pk=made["id"])
    assert (row.kind, row.bill_to_id, made["isAffiliate"]) == (kind, shop.reseller.pk, is_affiliate)
    assert reseller.get(f"{ALL}/{row.pk}").status_code == 200
    refused = distributor.post(ALL, body | {"billingToId": shop.customer.pk})
    assert faults_of(refused) == {"/billingToId": "bill_to_not_reseller"}
    foreign = factories.account(factories.organization(), AccountKind.RESELLER)
    refused = distributor.post(ALL, body | {"billingToId": foreign.pk})
    assert faults_of(refused) == {"/billingToId": "account_not_found"}


def test_the_distributor_makes_resellers(shop: Shop, distributor: Program):
    made = distributor.post(ALL, {"name": "Oak", "billingAddress": GERMANY, "resellingEnabled": True}).json()
    row = Account.objects.get(pk=made["id"])
    assert (made["resellingEnabled"], row.kind, row.edition) == (True, AccountKind.RESELLER, Edition.BASIC)


# --- Every fault at once ----------------------------------------------------------------------------------------------
def test_all_faults_are_told_together(shop: Shop, reseller: Program):
    body = {
        "name": "",
        "phone": 5,
        "email": "nobody",
        "nonsense": 1,
        "CREDITLIMIT": 5,
        "billingAddress": {"countryId": 1, "street": "Road 1", "city": "x" * 101},
        "customFields": [{"id": 1, "value": "x"}],
    }
    before = Account.objects.count()
    answer = reseller.post(ALL, body)
    assert faults_of(answer) == {
        "/name": "required",
        "/phone": "invalid_text",
        "/email": "invalid_email",
        "/nonsense": "unknown_member",
        "/creditLimit": "member_not_allowed",
        "/billingAddress/countryId": "invalid_option",
        "/billingAddress/street": "unknown_member",
        "/billingAddress/city": "too_long",
        "/customFields/0": "unknown_custom_field",
    }
    assert (answer.json()["code"], Account.objects.count()) == ("validation_failed", before)
    assert answer.json()["detail"].endswith("And 4 more.")


def test_custom_fields_of_a_new_account(shop: Shop, distributor: Program):
    field = CustomField.objects.create(
        organization=shop.organization,
        entity="account",
        code="region",
        name="Region",
        field_type="text",
        provisioning_code=3,
        shown_attribute="kind",
        shown_values=["reseller"],
    )
    body = {"name": "Oak", "billingAddress": GERMANY, "customFields": [{"id": field.pk, "value": "South"}]}
    assert faults_of(distributor.post(ALL, body)) == {"/customFields/0": "unknown_custom_field"}
    made = distributor.post(ALL, body | {"resellingEnabled": True}).json()
    assert values_of(Account.objects.get(pk=made["id"])) == {f"f{field.pk}": "South"}


def test_a_body_with_thousands_of_faults_gets_a_short_answer(shop: Shop, reseller: Program):
    answer = reseller.post(ALL, {f"x{number}": 1 for number in range(5000)})
    assert len(faults_of(answer)) == 100
    assert len(answer.content) < 20_000
