"""What every list and every single read of a resource has in common: paging, and members embedded on request."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse

from api.base import ApiView
from api.errors import ApiError, invalid
from api.fields import Columns
from api.paging import OPTIONS, Pager, Reader
from api.resources.extras import PREFIX, searchable
from clients.scopes import Right
from core.tenancy import Actor

# The rows an actor may see. The statement follows from the actor alone, so it may be kept for his next call.
Selector = Callable[[Actor], QuerySet[Any]]
# Adds one member to each object of a page: the rows, each with its ``pk``, and the objects in the same order.
Include = Callable[[Any, list[dict[str, Any]], list[dict[str, Any]]], None]


class IncludingView(ApiView):
    """A read whose ``include`` embeds members; ``includes`` names them, with the right each needs and who adds it."""

    includes: ClassVar[Mapping[str, tuple[Right, Include]]] = {}

    def wanted(self) -> list[str]:
        """The members to embed; 400 for an unknown name, 403 for one that the caller may not read."""
        text = self.query.get("include", "")
        known = {name.lower(): name for name in self.includes}
        found: list[str] = []
        for part in (part.strip().lower() for part in text.split(",") if part.strip()):
            if part not in known:
                names = ", ".join(self.includes) or "none"
                raise invalid("include", f"'{part[:60]}' cannot be included. Known: {names}.", "unknown_include")
            if known[part] not in found:
                found.append(known[part])
        for name in found:
            self.demand(self.includes[name][0])
        return found

    def embed(self, wanted: list[str], rows: list[dict[str, Any]], objects: list[dict[str, Any]]) -> None:
        """Add the wanted members to the objects."""
        for name in wanted:
            self.includes[name][1](self, rows, objects)


class ListView(IncludingView):
    """A paged list: ``rows`` gives the visible rows, ``read`` their values, ``build`` one object of one row.

    ``entity`` is the kind of object whose custom fields may be filtered by.
    """

    columns: ClassVar[Columns]
    entity: ClassVar[str] = ""
    query_options = OPTIONS

    def rows(self) -> QuerySet[Any]:
        """The rows the caller may see."""
        raise LookupError(f"{type(self).__name__} gives no rows")

    def read(self) -> Reader:
        """Who turns rows into values."""
        raise LookupError(f"{type(self).__name__} gives no reader")

    def build(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One row on the wire."""
        raise LookupError(f"{type(self).__name__} gives no object")

    def table(self) -> Columns:
        """The names of the list, with those of custom fields if the filter asks for any."""
        if self.entity and PREFIX.lower() in self.query.get("$filter", "").lower():
            return self.columns.plus(searchable(self.caller.actor, self.entity))
        return self.columns

    def page(self, rows: QuerySet[Any] | Selector) -> HttpResponse:
        """The answer of the list; rows that depend on the actor alone are best given by their selector."""
        wanted = self.wanted()
        caller = self.caller
        pager = Pager(self.raw, caller.client.pk, self.table(), not caller.is_reseller, caller.time_zone)
        if isinstance(rows, QuerySet):
            page = pager.page(rows.all, self.query, self.read())
        else:
            made = partial(rows, caller.actor)
            page = pager.page(made, self.query, self.read(), (rows, caller.actor))
        objects = [self.build(row) for row in page.rows]
        self.embed(wanted, list(page.rows), objects)
        return self.answer(page.envelope(objects))


def not_found(type: str, code: str, message: str, entity: tuple[str, str] | None = None) -> ApiError:
    """404 of a resource: the same for what does not exist and for what is not the caller's."""
    found = (entity[0], "Id", entity[1]) if entity is not None else None
    return ApiError(404, code, message, type=type, entity=found)
