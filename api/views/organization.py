"""Look-ups of the organization: countries, unit groups, vendors' systems, definitions of custom fields."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.http import HttpResponse
from rest_framework.request import Request

from api.listing import IncludingView, ListView, not_found
from api.memory import MemoryPager, Row
from api.resources import organization as wire
from catalog import offers
from clients.scopes import Right, Scope
from core.custom_fields import Entity, fields_for

READ = Right(Scope.ORGANIZATION_READ)


class MemoryList(ListView):
    """A list of rows that are no table of their own."""

    def plain_rows(self) -> Sequence[Row]:
        """All rows the caller may see."""
        raise LookupError(f"{type(self).__name__} gives no rows")

    def build(self, row: Row) -> dict[str, Any]:
        """The row as it is."""
        return dict(row)

    def get(self, request: Request) -> HttpResponse:
        """A page of the rows."""
        wanted = self.wanted()
        caller = self.caller
        pager = MemoryPager(self.raw, caller.client.pk, self.columns, not caller.is_reseller, caller.time_zone)
        page = pager.page_of(self.plain_rows(), self.query)
        objects = [self.build(row) for row in page.rows]
        self.embed(wanted, [dict(row) for row in page.rows], objects)
        return self.answer(page.envelope(objects))


def include_states(view: Any, rows: list[dict[str, Any]], objects: list[dict[str, Any]]) -> None:
    """Embed the states: none, for a state is free text in an address here."""
    for item in objects:
        item["states"] = []


class Countries(MemoryList):
    """``GET /api/organization/countries``."""

    rights = {"GET": READ}
    columns = wire.COUNTRY_COLUMNS
    includes = {"states": (READ, include_states)}
    answers = "PagedResultDtoOfCountry"

    def plain_rows(self) -> Sequence[Row]:
        """The countries an account can lie in."""
        return wire.countries(self.caller.client.organization.country)


class States(IncludingView):
    """``GET /api/organization/countries/{countryId}/states``."""

    rights = {"GET": READ}
    answers = "CountryState"

    def get(self, request: Request, country_id: str) -> HttpResponse:
        """The states of a country, as a bare array: none, for a state is free text in an address here."""
        self.wanted()
        key = self.number("countryId", country_id)
        if all(row["id"] != key for row in wire.countries("")):
            where = ("Country", country_id)
            raise not_found("OrganizationCountryNotFoundError", "country_not_found", "No such country.", where)
        return self.answer([])


class ExternalSystems(MemoryList):
    """``GET /api/organization/externalSystems``."""

    rights = {"GET": READ}
    columns = wire.SYSTEM_COLUMNS
    query_options = frozenset()
    answers = "PagedResultDtoOfExternalSystemDto"

    def plain_rows(self) -> Sequence[Row]:
        """The vendors' systems."""
        return wire.systems(offers.vendor_systems(self.caller.actor))


class FieldDefinitions(MemoryList):
    """The custom fields of one kind of object."""

    rights = {"GET": READ}
    columns = wire.FIELD_COLUMNS
    entity: ClassVar[str] = ""

    def plain_rows(self) -> Sequence[Row]:
        """The fields the caller may see."""
        actor, of_account = self.caller.actor, self.entity == Entity.ACCOUNT
        fields = fields_for(actor, self.entity) if self.entity else ()
        return [wire.definition(actor, field, of_account=of_account) for field in fields]

    def build(self, row: Row) -> dict[str, Any]:
        """The definition."""
        return wire.without_beside(row)


class AccountFieldDefinitions(FieldDefinitions):
    """``GET /api/organization/accounts/customfields``."""

    entity = Entity.ACCOUNT
    answers = "PagedResultDtoOfAccountCustomField"


class ProductFieldDefinitions(FieldDefinitions):
    """``GET /api/organization/products/customfields``."""

    entity = Entity.PRODUCT
    answers = "PagedResultDtoOfProductCustomField"


class SubscriptionFieldDefinitions(FieldDefinitions):
    """``GET /api/organization/subscriptions/customfields``; spelled as those of products."""

    entity = Entity.SUBSCRIPTION
    answers = "PagedResultDtoOfProductCustomField"


class InvoiceFieldDefinitions(FieldDefinitions):
    """``GET /api/organization/invoices/customfields``: invoices have no custom fields, so the page is empty."""

    answers = "PagedResultDtoOfInvoiceCustomField"


def include_units(view: Any, rows: list[dict[str, Any]], objects: list[dict[str, Any]]) -> None:
    """Embed the units of each group."""
    found = offers.units_of(view.caller.actor, [row["pk"] for row in rows])
    for row, item in zip(rows, objects, strict=True):
        plans = found.get(row["pk"], [])
        item["units"] = [wire.unit(plan, first=number == 0) for number, plan in enumerate(plans)]


class UnitGroups(ListView):
    """``GET /api/organization/unitGroups``: each product's units are a group of their own."""

    rights = {"GET": READ}
    columns = wire.UNIT_GROUP_COLUMNS
    includes = {"units": (READ, include_units)}
    answers = "PagedResultDtoOfUnitGroup"

    def get(self, request: Request) -> HttpResponse:
        """A page of groups."""
        return self.page(offers.unit_groups(self.caller.actor))

    def read(self) -> Any:
        """Values of groups."""
        return lambda rows, part, *more: list(rows.values("pk", "name", "is_recurring", *more)[part])

    def build(self, row: Any) -> dict[str, Any]:
        """A group."""
        return wire.unit_group(row)
