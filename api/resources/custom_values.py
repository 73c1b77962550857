"""Custom fields on the wire (``api.md`` 8): groups of fields with their values, and reading the body of a change."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Model

from api.contract import known_members
from api.errors import ApiError
from core.custom_fields import (
    CustomField,
    FieldType,
    account_of,
    entity_of,
    fields_for,
    is_shown,
    shown_value,
    understood,
    values_of,
)
from core.errors import BusinessError
from core.tenancy import Actor

MOST = 200
TAKEN = frozenset({"id", "apifield", "value", "values"})
KINDS = {
    FieldType.TEXT: ("SimpleValue", "Text"),
    FieldType.NUMBER: ("SimpleValue", "Number"),
    FieldType.DATE: ("SimpleValue", "Date"),
    FieldType.FLAG: ("Boolean", "Boolean"),
    FieldType.LIST: ("ListOfValues", "Text"),
    FieldType.MULTI: ("MultiSelectListOfValues", "Text"),
}
_WRONG = {
    FieldType.NUMBER: "invalid_number",
    FieldType.DATE: "invalid_date",
    FieldType.FLAG: "invalid_boolean",
    FieldType.LIST: "invalid_option",
    FieldType.MULTI: "invalid_option",
    FieldType.TEXT: "too_long",
}


def fields_of(actor: Actor, row: Model) -> list[CustomField]:
    """The fields of an object that the actor may see, in their order."""
    account = account_of(row)
    return [field for field in fields_for(actor, entity_of(row)) if is_shown(field, account)]


def custom_values(actor: Actor, row: Model) -> list[dict[str, Any]]:
    """The fields of an object by group, those without a value too."""
    return grouped(actor, fields_of(actor, row), values_of(row))


def grouped(actor: Actor, fields: Sequence[CustomField], data: dict[str, Any]) -> list[dict[str, Any]]:
    """Fields with what is stored of them, by group in their order."""
    groups: dict[str, dict[str, Any]] = {}
    for field in fields:
        found = groups.setdefault(field.group, {"group": group_of(field), "groupFields": []})
        found["groupFields"].append(_field(actor, field, shown_value(field, data)))
    return list(groups.values())


def group_of(field: CustomField) -> dict[str, Any] | None:
    """The group a field stands in."""
    return {"id": field.group_number, "name": field.group, "instanceId": None} if field.group else None


def is_read_only(actor: Actor, field: CustomField) -> bool:
    """Whether the API lets the actor set the field: it needs a name there, and the storefront's leave for resellers."""
    return field.provisioning_code is None or (actor.is_customer and not field.shop_editable)


def _field(actor: Actor, field: CustomField, value: Any) -> dict[str, Any]:
    kind = FieldType(field.field_type)
    several = value if isinstance(value, list) else [] if value is None else [value]
    return {
        "id": field.pk,
        "name": field.name,
        "apiField": None if field.provisioning_code is None else str(field.provisioning_code),
        "values": [_value(field, kind, item) for item in several],
        "type": KINDS[kind][0],
        "valueType": KINDS[kind][1],
        "isCompulsory": field.is_required,
        "isReadOnly": is_read_only(actor, field),
    }


def text_of(kind: FieldType, item: Any) -> str:
    """One value as text, which every value is on the wire."""
    return ("true" if item else "false") if kind == FieldType.FLAG else str(item)


def _value(field: CustomField, kind: FieldType, item: Any) -> dict[str, Any]:
    number = field.option_numbers.get(item) if kind in (FieldType.LIST, FieldType.MULTI) else None
    return {"id": None if number is None else str(number), "value": text_of(kind, item)}


class _Change:
    """Reads the entries of a body one by one and collects every fault."""

    def __init__(self, actor: Actor, fields: Sequence[CustomField], pointer: str) -> None:
        self.actor = actor
        self.pointer = pointer
        self.by_id = {field.pk: field for field in fields}
        self.by_api = {str(field.provisioning_code): field for field in fields if field.provisioning_code is not None}
        self.faults: list[dict[str, str]] = []
        self.found: dict[str, Any] = {}

    def fault(self, pointer: str, code: str, detail: str) -> None:
        self.faults.append({"code": code, "detail": detail, "pointer": pointer})

    def entry(self, number: int, item: Any) -> None:
        where = f"{self.pointer}/{number}"
        if not isinstance(item, dict):
            return self.fault(where, "invalid_body", "An entry is an object with id and value.")
        foreign = set(item) - TAKEN
        if foreign:
            name = min(foreign)
            return self.not_taken(f"{where}/{name[:60]}", name)
        field = self.field(item)
        if field is None:
            return self.fault(where, "unknown_custom_field", "There is no such field.")
        if is_read_only(self.actor, field):
            return self.fault(where, "read_only", f"{field.name} can only be read.")
        return self.take(where, field, item)

    def not_taken(self, where: str, name: str) -> None:
        if name in known_members():
            return self.fault(where, "member_not_allowed", f"'{name[:60]}' is not yours to set here.")
        return self.fault(where, "unknown_member", f"There is no member '{name[:60]}'.")

    def field(self, item: dict[str, Any]) -> CustomField | None:
        key, name = item.get("id"), item.get("apifield")
        by_id = self.by_id.get(key) if isinstance(key, int) and not isinstance(key, bool) else None
        by_api = self.by_api.get(name) if isinstance(name, str) else None
        if key is None:
            return by_api
        return by_id if name is None or by_api is by_id else None

    def take(self, where: str, field: CustomField, item: dict[str, Any]) -> None:
        if "value" in item and "values" in item:
            return self.fault(where, "value_and_values", "Send value or values, not both.")
        is_multi = field.field_type == FieldType.MULTI
        if field.code in self.found and not (is_multi and "value" in item):
            return self.fault(where, "duplicate_field", f"{field.name} stands there twice.")
        value = item.get("values", item.get("value"))
        if is_multi and not isinstance(value, list):
            value = [] if value is None else [value]
            value = [*(self.found.get(field.code) or []), *value]
        if not is_multi and isinstance(value, list):
            return self.fault(f"{where}/values", _WRONG[FieldType(field.field_type)], "This field has one value.")
        value = _option(field, value)
        try:
            kept = understood(field, value)
        except (BusinessError, TypeError, ValueError) as error:
            detail = str(getattr(error, "message", "This value does not fit."))
            return self.fault(f"{where}/value", _WRONG[FieldType(field.field_type)], detail)
        if field.is_required and kept is None:
            return self.fault(f"{where}/value", "required", f"{field.name} is compulsory.")
        self.found[field.code] = value
        return None


def _option(field: CustomField, value: Any) -> Any:
    """The text of a list as it is kept: sent in any case, or as its id."""
    if isinstance(value, list):
        return [_option(field, item) for item in value]
    if field.field_type not in (FieldType.LIST, FieldType.MULTI) or not isinstance(value, str | int):
        return value
    text = str(value)
    by_text = {option.lower(): option for option in field.options}
    by_id = {str(field.option_numbers[option]): option for option in field.options}
    return by_text.get(text.lower(), by_id.get(text, text))


def read_change(actor: Actor, row: Model, body: Any, pointer: str = "") -> dict[str, Any]:
    """The new values by the field's code; raises CustomFieldsNotUpdatedError with all faults together.

    ``pointer`` is where the entries stand in a body that has other members too.
    """
    if not isinstance(body, list) or len(body) > MOST:
        message = f"Send an array of at most {MOST} entries."
        where = [{"code": "invalid_body", "detail": message, "pointer": pointer}] if pointer else []
        raise ApiError(400, "invalid_body", message, type="CustomFieldsNotUpdatedError", errors=where)
    change = _Change(actor, fields_of(actor, row), pointer)
    for number, item in enumerate(body):
        change.entry(number, item)
    if change.faults:
        message = "Nothing was written: " + change.faults[0]["detail"]
        raise ApiError(400, "validation_failed", message, type="CustomFieldsNotUpdatedError", errors=change.faults)
    return change.found
