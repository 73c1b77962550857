"""What Microsoft sells through this instance (``esd.md`` 4 and 10)."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from microsoft_esd.client import ChannelInclusion
from microsoft_esd.connector.base import ConnectorBase
from microsoft_esd.errors import EsdError
from microsoft_esd.mapping.products import Place, belongs_here, price_rows, product_def, product_type
from microsoft_esd.schemas.answers import CatalogPage, Product
from microsoft_esd.schemas.reading import read_moment
from provisioning.ports import (
    Context,
    ErrorKind,
    PriceRow,
    ProductDef,
    Progress,
    ServiceDefinition,
    VendorError,
)

RESTARTS = 3
MOST_PAGES = 10_000
MOST_PROBLEMS = 200
FULL_EVERY = dt.timedelta(days=30)
OVERLAP = dt.timedelta(hours=1)
PATIENCE = dt.timedelta(minutes=15)


class CatalogueVerbs(ConnectorBase):
    """The verb that reads the catalogue; it may take long."""

    def service_definition(self, ctx: Context, progress: Progress) -> ServiceDefinition:
        """All products, or what changed since the last run; with progress and cancel.

        A full read is made the first time, 30 days after the last one and when country, language or client changed.
        A product that cannot be read is named in ``problems``; since nobody knows which one it was, nothing is then
        discontinued by its absence.
        """
        return _Run(self.client(ctx), progress).run()


@dataclass(frozen=True, slots=True)
class _Marker:
    """What the last run left for the next one."""

    etag: str
    version: int
    full_at: dt.datetime | None
    at: dt.datetime
    scope: str

    @classmethod
    def read(cls, text: str) -> "_Marker | None":
        """The marker of a text; None if there is none or it is not ours."""
        try:
            data = json.loads(text)
            at = read_moment(data["at"])
            if at is None:
                return None
            return cls(
                str(data.get("etag") or ""),
                int(data.get("version") or 0),
                read_moment(data.get("full_at")),
                at,
                str(data.get("scope") or ""),
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    def write(self) -> str:
        """The marker as text."""
        full = self.full_at.isoformat() if self.full_at else ""
        return json.dumps(
            {
                "etag": self.etag,
                "version": self.version,
                "full_at": full,
                "at": self.at.isoformat(),
                "scope": self.scope,
            }
        )


@dataclass
class _Found:
    """What the pages of one version gave."""

    version: int = 0
    etag: str = ""
    products: dict[str, ProductDef] = field(default_factory=dict)
    prices: dict[str, list[PriceRow]] = field(default_factory=dict)
    discontinued: dict[str, None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    skipped: int = 0
    is_whole: bool = True

    def note(self, problem: str) -> None:
        """Keep a problem; past a number of them only how many there were."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)
        else:
            self.skipped += 1

    def all_problems(self) -> list[str]:
        """The problems, and how many more there were."""
        if not self.skipped:
            return self.problems
        words = ngettext("%(count)s more product was left out.", "%(count)s more products were left out.", self.skipped)
        return [*self.problems, words % {"count": self.skipped}]


class _VersionChanged(Exception):
    """The catalogue moved on between two of its pages."""


class _Run:
    """One run through the catalogue."""

    def __init__(self, client: ChannelInclusion, progress: Progress) -> None:
        self.client = client
        self.ctx = client.ctx
        self.progress = progress
        settings = client.settings
        self.place = Place(settings.country, settings.language)
        self.scope = "|".join((settings.country, settings.language, settings.client_id)).lower()
        self.start = client.ctx.now()
        self.last = self._usable(_Marker.read(client.ctx.definition_marker))

    def _usable(self, marker: _Marker | None) -> _Marker | None:
        """The marker of the last run, unless everything has to be read anew."""
        if marker is None or marker.full_at is None or marker.scope != self.scope:
            return None
        return marker if dt.timedelta(0) <= self.start - marker.full_at <= FULL_EVERY else None

    def run(self) -> ServiceDefinition:
        """Read until all pages are of one version; raises a contract error if they never are."""
        for _attempt in range(RESTARTS + 1):
            found = _Found()
            try:
                known = self._read_all(found)
            except _VersionChanged:
                self.progress.log(_("The catalogue changed while it was read; reading begins again."))
                continue
            return self._unchanged() if known else self._definition(found)
        raise EsdError(
            ErrorKind.CONTRACT,
            _("Microsoft's catalogue changed again and again while it was read. Try again later."),
            code="catalogue_changing",
        )

    def _read_all(self, found: _Found) -> bool:
        """Read all pages into ``found``; True if Microsoft says that we know it all."""
        for page in self._pages(found):
            for product in page.products:
                self._take(found, product)
            # The pages of a large catalogue are not kept: each becomes our own rows at once.
        return found.version == 0 and found.etag == "unchanged"

    def _pages(self, found: _Found) -> Iterator[CatalogPage]:
        since = self.last.at - OVERLAP if self.last else None
        etag = self.last.etag if self.last else ""
        number, count = 1, 1
        while number <= count:
            page, tag = self._page(number, since, etag if number == 1 else "")
            if not isinstance(page, CatalogPage):
                found.etag = "unchanged"
                return
            if number == 1:
                found.version, found.etag, count = page.version, tag, page.page_count
            elif page.version != found.version:
                raise _VersionChanged
            if not 0 <= page.page_count <= MOST_PAGES or (page.page is not None and page.page != number):
                raise EsdError(
                    ErrorKind.CONTRACT,
                    _("Microsoft's catalogue does not come in order. Try again later."),
                    code="paging",
                )
            self.progress.report(number, max(count, 1), _("Catalogue page %(number)s") % {"number": number})
            yield page
            number += 1

    def _page(self, number: int, since: dt.datetime | None, etag: str) -> tuple[Any, str]:
        """A page; where the budget or Microsoft says later, it waits here, up to 15 minutes, and can be cancelled."""
        waited = dt.timedelta(0)
        while True:
            try:
                return self.client.catalog_page(number, since=since, etag=etag)
            except VendorError as error:
                if error.kind is not ErrorKind.THROTTLED or waited > PATIENCE:
                    raise
                pause = error.retry_after or dt.timedelta(seconds=10)
            waited += pause
            self._wait(pause)

    def _wait(self, pause: dt.timedelta) -> None:
        left = pause.total_seconds()
        while left > 0:
            self.progress.report(0, 0, _("Waiting for Microsoft"))
            self.client.login_http.sleep(min(left, 2.0))
            left -= 2.0

    def _take(self, found: _Found, product: Product | str) -> None:
        if isinstance(product, str):
            found.is_whole = False
            found.note(product)
            return
        code = product.offer_id
        if not belongs_here(product, self.place):
            values = {"code": code, "country": product.country, "language": product.language}
            found.note(_("%(code)s is for %(country)s in %(language)s and was left out.") % values)
            return
        if product.status == "discontinued":
            found.products.pop(code, None)
            found.prices.pop(code, None)
            found.discontinued[code] = None
            return
        found.discontinued.pop(code, None)
        found.products[code] = product_def(product, self.place)
        found.prices[code] = list(price_rows(product, self.place, self.start))

    def _unchanged(self) -> ServiceDefinition:
        self.progress.report(1, 1, _("Nothing changed"))
        return ServiceDefinition(product_types=(), complete=False, marker=self.ctx.definition_marker)

    def _definition(self, found: _Found) -> ServiceDefinition:
        is_complete = self.last is None and found.is_whole
        full_at = self.last.full_at if self.last else self.start if is_complete else None
        marker = _Marker(found.etag, found.version, full_at, self.start, self.scope)
        return ServiceDefinition(
            product_types=(product_type(found.products.values()),),
            problems=found.all_problems(),
            complete=is_complete,
            discontinued=tuple(found.discontinued),
            marker=marker.write(),
            prices=tuple(row for rows in found.prices.values() for row in rows),
        )
