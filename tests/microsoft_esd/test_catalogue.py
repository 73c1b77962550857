"""Reading the catalogue (``esd.md`` 4 and 10)."""

import datetime as dt
import json
import tracemalloc
from decimal import Decimal

import pytest

from core.http import Answer
from microsoft_esd.connector import EsdConnector
from provisioning.ports import Cancelled, ErrorKind, PlanDef, PriceRow, ServiceDefinition, VendorError
from tests.microsoft_esd.conftest import EsdContext
from tests.microsoft_esd.fake_server import FakeServer, problem, product, reply
from tests.office365.memory import NOW, MemoryProgress


def read(connector: EsdConnector, ctx: EsdContext) -> ServiceDefinition:
    return connector.service_definition(ctx, MemoryProgress())


def codes(definition: ServiceDefinition) -> list[str]:
    return [row.code for kind in definition.product_types for row in kind.products]


def queries(server: FakeServer) -> list[dict[str, str]]:
    return [what for name, what in server.requests if name == "list_catalog"]


def test_full_read_of_all_pages(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.pages = [[product("A"), product("B")], [product("C", Status="Discontinued"), product("D")]]
    progress = MemoryProgress()

    definition = connector.service_definition(ctx, progress)

    assert (codes(definition), definition.complete) == (["OFFER-A", "OFFER-B", "OFFER-D"], True)
    assert (list(definition.discontinued), list(definition.problems)) == (["OFFER-C"], [])
    assert queries(server) == [{"lang": "el-GR", "pg": "1"}, {"lang": "el-GR", "pg": "2"}]
    assert [report[:2] for report in progress.reports] == [(1, 2), (2, 2)]
    [kind] = definition.product_types
    assert (kind.id, kind.name, kind.derivative) == ("esd", "Microsoft ESD", "LICENSE")
    assert (kind.split_quantity, kind.account_sync, kind.orderable) == (True, False, True)


def test_product_and_its_prices(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.pages = [[product("A", ReturnWindowDays=14, MinQuantity="0")]]
    definition = read(connector, ctx)
    [row] = definition.product_types[0].products
    assert (row.code, row.name, row.charge_type) == ("OFFER-A", "Product A", "one_time")
    assert (row.min_quantity, row.max_quantity, list(row.plans)) == (1, 50, [PlanDef("", "one_time")])
    assert row.description == ("A licence.\n\nhttps://offers.example/A\n\nMinimum quantity: 1. Maximum quantity: 50.")
    assert dict(row.attributes) == {
        "sku": "A",
        "offer_uri": "https://offers.example/A",
        "fulfillment_type": "token_and_download",
        "is_returnable": True,
        "return_window_days": 14,
        "country": "GR",
        "language": "el-GR",
        "min_quantity": 1,
        "max_quantity": 50,
    }
    assert row.update_options == {"name"}
    assert list(definition.prices) == [
        PriceRow(
            "OFFER-A",
            "",
            "one_time",
            "GR",
            "EUR",
            Decimal("88.00"),
            Decimal("99.50"),
            starts_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        )
    ]


def test_only_prices_of_now_are_taken(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    def price(kind: str, amount: str, since: str | None, until: str | None, currency: str = "EUR") -> dict[str, object]:
        return {"Amount": amount, "Currency": currency, "PriceType": kind, "ValidFrom": since, "ValidTo": until}

    rows = [
        price("Cost", "1.00", "2026-01-01T00:00:00Z", "2026-11-21T09:00:00Z"),
        price("Cost", "2.00", "2026-02-01T00:00:00Z", None),
        price("Cost", "3.00", "2026-03-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        price("Cost", "4.00", "2026-11-22T00:00:00Z", None),
        price("erp", "9.00", None, None),
        price("Cost", "5.00", None, None, "USD"),
    ]
    server.pages = [[product("A", Prices=rows)]]
    [row] = read(connector, ctx).prices
    assert (row.currency, row.cost, row.retail) == ("EUR", Decimal("3.00"), Decimal("9.00"))
    assert row.ends_at == dt.datetime(2026, 12, 1, tzinfo=dt.UTC)


def test_not_returnable_and_unsafe_offer(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.pages = [[product("A", ReturnType="NotReturnable", OfferUri="javascript:alert(1)", MaxQuantity=None,
                             FulfillmentType="Hologram", ReturnWindowDays=None)]]  # fmt: skip
    [row] = read(connector, ctx).product_types[0].products
    assert (row.attributes["is_returnable"], row.attributes["offer_uri"]) == (False, "")
    assert (row.attributes["fulfillment_type"], row.max_quantity) == ("unknown", 50)


def test_changes_since_the_last_run(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.pages = [[product("A"), product("B")]]
    ctx.definition_marker = read(connector, ctx).marker
    marker = json.loads(ctx.definition_marker)
    assert (marker["etag"], marker["version"], marker["full_at"]) == ('"100"', 100, NOW.isoformat())
    server.requests.clear()
    server.version, server.etag = 101, '"101"'
    server.pages = [[product("B", Name="New name"), product("A", Status="Discontinued")]]
    ctx.later(days=1)

    definition = read(connector, ctx)

    assert queries(server) == [{"lang": "el-GR", "pg": "1", "utcUpdatesFrom": "11/21/2026 08:00:00"}]
    assert server.headers[-1]["If-None-Match"] == '"100"'
    assert (codes(definition), definition.complete) == (["OFFER-B"], False)
    assert list(definition.discontinued) == ["OFFER-A"]
    after = json.loads(definition.marker)
    assert (after["full_at"], after["at"]) == (marker["full_at"], ctx.clock.isoformat())


def test_unchanged_catalogue(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.pages = [[product("A")]]
    ctx.definition_marker = read(connector, ctx).marker
    definition = read(connector, ctx)
    assert definition == ServiceDefinition(product_types=(), complete=False, marker=ctx.definition_marker)


@pytest.mark.parametrize(
    "change",
    [{"language": "en-US"}, {"country": "DE"}, {"client_id": "3c7e1f52-94ab-4d06-b8e1-5f20d9c6a703"}, "month", "junk"],
)
def test_when_everything_is_read_anew(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, change: dict[str, str] | str
) -> None:
    ctx.definition_marker = read(connector, ctx).marker
    if change == "month":
        ctx.later(days=30, seconds=1)
    elif change == "junk":
        ctx.definition_marker = '{"at": 7}'
    else:
        ctx.settings = {**ctx.settings, **change}  # type: ignore[dict-item]
    assert read(connector, ctx).complete is True
    assert "utcUpdatesFrom" not in queries(server)[-1]
    assert "If-None-Match" not in server.headers[-1]


def test_foreign_products_are_left_out_and_reported(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer
) -> None:
    server.pages = [[product("A", Country="DE"), product("B", Language="en-US"), product("C", Language="EL-gr")]]
    definition = read(connector, ctx)
    assert (codes(definition), definition.complete) == (["OFFER-C"], True)
    assert list(definition.problems) == [
        "OFFER-A is for DE in el-GR and was left out.",
        "OFFER-B is for GR in en-US and was left out.",
    ]


def test_unreadable_product_spoils_itself_only(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.pages = [[product("A", Sku=None), "odd", product("B", Prices="none"), product("C")]]  # type: ignore[list-item]
    definition = read(connector, ctx)
    assert (codes(definition), definition.complete, len(definition.problems)) == (["OFFER-C"], False, 3)
    assert json.loads(definition.marker)["full_at"] == ""


def test_many_problems_are_counted(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.pages = [[product(str(number), Country="DE") for number in range(205)]]
    problems = read(connector, ctx).problems
    assert (len(problems), problems[-1]) == (201, "5 more products were left out.")


def test_catalogue_that_moves_on_is_read_again(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.pages = [[product("A"), product("B")], [product("C")]]

    def move(number: int) -> None:
        if number == 1 and server.version < 102:
            server.version += 1
            server.pages = [[product("B")], [product("C"), product("D")]]

    server.on_page = move
    definition = read(connector, ctx)
    assert (codes(definition), definition.complete) == (["OFFER-B", "OFFER-C", "OFFER-D"], True)
    assert json.loads(definition.marker)["version"] == 102


def test_catalogue_that_never_rests_is_a_contract_error(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer
) -> None:
    server.pages = [[product("A")], [product("B")]]

    def move(number: int) -> None:
        server.version += 1

    server.on_page = move
    with pytest.raises(VendorError) as caught:
        read(connector, ctx)
    assert (caught.value.kind, caught.value.code) == (ErrorKind.CONTRACT, "catalogue_changing")
    assert len(queries(server)) == 8


def test_other_page_than_asked_is_a_contract_error(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer
) -> None:
    body = {"CatalogVersion": 1, "Page": 2, "PageCount": 2, "Products": []}
    server.fail("list_catalog", "answer", reply(200, body))
    with pytest.raises(VendorError) as caught:
        read(connector, ctx)
    assert caught.value.kind is ErrorKind.CONTRACT


def test_throttle_is_waited_out(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.pages = [[product("A")]]
    server.fail("list_catalog", "answer", reply(429, None, Retry_After="5"))
    assert codes(read(connector, ctx)) == ["OFFER-A"]
    assert server.slept == [2.0, 2.0, 1.0]


def test_endless_throttle_ends(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.fail("list_catalog", "answer", reply(429, None, Retry_After="600"), times=9)
    with pytest.raises(VendorError) as caught:
        read(connector, ctx)
    assert caught.value.kind is ErrorKind.THROTTLED


def test_cancel(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.pages = [[product("A")], [product("B")]]
    with pytest.raises(Cancelled):
        connector.service_definition(ctx, MemoryProgress(cancel_after=1))


def test_channel_not_authorised(connector: EsdConnector, ctx: EsdContext, server: FakeServer) -> None:
    server.fail("list_catalog", "answer", problem(403, "ChannelNotAuthorized"))
    with pytest.raises(VendorError) as caught:
        read(connector, ctx)
    assert caught.value.kind is ErrorKind.MISCONFIGURED


def test_memory_stays_below_4_kb_a_product(
    connector: EsdConnector, ctx: EsdContext, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def page(last: str, query: dict[str, str], body: object) -> Answer:
        number = int(query["pg"])
        rows = [product(f"{number}-{row}") for row in range(500)]
        return reply(200, {"CatalogVersion": 1, "Page": number, "PageCount": 10, "Products": rows})

    monkeypatch.setattr(server, "_list_catalog", page)
    tracemalloc.start()
    definition = read(connector, ctx)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(codes(definition)) == 5_000
    assert peak < 20 * 1024 * 1024
