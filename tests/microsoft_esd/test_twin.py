"""The connector against the vendor twin, over real HTTP."""

import datetime as dt
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from core import clock
from microsoft_esd.calls import CALLS
from microsoft_esd.connector import EsdConnector
from provisioning.ports import AssetRequest, ClientCertificate, ErrorKind, Outcome, Result, VendorError
from sandbox.seed import esd
from tests.microsoft_esd.conftest import EsdContext, make_request
from tests.office365.memory import MemoryProgress
from tests.sandbox.esd import GREECE, NOT_RETURNABLE, OFFICE, RESOURCE, made_pair
from tests.twins import Twins


@pytest.fixture
def there(twin: Twins, ctx: EsdContext) -> EsdContext:
    """A context at the distributor of Greece, whose certificate the twin knows."""
    return at_twin(twin, ctx)


def at_twin(twin: Twins, ctx: EsdContext) -> EsdContext:
    pair = made_pair()
    twin.call("POST", "/_twin/cis/certificates", json={"client_id": GREECE.client_id, "pem": pair.pem})
    ctx.settings = {
        **ctx.settings,
        "resource_api": RESOURCE,
        "service_url": f"{twin.url}/cis/v3_1/",
        "authority": f"{twin.url}/login",
        "tenant": esd.TENANT,
        "channel_id": GREECE.channel_id,
        "client_id": GREECE.client_id,
    }
    key = pair.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    ends = clock.real_now() + dt.timedelta(days=20)
    ctx.bound = ClientCertificate(pair.thumbprint, pair.pem, key.decode(), "EUR", ends)
    ctx.clock = clock.real_now()
    return ctx


def again(there: EsdContext) -> EsdContext:
    return there.again()


def order(sku: str = OFFICE, **changes: Any) -> AssetRequest:
    values = {"attributes": {"sku": sku, "is_returnable": True, "return_window_days": None}, **changes}
    return make_request(purchased_at=clock.real_now(), **values)


def bought(connector: EsdConnector, there: EsdContext, sku: str = OFFICE) -> AssetRequest:
    one = again(there)
    result = connector.asset_create(one, order(sku))
    ids = {"external_id": result.external_id, "transaction_id": result.data["transaction_id"]}
    return order(sku, origin_id=str(one.operation_id), **ids)


def until_decided(connector: EsdConnector, verb: str, there: EsdContext, request: AssetRequest) -> Result:
    """Call as the platform does: again and again, until it is decided."""
    for _attempt in range(12):
        try:
            result: Result = getattr(connector, verb)(there, request)
        except VendorError as error:
            assert error.kind in (ErrorKind.UNKNOWN, ErrorKind.NOT_SENT, ErrorKind.THROTTLED, ErrorKind.CONTRACT)
            continue
        if result.outcome in (Outcome.DONE, Outcome.REFUSED):
            return result
    raise AssertionError("never decided")


def state(twin: Twins, table: str) -> list[dict[str, Any]]:
    return twin.state("cis")[table]


@pytest.fixture
def live() -> EsdConnector:
    return EsdConnector()


def test_twin_lists_our_calls(twin: Twins) -> None:
    known = twin.call("GET", "/_twin/operations")["cis"]["operations"]
    assert {name for name in CALLS if name != "get_token_v1"} <= set(known)


def test_connection_and_catalogue(live: EsdConnector, there: EsdContext) -> None:
    assert live.test_connection(there).message == "Microsoft gave a token and the catalogue."
    first = live.service_definition(there, MemoryProgress())
    there.definition_marker = first.marker
    second = live.service_definition(there, MemoryProgress())
    products = {row.attributes["sku"]: row for row in first.product_types[0].products}
    assert first.complete is True
    assert list(first.problems) == []
    assert products[OFFICE].name.endswith("λήψη")
    assert products[NOT_RETURNABLE].attributes["is_returnable"] is False
    assert {row.product_code for row in first.prices} == {row.code for row in products.values()}
    assert {row.currency for row in first.prices} == {"EUR", "USD"}
    assert (second.complete, list(second.product_types), second.marker) == (False, [], first.marker)


def test_licence_lives_and_goes_back(live: EsdConnector, there: EsdContext) -> None:
    request = bought(live, there)
    shown = live.asset_status(there, request)
    returned = live.asset_cancel(there, request)
    later = live.asset_cancel(again(there), request)
    assert shown.data["token_status"] == "activated"
    assert "returnable_until" in shown.data
    assert (returned.outcome, returned.data["return_status"]) == (Outcome.DONE, "successful")
    assert later.outcome == Outcome.DONE


def test_refusals(live: EsdConnector, there: EsdContext) -> None:
    unknown = live.asset_create(again(there), order("no-such-sku"))
    kept = live.asset_cancel(again(there), bought(live, there, NOT_RETURNABLE))
    assert (unknown.outcome, unknown.code) == (Outcome.REFUSED, "discontinued")
    assert (kept.outcome, kept.code) == (Outcome.REFUSED, "not_returnable")


def test_foreign_certificate_is_refused(live: EsdConnector, there: EsdContext) -> None:
    pair = made_pair("other.example.com")
    key = pair.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    there.bound = ClientCertificate(pair.thumbprint, pair.pem, key.decode(), "EUR", there.bound.expires_at)  # type: ignore[union-attr]
    result = live.test_connection(there)
    assert (result.ok, result.code) == (False, "credentials_refused")


@pytest.mark.parametrize(
    "kind",
    [
        "timeout_before", "timeout_after", "reset_before", "reset_after", "drop_before", "drop_after",
        "http_500_before", "http_500_after", "http_429", "auth_401", "html_page", "empty_body", "malformed",
        "truncated", "bom", "unknown_enum", "camel_case", "missing_optional",
    ],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["asset_create", "asset_cancel"])
def test_faults_leave_one_effect(
    live: EsdConnector, there: EsdContext, twin: Twins, settings: Any, verb: str, kind: str
) -> None:
    settings.VENDOR_READ_TIMEOUT = settings.VENDOR_WRITE_TIMEOUT = 0.7
    request = order() if verb == "asset_create" else bought(live, there)
    operation = "purchase" if verb == "asset_create" else "return_license"
    twin.fault(operation, kind, vendor="cis")

    result = until_decided(live, verb, there, request)

    [licence] = state(twin, "licences")
    assert (result.outcome, licence["id"]) == (Outcome.DONE, result.external_id)
    assert licence["TokenStatus"] == ("Activated" if verb == "asset_create" else "ReturnAccepted")


def test_late_transactions_do_not_double(live: EsdConnector, there: EsdContext, twin: Twins, settings: Any) -> None:
    settings.VENDOR_READ_TIMEOUT = settings.VENDOR_WRITE_TIMEOUT = 0.7
    twin.fault("get_transaction", "lag", vendor="cis", seconds=60)
    twin.fault("purchase", "timeout_after", vendor="cis")
    result = until_decided(live, "asset_create", there, order())
    [licence] = state(twin, "licences")
    assert licence["id"] == result.external_id


@pytest.mark.parametrize(("count", "kind"), [(0, ErrorKind.CONTRACT), (2, ErrorKind.CONTRACT)])
def test_wrong_number_of_tokens(
    live: EsdConnector, there: EsdContext, twin: Twins, count: int, kind: ErrorKind
) -> None:
    twin.fault("purchase", "tokens", vendor="cis", count=count)
    with pytest.raises(VendorError) as caught:
        live.asset_create(there, order())
    assert caught.value.kind is kind


@pytest.mark.parametrize("form", ["202", "state"])
def test_pending_purchase(live: EsdConnector, there: EsdContext, twin: Twins, form: str) -> None:
    twin.fault("purchase", "pending", vendor="cis", seconds=30, form=form)
    first = live.asset_create(there, order())
    twin.advance("PT1M")
    second = live.asset_create(there, order())
    assert (first.outcome, second.outcome) == (Outcome.WAITING, Outcome.DONE)


def test_catalogue_that_moves(live: EsdConnector, there: EsdContext, twin: Twins) -> None:
    twin.call("POST", "/_twin/cis/catalog", json={"country": "GR", "page_size": 10})
    twin.fault("list_catalog", "version_moves", vendor="cis")
    definition = live.service_definition(there, MemoryProgress())
    codes = [row.code for row in definition.product_types[0].products]
    assert (len(codes), definition.complete) == (len(set(codes)), True)
