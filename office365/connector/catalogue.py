"""What Microsoft sells through this instance, and at what price (``office365.md`` 6, ``partner-center.md`` 7)."""

import csv
import datetime as dt
import io
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any

from django.utils.translation import gettext as _

from office365.client import PartnerCenter
from office365.connector.base import ConnectorBase
from office365.connector.settings import listed
from office365.errors import PartnerCenterError
from office365.mapping import plain_json
from office365.mapping.products import (
    BY_CODE,
    FAMILIES,
    Draft,
    family_of,
    offer_def,
    price_is_current,
    price_row,
    product_def,
    product_types,
)
from office365.schemas.catalogue import Availability, Product, Sku
from office365.schemas.common import read
from provisioning.ports import (
    Context,
    ErrorKind,
    PriceRow,
    ProductDef,
    Progress,
    ServiceDefinition,
    VendorError,
)

AT_ONCE = 8
CHUNK = 40
MAX_SHEET = 60 * 1024 * 1024
MAX_MEMBERS = 20
MAX_UNPACKED = 2 * 1024 * 1024 * 1024
PATIENCE = dt.timedelta(minutes=15)
PRICE_VIEWS = {
    "updatedlicensebased": ("microsoft_365", "dynamics"),
    "software": ("software_subscriptions", "perpetual_software"),
}


@dataclass
class Found:
    """What one product gave: its SKUs with their availabilities, as Microsoft wrote them."""

    product: Product
    skus: list[tuple[Sku, Sequence[Availability]]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class CatalogueVerbs(ConnectorBase):
    """Verbs that read the catalogue and the price sheets; both may take long."""

    def service_definition(self, ctx: Context, progress: Progress) -> ServiceDefinition:
        """Read the chosen families in every market and segment; resumable, with progress and cancel.

        An unreadable product is skipped and named in ``problems``. What is read is noted in the context's steps by
        chunks of products, so that a run that was killed goes on where it stopped.
        """
        return DefinitionRun(self.client(ctx), progress).run()

    def price_sheet(self, ctx: Context, progress: Progress) -> Iterable[PriceRow]:
        """The current prices of every market, row by row; the sheet is streamed to disk, never held in memory."""
        client = self.client(ctx)
        markets = listed(ctx.settings.get("markets"))
        families = set(_families(ctx))
        views = [view for view, members in PRICE_VIEWS.items() if families & set(members)]
        jobs = [(market, view) for market in markets for view in views]
        for number, (market, view) in enumerate(jobs):
            progress.report(number, len(jobs), _("Prices of %(market)s") % {"market": market})
            yield from self._sheet(client, ctx, market, view)
        progress.report(len(jobs), len(jobs))

    def _sheet(self, client: PartnerCenter, ctx: Context, market: str, view: str) -> Iterator[PriceRow]:
        now = ctx.now()
        currencies = set(listed(ctx.settings.get("currencies")))
        with tempfile.TemporaryDirectory(prefix="cloudbss-prices-") as folder:
            target = Path(folder) / "sheet.zip"
            client.download("get_price_sheet", target, view=f"Market='{market}',PricesheetView='{view}'")
            for cells in sheet_rows(target):
                row = price_row(cells, market)
                if row is None or (currencies and row.currency not in currencies):
                    continue
                if price_is_current(row, now):
                    yield row


def sheet_rows(path: Path) -> Iterator[Mapping[str, str]]:
    """The rows of every CSV in a price sheet's zip, by column name; bounded in members and unpacked size."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [item for item in archive.infolist() if item.filename.lower().endswith(".csv")]
            if len(archive.infolist()) > MAX_MEMBERS or sum(item.file_size for item in members) > MAX_UNPACKED:
                raise PartnerCenterError(
                    ErrorKind.CONTRACT,
                    _("Microsoft's price sheet is larger than expected. Inform the operator of this system."),
                    code="sheet_too_large",
                )
            for member in members:
                with archive.open(member) as raw:
                    yield from csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8-sig", newline=""))
    except (zipfile.BadZipFile, UnicodeDecodeError, csv.Error) as error:
        raise PartnerCenterError(
            ErrorKind.CONTRACT, _("Microsoft's price sheet is not readable. Try again later."), code="sheet_unreadable"
        ) from error


class DefinitionRun:
    """One run through the catalogue."""

    def __init__(self, client: PartnerCenter, progress: Progress) -> None:
        self.client = client
        self.ctx = client.ctx
        self.progress = progress
        self.drafts: dict[str, Draft] = {}
        self.problems: list[str] = []
        self.families = _families(self.ctx)
        self.currencies = set(listed(self.ctx.settings.get("currencies")))

    def run(self) -> ServiceDefinition:
        """Read everything and put it together."""
        markets = listed(self.ctx.settings.get("markets")) or ["US"]
        segments = listed(self.ctx.settings.get("segments")) or ["commercial"]
        views = list(
            dict.fromkeys(view for family in FAMILIES if family.code in self.families for view in family.views)
        )
        passes = [(market, segment, view) for market in markets for segment in segments for view in views]
        for number, (market, segment, view) in enumerate(passes):
            self._pass(market, segment, view, number, len(passes))
        for market in markets:
            self._offers(market)
        return ServiceDefinition(
            product_types(self.drafts.values(), self.families), tuple(dict.fromkeys(self.problems))
        )

    def _pass(self, market: str, segment: str, view: str, number: int, total: int) -> None:
        query = {"country": market, "targetView": view, "targetSegment": segment}
        try:
            listed = self._patiently(lambda: self.client.collect("list_products", query=query))
        except PartnerCenterError as error:
            if error.kind is not ErrorKind.REFUSED:
                raise
            # A view that is not sold in this market or segment is no failure of the run.
            self.problems.append(f"{market}/{segment}/{view}: {error.message}")
            return
        self.problems += listed.problems
        products: list[Product] = list(listed.items)
        title = f"{market}, {segment}, {view}"
        for start in range(0, len(products), CHUNK):
            # Total = the whole run in thousandths, since the products of later passes are not known yet.
            done = (number * 1000 + 1000 * start // max(len(products), 1)) // max(total, 1)
            self.progress.report(done, 1000, title)
            chunk = products[start : start + CHUNK]
            for found in self._chunk(f"definition:{market}:{segment}:{view}:{start}", chunk, market, segment):
                self._take(found, market, segment, view)

    def _chunk(self, step: str, products: Sequence[Product], market: str, segment: str) -> list[Found]:
        ids = [product.id for product in products]
        kept = self.ctx.steps.get(step)
        if kept is not None and kept.get("ids") == ids:
            return [_thaw(item) for item in kept["found"]]
        query = {"country": market, "targetSegment": segment}
        found = self._parallel([partial(self._read_product, item, query) for item in products])
        self.ctx.steps.put(step, {"ids": ids, "found": [_freeze(item) for item in found]})
        return found

    def _parallel(self, jobs: Sequence[Callable[[], Found]]) -> list[Found]:
        results: dict[int, Found] = {}
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            open_jobs: dict[Future[Found], int] = {pool.submit(job): number for number, job in enumerate(jobs)}
            try:
                while open_jobs:
                    finished, _rest = wait(open_jobs, return_when=FIRST_COMPLETED)
                    for item in finished:
                        results[open_jobs.pop(item)] = item.result()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return [results[number] for number in sorted(results)]

    def _read_product(self, product: Product, query: Mapping[str, str]) -> Found:
        found = Found(product)
        try:
            params = {"product": product.id}
            skus = self._patiently(lambda: self.client.collect("list_skus", params=params, query=query))
            found.problems += [f"{product.id}: {text}" for text in skus.problems]
            for sku in skus.items:
                of_sku = {**params, "sku": sku.id}
                rows = self._patiently(partial(self.client.collect, "list_availabilities", params=of_sku, query=query))
                found.problems += [f"{product.id}:{sku.id}: {text}" for text in rows.problems]
                found.skus.append((sku, rows.items))
        except VendorError as error:
            if error.kind not in {ErrorKind.REFUSED, ErrorKind.CONTRACT}:
                raise
            found.problems.append(f"{product.id} {product.title}: {error.message}")
        return found

    def _patiently(self, read_it: Callable[[], Any]) -> Any:
        """Read, and wait out the throttle: people go first, this run has time."""
        waited = dt.timedelta()
        while True:
            try:
                return read_it()
            except VendorError as error:
                pause = error.retry_after or dt.timedelta(seconds=5)
                waited += pause
                if error.kind is not ErrorKind.THROTTLED or waited > PATIENCE:
                    raise
                sleep(pause.total_seconds())

    def _take(self, found: Found, market: str, segment: str, view: str) -> None:
        self.problems += found.problems
        for sku, rows in found.skus:
            sold = [
                row
                for row in rows
                if row.is_purchasable is not False
                and (not self.currencies or not row.currency or row.currency in self.currencies)
            ]
            terms = [term.duration for row in sold for term in row.terms]
            family = family_of(found.product, view, terms, self.families)
            if family is None or not sold:
                continue
            definition = product_def(found.product, sku, sold, family, segment)
            self._merge(definition, family.type_id, market, sorted({row.currency for row in sold if row.currency}))

    def _merge(self, definition: ProductDef, type_id: str, market: str, currencies: list[str]) -> None:
        draft = self.drafts.setdefault(definition.code, Draft(definition, type_id))
        known = draft.markets.setdefault(market, [])
        draft.markets[market] = sorted({*known, *currencies})

    def _offers(self, market: str) -> None:
        with_licences = str(self.ctx.settings.get("legacy_offers") or "").lower() in {"true", "1", "on"}
        if "azure_legacy" not in self.families and not with_licences:
            return
        query = {"country": market, "size": "500", "offset": "0"}
        offers = self._patiently(lambda: self.client.collect("list_offers", query=query))
        self.problems += offers.problems
        for offer in offers.items:
            is_usage = offer.billing == "usage"
            code = "azure_legacy" if is_usage else "dynamics" if "dynamics" in offer.name.lower() else "microsoft_365"
            wanted = code in self.families and (is_usage or with_licences)
            if wanted and offer.is_available_for_purchase is not False:
                self._merge(offer_def(offer, BY_CODE[code]), BY_CODE[code].type_id, market, [])


def _families(ctx: Context) -> list[str]:
    chosen = listed(ctx.settings.get("families"))
    return [code for code in chosen if code in BY_CODE] or ["microsoft_365", "dynamics", "azure_plan"]


def _freeze(found: Found) -> dict[str, Any]:
    return {
        "product": _stored(found.product.raw),
        "skus": [[_stored(sku.raw), [_stored(row.raw) for row in rows]] for sku, rows in found.skus],
        "problems": found.problems,
    }


def _thaw(kept: Mapping[str, Any]) -> Found:
    skus: list[tuple[Sku, Sequence[Availability]]] = [
        (read(Sku, sku), [read(Availability, row) for row in rows]) for sku, rows in kept["skus"]
    ]
    return Found(read(Product, kept["product"]), skus, list(kept["problems"]))


def _stored(raw: Mapping[str, Any]) -> Any:
    return plain_json({key: value for key, value in raw.items() if key.lower() != "links"})
