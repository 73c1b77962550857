"""The customer's tenant: one at most, checks in the documented order, agreement, relationship."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from office365.connector import Office365Connector
from office365.mapping import customer_body
from provisioning.ports import Address, ErrorKind, FieldKind, Outcome, Result, VendorError
from tests.office365.conftest import TENANT, make_account
from tests.office365.fake_server import FakeServer, reply
from tests.office365.memory import Killed, MemoryContext

FIXTURES = Path(__file__).parent / "fixtures"


def drive(connector: Office365Connector, ctx: MemoryContext, rounds: int = 8, **changes: Any) -> Result:
    """Call account_sync() as the platform does, until it is done."""
    result = Result(Outcome.UNKNOWN)
    for _ in range(rounds):
        try:
            result = connector.account_sync(ctx, make_account(**changes))
        except Killed:
            ctx.killer.at = -1
        except VendorError as error:
            if error.kind not in {ErrorKind.UNKNOWN, ErrorKind.NOT_SENT, ErrorKind.THROTTLED}:
                raise
        if result.outcome is Outcome.DONE:
            return result
        ctx.later(minutes=1)
    return result


def test_account_sync_creates_in_documented_order(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    result = drive(connector, ctx)
    assert result.outcome is Outcome.DONE
    assert [name for name, _id, _body in server.requests] == [
        "get_country_rules", "check_address", "check_domain", "create_customer", "get_customer",
        "list_agreement_templates", "accept_agreement",
    ]  # fmt: skip
    assert result.secrets == {"admin_password": "once-only"}
    assert result.data == {
        "domain": "elmbakery.onmicrosoft.com", "admin_user": "admin@elmbakery.onmicrosoft.com", "agreement": "accepted",
    }  # fmt: skip
    assert ctx.secrets.get(f"admin_password:{ctx.operation_id}") == ""
    assert "once-only" not in json.dumps(ctx.steps.values)
    accepted = server.requests[-1][2]
    assert accepted["templateId"] == "t-1"
    assert accepted["dateAgreed"] == "2026-11-20T00:00:00Z"


@pytest.mark.parametrize("kind", ["before", "after", "not_sent"])
def test_account_sync_time_out_makes_one_tenant(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer, kind: str
) -> None:
    server.fail("create_customer", kind)
    result = drive(connector, ctx)
    own = [row for row in server.customers.values() if row["companyProfile"]["domain"].startswith("elmbakery")]
    assert (result.outcome, [row["id"] for row in own]) == (Outcome.DONE, [result.external_id])
    assert ("password_lost" in result.data) is (kind == "after")


def test_account_sync_killed_anywhere_makes_one_tenant() -> None:
    point = 0
    while True:
        context = MemoryContext()
        server = FakeServer(context.killer)
        context.killer.at = point
        result = drive(Office365Connector(http=server), context)  # type: ignore[arg-type]
        assert (result.outcome, len(server.customers)) == (Outcome.DONE, 1), point
        assert server.agreements == {result.external_id}, point
        if context.killer.at != -1:
            break
        point += 1
    assert point > 12


def test_account_sync_taken_domain_never_creates(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    with pytest.raises(VendorError) as caught:
        connector.account_sync(ctx, make_account(options={"domain_prefix": "contoso"}))
    assert caught.value.code == "tenant_name_taken"
    assert caught.value.field_errors == {"domain_prefix": "This prefix is used. Choose another."}
    assert server.count("create_customer") == 0


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        (Address("", "", "Redmond", "WA", "98052", "US"), {"line1"}),
        (Address("1 Way", "", "Redmond", "WA", "9805", "US"), {"postal_code"}),
        (Address("1 Way", "", "", "WA", "98052", "US"), {"city"}),
        (Address("1 Way", "", "Nowhere", "WA", "98052", "US"), {"line1"}),
    ],
)
def test_account_sync_bad_address_is_a_field_message(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer, address: Address, fields: set[str]
) -> None:
    with pytest.raises(VendorError) as caught:
        connector.account_sync(ctx, make_account(address=address))
    assert (caught.value.code, set(caught.value.field_errors)) == ("address_invalid", fields)
    assert server.count("create_customer") == 0


def test_check_address_offers_suggestions(connector: Office365Connector, ctx: MemoryContext) -> None:
    result = connector.check_address(ctx, Address("1 Way", "", "Nowhere", "WA", "98052", "US"))
    assert not result.ok
    assert [row["city"] for row in result.suggestions] == ["Redmond"]
    assert connector.check_address(ctx, Address("1 Way", "", "Redmond", "WA", "98052", "US")).ok


def test_check_address_older_answer_inside_description(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    sample = json.loads((FIXTURES / "doc_samples/B_validate-an-address_2021-03_400.json").read_text(encoding="utf-8"))
    server.fail("check_address", "answer", reply(400, sample["response"]["body"]))
    result = connector.check_address(ctx, Address("One Microsoft Way", "", "Redmond", "WA", "98052", "US"))
    assert not result.ok
    assert dict(result.suggestions[0])["city"] == "BELLEVUE"
    server.fail("check_address", "answer", reply(200))
    assert connector.check_address(ctx, Address("One Microsoft Way", "", "Redmond", "WA", "98052", "US")).ok


def test_check_domain(connector: Office365Connector, ctx: MemoryContext, server: FakeServer) -> None:
    assert connector.check_domain(ctx, {"domain_prefix": "ElmBakery"}).ok
    assert connector.check_domain(ctx, {"domain_prefix": "contoso"}).code == "tenant_name_taken"
    assert connector.check_domain(ctx, {"domain_prefix": "elm-bakery"}).code == "domain_prefix_invalid"
    assert server.count("check_domain") == 2


def test_account_sync_existing_tenant_waits_for_relationship(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    options = {"has_tenant": "true", "domain": "Contoso.onmicrosoft.com"}
    server.customers[TENANT]["relationshipToPartner"] = "none"
    assert connector.account_sync(ctx, make_account(options=options)).outcome is Outcome.WAITING
    server.customers[TENANT]["relationshipToPartner"] = "reseller"
    result = connector.account_sync(ctx, make_account(options=options))
    assert (result.outcome, result.external_id) == (Outcome.DONE, TENANT)
    assert server.count("create_customer") == 0


def test_account_sync_consent_lost_keeps_the_tenant(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    server.refresh_tokens = set()
    result = drive(connector, ctx)
    assert (result.outcome, result.code, result.flag) == (Outcome.DONE, "agreement_pending", "consent_lost")
    assert result.secrets == {"admin_password": "once-only"}


@pytest.mark.parametrize(
    ("mode", "sent"), [("end_customer", True), ("personal_use", False), ("affiliate_account", False)]
)
def test_relationship_link_names_the_reseller_for_end_customers_only(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer, mode: str, sent: bool
) -> None:
    asked: list[dict[str, str]] = []

    def link(path: str, query: dict[str, str], body: object) -> object:
        asked.append(query)
        return reply(200, {"url": "https://invite"})

    server.overrides["get_relationship_link"] = link  # type: ignore[assignment]
    account = make_account(purchase_mode=mode, reseller_tenant_id="99fc7f44-0d86-438b-9269-84e640d71b12")
    assert connector.relationship_link(ctx, account) == "https://invite"
    partner = str(ctx.settings["partner_tenant"])
    whole = {"indirectCloudSolutionProviderId": partner, "indirectResellerId": account.reseller_tenant_id}
    assert asked == [whole if sent else {}]


def test_agreement_accept_again_is_done(connector: Office365Connector, ctx: MemoryContext, server: FakeServer) -> None:
    account = make_account(external_id=TENANT)
    assert connector.agreement_accept(ctx, account).outcome is Outcome.DONE
    assert connector.agreement_status(ctx, account).ok
    assert connector.agreement_accept(ctx, replace(account, agreement=None)).code == "agreement_missing"


def test_check_partner_id(connector: Office365Connector, ctx: MemoryContext, server: FakeServer) -> None:
    known = {"mpnId": "4847383", "partnerName": "Cedar"}
    server.overrides["get_mpn_profile"] = lambda path, query, body: (
        reply(200, known) if query["mpnId"] == "4847383" else reply(404, {"code": 3000, "description": "unknown"})
    )
    signed = {"value": True}
    server.overrides["get_partner_agreement_status"] = lambda **_: reply(200, {"isAgreementSigned": signed["value"]})
    resellers = [{"id": "tenant-1", "name": "Cedar Cloud", "mpnId": "4847383", "state": "active"}]
    server.overrides["list_relationships"] = lambda **_: reply(200, {"totalCount": 1, "items": resellers})
    expected = {"mpn_id": "4847383", "name": "Cedar Cloud", "tenant_id": "tenant-1"}
    assert connector.check_partner_id(ctx, "4847383").data == expected
    resellers[0]["state"] = "terminated"
    assert connector.check_partner_id(ctx, "4847383").code == "mpn_invalid"
    resellers[0]["state"] = ""
    assert connector.check_partner_id(ctx, "1").code == "mpn_invalid"
    assert connector.check_partner_id(ctx, "x1").code == "mpn_invalid"
    signed["value"] = False
    assert connector.check_partner_id(ctx, "4847383").code == "mpa_missing"


def test_customer_body_equals_documentation() -> None:
    sample = json.loads((FIXTURES / "doc_samples/B_create-a-customer.json").read_text(encoding="utf-8"))["request"][
        "body"
    ]
    body = customer_body(make_account(), "xyz.onmicrosoft.com", None)

    def keys(value: Any) -> Any:
        return {key.lower(): keys(item) for key, item in value.items()} if isinstance(value, dict) else None

    ours, theirs = keys(body), keys(sample)
    assert ours["companyprofile"] == theirs["companyprofile"]
    assert set(ours["billingprofile"]) == set(theirs["billingprofile"])
    extra = set(ours["billingprofile"]["defaultaddress"]) - set(theirs["billingprofile"]["defaultaddress"])
    assert extra == {"phonenumber"}
    assert "region" not in json.dumps(body).lower()
    british = customer_body(make_account(address=Address("1 Road", "", "London", "", "N1", "UK")), "d", None)
    assert british["billingProfile"]["defaultAddress"]["country"] == "GB"


def test_account_options_by_mode_and_country(connector: Office365Connector, ctx: MemoryContext) -> None:
    def ids(**changes: Any) -> set[str]:
        return {item.id for item in connector.account_options(ctx, make_account(**changes))}

    tenant = {"has_tenant", "username", "domain_prefix", "domain"}
    agreement = {"agreement_first_name", "agreement_last_name", "agreement_email", "agreement_phone", "agreement_date",
                 "agreement_accepted"}  # fmt: skip
    assert ids() == tenant
    assert ids(agreement=None) == tenant | agreement
    assert ids(purchase_mode="end_customer") == tenant | {"mpn_id"}
    assert ids(purchase_mode="end_customer", mpn_id="1", external_id=TENANT) == set()
    assert ids(purchase_mode="personal_use") == tenant
    assert ids(address=Address(country="PL")) == tenant | {"registration_number"}
    kinds = {item.id: item.kind for item in connector.account_options(ctx, make_account(agreement=None))}
    assert kinds["has_tenant"] is FieldKind.CHECKBOX and kinds["agreement_accepted"] is FieldKind.TERMS
