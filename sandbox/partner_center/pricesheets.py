"""Price sheets: a zip with one CSV per market and view (``partner-center.md`` 7.5). All prices are invented."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sandbox.partner_center.answers import graph_error
from sandbox.partner_center.catalogue_data import CURRENCIES, SHEET_SEGMENTS
from sandbox.partner_center.desk import Desk
from sandbox.router import Routes
from sandbox.wire import Request, Response

VIEWS = {
    "updatedlicensebased": ("OnlineServices",),
    "software": ("Software",),
    "azure_reservations": ("AzureReservationsVM",),
    "azure_consumption": ("MicrosoftAzure",),
}
COLUMNS = (
    "ProductTitle", "ProductId", "SkuId", "SkuTitle", "Publisher", "SkuDescription", "UnitOfMeasure", "TermDuration",
    "BillingPlan", "Market", "Currency", "UnitPrice", "PricingTierRangeMin", "PricingTierRangeMax",
    "EffectiveStartDate", "EffectiveEndDate", "Tags", "ERP Price", "Segment", "PreviousValues",
)  # fmt: skip
UNITS = {"P1M": "1 Month(s)", "P1Y": "1 Year(s)", "P3Y": "3 Years(s)", "": "Each"}
NOTE = "Invented prices of the vendor twin"


class PriceSheetCalls:
    """The price sheets, for a user's token of the sales audience."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._sheets: dict[tuple[str, str, str], bytes] = {}

    def add_to(self, routes: Routes) -> None:
        """Add the calls, in both orders of the path's first parts that instances use."""
        for base in ("/sales/v1.0", "/v1.0/sales"):
            routes.add("GET", f"{base}/pricesheets({{view}})/$value", "get_price_sheet", self.get, token="user")
            routes.add("GET", f"{base}/fxrates({{month}})/$value", "get_exchange_rates", self.get_rates, token="user")

    def get(self, request: Request) -> Response:
        """The zip of a market and view. Raises 400 without ``client-request-id``, 404 for an unknown market or view."""
        if not request.headers.get("client-request-id"):
            raise graph_error(400, "BadRequest", "The client-request-id header is missing.")
        given = {key.lower(): value for key, value in re.findall(r"(\w+)='([^']*)'", request.params["view"])}
        market, view = given.get("market", "").upper(), given.get("pricesheetview", "").lower()
        if market not in CURRENCIES or view not in VIEWS:
            raise graph_error(404, "NotFound", f"There is no price sheet {view} for the market {market}.")
        # The last part tells sheets before and after a change of prices apart.
        changes = ",".join(f"{row['id']}={row['factor']}" for row in self.desk.prices.values())
        key = (market, view, changes)
        if key not in self._sheets:
            self._sheets[key] = self._zip(market, view)
        name = f"{view}_{market}.zip"
        headers = {"Content-Disposition": f"attachment; filename={name}"}
        return Response(200, self._sheets[key], headers, "application/zip")

    def get_rates(self, request: Request) -> Response:
        """Exchange rates of a month as CSV."""
        month = re.sub(r"\D", "", request.params["month"])
        text = f"CurrencyCode,USDPerUnit,Month\r\nEUR,1.0753,{month}\r\nGBP,1.2500,{month}\r\n"
        return Response(200, text, {}, "text/csv")

    def _zip(self, market: str, view: str) -> bytes:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(self._rows(market, view))
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            # A fixed date, so that the same prices make the same file.
            info = zipfile.ZipInfo(f"{view}_{market}.csv", (2024, 1, 1, 0, 0, 0))
            archive.writestr(info, text.getvalue().encode("utf-8-sig"), zipfile.ZIP_DEFLATED)
        return buffer.getvalue()

    def _rows(self, market: str, view: str) -> Iterator[dict[str, Any]]:
        catalogue = self.desk.catalogue
        for product in catalogue.products.values():
            if product["view"] not in VIEWS[view]:
                continue
            for sku in product["skus"]:
                for segment in sku["segments"]:
                    for duration, cycle in sku["terms"]:
                        cost = catalogue.cost(product["id"], sku, market, segment, duration, cycle)
                        price = catalogue.price(product["id"], sku, market, segment, duration, cycle)
                        yield _row(product, sku, market, segment, duration, cycle, cost, price)


def _row(
    product: dict[str, Any],
    sku: dict[str, Any],
    market: str,
    segment: str,
    duration: str,
    cycle: str,
    cost: Decimal,
    price: Decimal,
) -> dict[str, Any]:
    """One row of the sheet."""
    return {
        "ProductTitle": product["title"],
        "ProductId": product["id"],
        "SkuId": sku["id"],
        "SkuTitle": sku["title"],
        "Publisher": "Microsoft Corporation",
        "SkuDescription": product["description"],
        "UnitOfMeasure": UNITS[duration],
        "TermDuration": duration or "NoTerm",
        "BillingPlan": cycle,
        "Market": market,
        "Currency": CURRENCIES[market],
        "UnitPrice": str(cost),
        "PricingTierRangeMin": "",
        "PricingTierRangeMax": "",
        "EffectiveStartDate": "1/1/2024 12:00:00 AM",
        "EffectiveEndDate": "11/30/9999 11:59:59 PM",
        "Tags": NOTE,
        "ERP Price": str(price),
        "Segment": SHEET_SEGMENTS[segment],
        "PreviousValues": "",
    }
