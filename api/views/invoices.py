"""Invoices (``api.md`` 10.4). No invoice document is made yet: lists are empty, and no id is an invoice's.

What is asked is understood and refused as it will be; the invoices of the money issue take the place of ``ROWS``.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn

from django.http import HttpResponse
from rest_framework.request import Request

from api.errors import invalid
from api.listing import IncludingView, not_found
from api.memory import Row
from api.resources import invoices as wire
from api.views.organization import MemoryList
from clients.scopes import Right, Scope

READ = Right(Scope.INVOICES_READ)
ROWS: Sequence[Row] = ()
SWITCHES = ("transactionCurrency", "skipRounding")


def embed_nothing(view: Any, rows: list[dict[str, Any]], objects: list[dict[str, Any]]) -> None:
    """There is no invoice to embed anything in."""


INCLUDES = dict.fromkeys(("customFields", "items", "analysisItems"), (READ, embed_nothing))


class _Asked(IncludingView):
    """What every read of invoices may be asked: amounts in another currency, or unrounded."""

    switches: ClassVar[tuple[str, ...]] = SWITCHES

    def demand_switches(self) -> None:
        """Raise 400 for a switch that is neither true nor false."""
        for name in self.switches:
            if self.query.get(name.lower(), "false").lower() not in ("true", "false"):
                raise invalid(name, f"{name} is true or false.")


class InvoiceList(_Asked, MemoryList):
    """``GET /api/invoices``."""

    rights = {"GET": READ}
    columns = wire.COLUMNS
    includes = INCLUDES
    answers = "PagedResultDtoOfInvoice"

    def get(self, request: Request) -> HttpResponse:
        """A page of invoices, never drafts."""
        self.demand_switches()
        return super().get(request)

    def plain_rows(self) -> Sequence[Row]:
        """The invoices there are."""
        return ROWS


class OfInvoice(_Asked):
    """A read of one invoice or of a part of it."""

    rights = {"GET": READ}

    def get(self, request: Request, invoice_id: str) -> HttpResponse:
        """No id is an invoice's."""
        self.wanted()
        self.demand_switches()
        self._missing(invoice_id)

    def _missing(self, invoice_id: str) -> NoReturn:
        key = self.guid("invoiceId", invoice_id)
        raise not_found("InvoiceNotFoundError", "invoice_not_found", "No such invoice.", ("Invoice", str(key)))


class InvoiceDetail(OfInvoice):
    """``GET /api/invoices/{invoiceId}``."""

    includes = INCLUDES
    answers = "Invoice"


class InvoiceItems(OfInvoice):
    """``GET /api/invoices/{invoiceId}/items``."""

    switches = (*SWITCHES, "analysis")
    answers = "InvoiceItem"


class InvoiceOrders(OfInvoice):
    """``GET /api/invoices/{invoiceId}/orders``."""

    answers = "LiteOrder"


class InvoiceFields(OfInvoice):
    """``GET /api/invoices/{invoiceId}/customfields``."""

    answers = "CustomFieldsByGroupingDto"
