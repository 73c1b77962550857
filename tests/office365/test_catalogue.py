"""The catalogue run and the price sheet."""

import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.http import Answer
from office365.connector import Office365Connector
from office365.connector.catalogue import sheet_rows
from office365.errors import PartnerCenterError
from office365.mapping.products import price_row
from provisioning.ports import Cancelled, PlanDef, VendorError
from tests.office365.fake_server import FakeServer, reply
from tests.office365.memory import MemoryContext, MemoryProgress


def sell(server: FakeServer, products: int = 3) -> None:
    """Let the server sell some products, one of which is broken, plus Azure plan and a perpetual one."""

    def list_products(path: str, query: dict[str, str], body: object) -> Answer:
        view = query["targetView"]
        names = {
            "OnlineServices": [f"Microsoft 365 No {n}" for n in range(products)] + ["Dynamics 365 Sales"],
            "MicrosoftAzure": ["Azure plan"],
            "Software": ["Windows Server 2025"],
        }.get(view, [])
        rows = [{"id": f"{view}{n}", "title": name} for n, name in enumerate(names)]
        return reply(200, {"totalCount": len(rows), "items": rows})

    def list_skus(path: str, query: dict[str, str], body: object) -> Answer:
        product = path.split("/")[2]
        if product == "OnlineServices1":
            return reply(404, {"code": 400013, "description": "The product was not found."})
        attributes = {"isAddon": False, "provisioningId": "guid", "upgradeTargetOffers": ["X:0001"]}
        rows = [{"id": "0001", "productId": product, "title": product, "minimumQuantity": 1, "maximumQuantity": 300,
                 "dynamicAttributes": attributes}]  # fmt: skip
        return reply(200, {"totalCount": 1, "items": rows})

    def list_availabilities(path: str, query: dict[str, str], body: object) -> Answer:
        product = path.split("/")[2]
        terms = [{"duration": "P1Y", "billingCycle": "Monthly"}, {"duration": "P1M", "billingCycle": "Monthly"}]
        if product.startswith("Software"):
            terms = []
        row: dict[str, Any]
        row = {"id": "A", "catalogItemId": f"{product}:0001:A", "country": query["country"], "terms": terms,
                               "segment": query["targetSegment"], "defaultCurrency": {"code": "USD"}}  # fmt: skip
        return reply(200, {"totalCount": 1, "items": [row]})

    server.overrides |= {
        "list_products": list_products,
        "list_skus": list_skus,
        "list_availabilities": list_availabilities,
    }


def test_service_definition_by_family(connector: Office365Connector, ctx: MemoryContext, server: FakeServer) -> None:
    sell(server)
    progress = MemoryProgress()
    definition = connector.service_definition(ctx, progress)
    found = {kind.id: {row.code: row for row in kind.products} for kind in definition.product_types}
    assert {kind: sorted(rows) for kind, rows in found.items()} == {
        "microsoft_cloud_services": ["OnlineServices0:0001", "OnlineServices2:0001"],
        "microsoft_dynamics": ["OnlineServices3:0001"],
        "microsoft_azure": ["MicrosoftAzure0:0001"],
        "microsoft_perpetual_licenses": ["Software0:0001"],
    }
    product = found["microsoft_cloud_services"]["OnlineServices0:0001"]
    assert product.plans == (PlanDef("P1M", "monthly"), PlanDef("P1Y", "monthly"))
    assert (product.min_quantity, product.max_quantity, product.licence_sku_id) == (1, 300, "guid")
    assert product.attributes["markets"] == {"US": ["USD"]}
    assert found["microsoft_azure"]["MicrosoftAzure0:0001"].charge_type == "recurring_pay_per_use"
    perpetual = found["microsoft_perpetual_licenses"]["Software0:0001"]
    assert (perpetual.charge_type, perpetual.plans) == ("one_time", (PlanDef("", "one_time"),))
    assert len(definition.problems) == 1 and "OnlineServices1" in definition.problems[0]
    assert progress.reports[0][:2] == (0, 1000)


def test_service_definition_goes_on_where_it_stopped(ctx: MemoryContext, server: FakeServer) -> None:
    sell(server, products=90)
    connector = Office365Connector(http=server)  # type: ignore[arg-type]
    with pytest.raises(Cancelled):
        connector.service_definition(ctx, MemoryProgress(cancel_after=2))
    assert server.count("list_skus") == 80
    definition = connector.service_definition(ctx, MemoryProgress())
    assert server.count("list_skus") == 93
    assert sum(len(kind.products) for kind in definition.product_types) == 92


def test_service_definition_network_trouble_ends_the_run(
    connector: Office365Connector, ctx: MemoryContext, server: FakeServer
) -> None:
    sell(server)
    server.fail("list_skus", "before")
    with pytest.raises(VendorError):
        connector.service_definition(ctx, MemoryProgress())


HEADER = (
    "ProductTitle,ProductId,SkuId,TermDuration,BillingPlan,Market,Currency,UnitPrice,PricingTierRangeMin,"
    "EffectiveStartDate,EffectiveEndDate,ERP Price,Segment"
)


def test_price_row_reads_by_column_name() -> None:
    cells = dict(
        zip(
            HEADER.split(","),
            [
                "Basic",
                "CFQ1",
                "0001",
                "P1Y",
                "Monthly",
                "US",
                "USD",
                "4.80",
                "",
                "11/01/2026 12:00:00 AM",
                "11/30/9999 11:59:59 PM",
                "6.00",
                "Charity",
            ],
            strict=True,
        )
    )
    row = price_row(cells, "US")
    assert row is not None
    assert (row.product_code, row.term, row.billing_cycle, row.cost, row.retail) == (
        "CFQ1:0001", "P1Y", "monthly", Decimal("4.80"), Decimal("6.00"),
    )  # fmt: skip
    assert (row.segment, row.ends_at) == ("nonprofit", None)
    assert price_row({**cells, "PricingTierRangeMin": "100"}, "US") is None
    assert price_row({**cells, "UnitPrice": "n/a"}, "US") is None
    perpetual = price_row({**cells, "TermDuration": "NoTerm", "BillingPlan": ""}, "US")
    assert perpetual is not None and (perpetual.term, perpetual.billing_cycle) == ("", "one_time")


def test_sheet_rows_out_of_zip(tmp_path: Path) -> None:
    path = tmp_path / "sheet.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "\ufeff" + '"ProductId","SkuId"\r\n"P","0001"\r\n')
        archive.writestr("readme.txt", "no")
    assert [dict(row) for row in sheet_rows(path)] == [{"ProductId": "P", "SkuId": "0001"}]
    path.write_bytes(b"no zip")
    with pytest.raises(PartnerCenterError):
        list(sheet_rows(path))
