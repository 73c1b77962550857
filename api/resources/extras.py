"""What lists embed besides: custom fields of any resource, characteristics of licences and products (``api.md`` 3.4).

And what they filter by besides: ``customFields/{code}`` for the fields that are search criteria and that the caller may
see. Each is made for a whole page with a fixed number of statements.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import BooleanField, DecimalField, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce

from api.fields import Column
from api.resources.custom_values import grouped
from api.resources.service_parts import characteristic_groups
from core.custom_fields import CustomField, FieldType, fields_for, is_shown, kept_text, kept_value, values_by_object
from core.tenancy import Actor
from orders import service_values
from resellers.selectors import accounts_for

Include = Callable[[Any, list[dict[str, Any]], list[dict[str, Any]]], None]
PREFIX = "customFields/"
_KINDS = {
    FieldType.TEXT: "text",
    FieldType.NUMBER: "number",
    FieldType.DATE: "day",
    FieldType.FLAG: "bool",
    FieldType.LIST: "text",
    FieldType.MULTI: "several",
}


def account_of(item: dict[str, Any]) -> Any:
    """The id of the account that an object on the wire names."""
    return item["account"]["id"]


def include_fields(entity: str, owner_of: Callable[[dict[str, Any]], Any] | None = account_of) -> Include:
    """Who embeds the custom fields of this kind of object; ``owner_of`` finds its account's id, if it has any."""

    def include(view: Any, rows: list[dict[str, Any]], objects: list[dict[str, Any]]) -> None:
        actor: Actor = view.caller.actor
        fields = list(fields_for(actor, entity))
        data = values_by_object(actor, entity, [row["pk"] for row in rows]) if fields else {}
        accounts = _accounts(actor, fields, [owner_of(item) for item in objects]) if owner_of else {}
        for row, item in zip(rows, objects, strict=True):
            owner = accounts.get(owner_of(item)) if owner_of else None
            shown = [field for field in fields if is_shown(field, owner)]
            item["customFields"] = grouped(actor, shown, data.get(row["pk"], {}))

    return include


def _accounts(actor: Actor, fields: Sequence[CustomField], ids: Sequence[int]) -> Mapping[int, Any]:
    """The accounts of rows by id, if any field is shown by what the account is like."""
    if not any(field.shown_attribute for field in fields):
        return {}
    return {row.pk: row for row in accounts_for(actor).select_related(None).filter(pk__in=set(ids))}


def include_licence_characteristics(view: Any, rows: list[dict[str, Any]], objects: list[dict[str, Any]]) -> None:
    """Embed what was asked when licences were ordered."""
    details = service_values.licence_details(view.caller.actor, [row["pk"] for row in rows])
    found = {row["pk"]: characteristic_groups(row) for row in details}
    for row, item in zip(rows, objects, strict=True):
        groups = found.get(row["pk"], [])
        item["characteristics"] = [{"groups": groups}] if groups else []


# --- Filters ----------------------------------------------------------------------------------------------------------
def searchable(actor: Actor, entity: str) -> list[Column]:
    """The columns of the fields that are search criteria, by their code for the provisioning system."""
    rows = fields_for(actor, entity).filter(is_search=True, provisioning_code__isnull=False)
    return [_column(field) for field in rows]


def _column(field: CustomField) -> Column:
    kind = FieldType(field.field_type)
    return Column(
        f"{PREFIX}{field.provisioning_code}",
        _KINDS[kind],
        f"custom_{field.pk}",
        expression=lambda: _value(field, kind),
        words={option: (option,) for option in field.options} if kind == FieldType.MULTI else None,
        nullable=True,
    )


def _value(field: CustomField, kind: FieldType) -> Combinable:
    """The value of a field as its column, the default where none is set."""
    if kind == FieldType.MULTI:
        return kept_value(field)
    text: Combinable = kept_text(field)
    if field.default is not None:
        default = str(field.default).lower() if kind == FieldType.FLAG else str(field.default)
        text = Coalesce(text, Value(default), output_field=TextField())
    if kind == FieldType.NUMBER:
        return Cast(text, DecimalField(max_digits=30, decimal_places=10))
    if kind == FieldType.FLAG:
        return Cast(text, BooleanField())
    return text
