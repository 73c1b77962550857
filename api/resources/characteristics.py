"""What a vendor asks when something is ordered, as characteristics of an order's items (``api.md`` 9.1, 10.3).

A vendor asks about the account, so items of one instance share their answers, and a characteristic has one id for the
whole instance. The answers are understood by the same form that the pages show.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from api.bodies import Body, Faults
from api.errors import ApiError
from api.resources.service_parts import SECRET
from catalog.offers import asking_instances as asking_instances_of_products
from clients.selectors import Caller
from orders.enums import OrderStatus
from orders.models import Order, OrderLine
from provisioning.ports import Field, FieldKind
from provisioning.services.checkout import MPN, account_fields, new_customer_fields
from provisioning.services.draft_checkout import asking_instances, kept_answers
from resellers.enums import PurchaseMode
from resellers.models import Account
from ui.vendor_fields import VendorForm
from vendors.models import Instance

MOST = 200
TYPES = {
    FieldKind.CHECKBOX: "Boolean",
    FieldKind.TERMS: "Boolean",
    FieldKind.CHOOSE_ONE: "DropDown",
    FieldKind.CHOOSE_MANY: "CheckBoxes",
    FieldKind.DATE: "Date",
    FieldKind.INTEGER: "Numeric",
    FieldKind.MULTILINE: "TextArea",
}
# Fields that nobody answers.
UNANSWERED = (FieldKind.LABEL, FieldKind.HIDDEN)
# What is missing has a name of its own where the contract says so.
CODES = {MPN: "mpn_missing", "registration_number": "tax_id_required"}


def asking_instance(line: OrderLine) -> Instance | None:
    """The instance whose vendor asks about this item's customer; None if nobody asks anything."""
    found = asking_instances([line])
    return found[0] if found else None


def fields_of(account: Account, instance: Instance) -> list[Field]:
    """The questions, without labels and what nobody answers."""
    return [field for field in account_fields(account, instance) if field.kind not in UNANSWERED]


def id_of(instance: Instance, field: str) -> uuid.UUID:
    """The id of a question."""
    return uuid.uuid5(instance.public_id, field)


def characteristics(order: Order, line: OrderLine) -> dict[str, Any]:
    """The questions about one item with their answers by group."""
    return of_lines(order, [line])[line.pk]


def of_lines(order: Order, lines: Iterable[OrderLine]) -> dict[int, dict[str, Any]]:
    """The same of many items, by item; each instance is asked once."""
    known: dict[int, list[dict[str, Any]]] = {}
    found = {}
    for line in lines:
        instance = asking_instance(line)
        if instance is not None and instance.pk not in known:
            known[instance.pk] = _groups(order, instance)
        found[line.pk] = {"groups": known[instance.pk] if instance is not None else []}
    return found


def _groups(order: Order, instance: Instance) -> list[dict[str, Any]]:
    """Of a draft what is asked, of a placed order what was answered."""
    answers = kept_answers(order, instance)
    groups: dict[str, list[dict[str, Any]]] = {}
    if order.status == OrderStatus.DRAFT:
        for field in fields_of(order.account, instance):
            item = _asked(instance, field, answers.get(field.id, field.initial))
            groups.setdefault(str(field.group), []).append(item)
    elif answers:
        groups["Service details"] = [_answered(instance, name, value) for name, value in answers.items()]
    return [{"name": name, "characteristics": items} for name, items in groups.items()]


def _asked(instance: Instance, field: Field, value: object) -> dict[str, Any]:
    known = dict(field.choices)
    is_secret = field.kind == FieldKind.PASSWORD or bool(SECRET.search(field.id))
    return {
        "id": id_of(instance, field.id),
        "name": str(field.name),
        "value": None if is_secret else _text(known.get(str(value), value)),
        "valueCode": str(value) if str(value) in known else None,
        "valueSuffix": str(field.suffix) or None,
        "valueType": TYPES.get(field.kind, "Text"),
        "type": "Order Characteristic",
    }


def _answered(instance: Instance, name: str, value: object) -> dict[str, Any]:
    return {
        "id": id_of(instance, name),
        "name": name,
        "value": None if SECRET.search(name) else _text(value),
        "valueCode": None,
        "valueSuffix": None,
        "valueType": "Boolean" if isinstance(value, bool) else "Text",
        "type": "Order Characteristic",
    }


def of_products(caller: Caller, ids: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """What is asked when a product is ordered for a customer whom the vendor does not know yet, as groups, by product.

    The ids are those of an order's items, so that the answers can be sent with the item. Each instance is asked once.
    """
    mode = PurchaseMode.END_CUSTOMER.value if caller.is_reseller else ""
    known: dict[int, list[dict[str, Any]]] = {}
    found = {}
    for key, instance in asking_instances_of_products(caller.actor, ids).items():
        if instance.pk not in known:
            groups: dict[str, list[dict[str, Any]]] = {}
            for field in new_customer_fields(instance, mode=mode):
                if field.kind not in UNANSWERED:
                    groups.setdefault(str(field.group), []).append(_question(instance, field))
            known[instance.pk] = [{"name": name, "characteristics": items} for name, items in groups.items()]
        found[key] = known[instance.pk]
    return found


def _question(instance: Instance, field: Field) -> dict[str, Any]:
    item = _asked(instance, field, field.initial)
    is_secret = field.kind == FieldKind.PASSWORD or bool(SECRET.search(field.id))
    return item | {"isCompulsory": field.required, "externalId": field.id, "isMasked": is_secret}


def _text(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return ";".join(str(item) for item in value) if isinstance(value, list | tuple) else str(value)


def read_answers(order: Order, instance: Instance | None, entries: Any, pointer: str = "") -> dict[str, Any]:
    """The kept answers with those of a body (``[{id, value}]``) put over them; null takes one back.

    Raises 400 with every wrong value and unknown id together.
    """
    if not isinstance(entries, list) or len(entries) > MOST:
        raise ApiError(400, "invalid_body", f"Send an array of at most {MOST} entries.")
    known = {str(id_of(instance, field.id)): field for field in fields_of(order.account, instance)} if instance else {}
    answers = dict(kept_answers(order, instance)) if instance else {}
    sent: dict[str, str] = {}
    faults = Faults()
    for number, entry in enumerate(entries):
        where = f"{pointer}/{number}"
        part = Body(entry, taken=("id", "value"), pointer=where, faults=faults)
        name, value = part.text("id", required=True), part.text("value", longest=4000)
        field = known.get(name.lower())
        if field is None:
            if name:
                part.fault("id", "There is no such characteristic here.", "unknown_characteristic")
            continue
        sent[field.id] = f"{where}/value"
        if value:
            answers[field.id] = value.split(";") if field.kind == FieldKind.CHOOSE_MANY else value
        else:
            answers.pop(field.id, None)
    found = faults.found + (_wrong(order.account, instance, answers, sent) if instance else [])
    if found:
        raise ApiError(400, "validation_failed", "Nothing was written: " + found[0]["detail"], errors=found)
    return answers


def _wrong(
    account: Account, instance: Instance, answers: Mapping[str, Any], sent: Mapping[str, str]
) -> list[dict[str, str]]:
    """What of the sent answers the vendor's field does not take; what is missing is said at checkout."""
    form = VendorForm(dict(answers), vendor_fields=account_fields(account, instance))
    form.is_valid()
    found = []
    for name, where in sent.items():
        for error in form.errors.as_data().get(name, []):
            if answers.get(name) not in (None, ""):
                detail = " ".join(str(text) for text in error.messages)
                found.append({"code": "invalid_option", "detail": detail, "pointer": where})
    return found


def understood(account: Account, instance: Instance, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers as the vendor's connector takes them; raises 400 naming all that is missing or wrong at checkout."""
    fields = fields_of(account, instance)
    initial = {field.id: field.initial for field in fields if field.initial not in (None, "")}
    form = VendorForm(initial | dict(answers), vendor_fields=fields)
    if form.is_valid():
        return {name: _plain(value) for name, value in form.cleaned_data.items() if value is not None}
    names = {field.id: str(field.name) for field in fields}
    faults: list[dict[str, str]] = []
    for name, errors in form.errors.get_json_data().items():
        missing = (initial | dict(answers)).get(name) in (None, "", [], "false")
        code = CODES.get(name, "characteristic_required") if missing else "validation_failed"
        words = " ".join(str(error["message"]) for error in errors)
        faults.append({"code": code, "detail": f"{names.get(name, name)}: {words}", "pointer": f"/{name}"})
    first = min(faults, key=lambda fault: _RANKS.get(fault["code"], 9))
    raise ApiError(400, first["code"], " ".join(fault["detail"] for fault in faults), type=REFUSED, errors=faults)


REFUSED = "BusinessRuleError"
# Of several the one that is told first: what the reseller mends once for all orders.
_RANKS = {"mpn_missing": 0, "tax_id_required": 1, "characteristic_required": 2, "validation_failed": 3}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, dt.date) else value
