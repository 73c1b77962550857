"""Look-ups of the organization on the wire (``api.md`` 3.3, 10.4): few plain rows, named as their filters are."""

from collections.abc import Iterable, Mapping
from typing import Any

from api.fields import Column, Columns
from api.resources.accounts import country_id
from api.resources.custom_values import KINDS, group_of, is_read_only, text_of
from api.resources.subscriptions import CYCLES
from catalog.models import Plan
from core.custom_fields import CustomField, FieldType
from core.tenancy import Actor
from resellers.countries import COUNTRIES
from vendors.models import Instance, InstanceState

_BY_NAME = ("name", False)
FIELD_WORDS = {
    word: (word,)
    for word in (
        "None",
        "ListOfValues",
        "SimpleValue",
        "TextArea",
        "MultiSelectListOfValues",
        "Boolean",
        "Link",
        "Mask",
        "MOD11CheckDigit",
        "File",
    )
}
COUNTRY_COLUMNS = Columns(
    (
        Column("id", "integer", orders=True),
        Column("name", orders=True),
        Column("code", orders=True),
        Column("isActive", "bool"),
        Column("isDefault", "bool"),
    ),
    default_order=_BY_NAME,
)
FIELD_COLUMNS = Columns(
    (
        Column("id", "integer", orders=True),
        Column("name", orders=True),
        Column("type", "word", words=FIELD_WORDS),
        Column("groupId", "integer"),
        Column("groupName", orders=True),
        Column("isCompulsory", "bool"),
        Column("isReadOnly", "bool"),
        Column("isUnique", "bool"),
    ),
    default_order=_BY_NAME,
)
SYSTEM_COLUMNS = Columns((Column("id", "integer"), Column("name", orders=True)), default_order=_BY_NAME)
UNIT_GROUP_COLUMNS = Columns(
    (
        Column("id", "integer", "pk", orders=True),
        Column("name", "text", "name", orders=True),
        Column("isRecurringChargeUnit", "bool", "is_recurring"),
    ),
    default_order=_BY_NAME,
)


def countries(default: str) -> list[dict[str, Any]]:
    """The countries an account can lie in; ``default`` is the organization's. States are free text here."""
    return [
        {"id": country_id(code), "name": str(name), "code": code, "isActive": True, "isDefault": code == default}
        for code, name in COUNTRIES
    ]


def systems(rows: Iterable[Instance]) -> list[dict[str, Any]]:
    """The vendors' systems that services are synchronized with."""
    return [
        {
            "id": row.pk,
            "code": row.application.code,
            "name": str(row),
            "isActive": row.state == InstanceState.ACTIVE,
        }
        for row in rows
    ]


def definition(actor: Actor, field: CustomField, *, of_account: bool) -> dict[str, Any]:
    """A custom field as it is defined, with the group's id and name beside for filters."""
    kind, group = FieldType(field.field_type), group_of(field)
    found: dict[str, Any] = {
        "id": field.pk,
        "name": field.name,
        "group": group,
        "type": KINDS[kind][0],
        "isCompulsory": field.is_required,
        "isReadOnly": is_read_only(actor, field),
        "valueDetails": _details(field, kind),
        "isUnique": False,
        "groupId": group["id"] if group else None,
        "groupName": group["name"] if group else None,
    }
    if of_account:
        found["editableInStorefront"] = field.shop_editable
    return found if actor.is_customer else found | {"showInStorefront": field.shop_visible}


def without_beside(row: Mapping[str, Any]) -> dict[str, Any]:
    """The definition as the wire tells it."""
    return {name: value for name, value in row.items() if name not in ("groupId", "groupName")}


def _details(field: CustomField, kind: FieldType) -> dict[str, Any]:
    chosen = field.default if isinstance(field.default, list) else [field.default]
    return {
        "suffix": None,
        "type": KINDS[kind][1],
        "defaultValue": None if field.default is None else ";".join(text_of(kind, value) for value in chosen),
        "numericValue": None,
        "listValues": [
            {
                "id": field.option_numbers[option],
                "value": option,
                "positionInList": place,
                "isDefault": option in chosen,
            }
            for place, option in enumerate(field.options, start=1)
        ],
        "maskValue": None,
        "mod11Value": None,
        "apiField": None if field.provisioning_code is None else str(field.provisioning_code),
    }


def unit_group(row: Mapping[str, Any]) -> dict[str, Any]:
    """A product's ways to be bought."""
    return {"id": row["pk"], "name": row["name"], "isRecurringChargeUnit": row["is_recurring"]}


def unit(plan: Plan, *, first: bool) -> dict[str, Any]:
    """One way to buy a product: the ``unit`` of subscriptions, orders and prices."""
    cycle = CYCLES.get(plan.billing_cycle)
    return {
        "id": plan.public_id,
        "name": plan.label,
        "mnemonic": None,
        "type": "License",
        "baseQuantity": 1,
        "billingCycleDuration": cycle[0] if cycle else None,
        "billingCycleUnitType": cycle[1] if cycle else None,
        "isActive": plan.is_offered and plan.withdrawn_at is None,
        "isDefault": first,
    }
