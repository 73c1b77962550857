"""Custom fields: make, change, archive, and set the values of an object (``channel.md`` 11)."""

import re
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.custom_fields import (
    CustomField,
    CustomValues,
    Entity,
    account_of,
    codes_of,
    entity_of,
    fields_for,
    in_words,
    is_shown,
    is_used,
    understood,
    values_of,
)
from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from core.events import emit
from core.tenancy import Actor, ActorKind, TenantOwned
from resellers.services.custom_options import lock_parts, move_group, rename_values, renamed_options
from users.permissions import Perm

EDITABLE = (
    "name",
    "field_type",
    "group",
    "ordering",
    "is_required",
    "is_search",
    "options",
    "shown_attribute",
    "shown_values",
    "provisioning_code",
    "shop_visible",
    "shop_editable",
)
STAFF_PERMS = {
    Entity.ACCOUNT: Perm.ACCOUNT_EDIT,
    Entity.CONTACT: Perm.ACCOUNT_EDIT,
    Entity.ORDER: Perm.ORDER_MANAGE,
    Entity.LINE: Perm.ORDER_MANAGE,
    Entity.SUBSCRIPTION: Perm.SERVICE_MANAGE,
    Entity.ADDON: Perm.SERVICE_MANAGE,
    Entity.ASSET: Perm.SERVICE_MANAGE,
    Entity.PRODUCT: Perm.CATALOG_MANAGE,
}
SHOP_PERMS = {
    Entity.ACCOUNT: Perm.SHOP_COMPANY_EDIT,
    Entity.CONTACT: Perm.SHOP_COMPANY_EDIT,
    Entity.ORDER: Perm.SHOP_ORDER,
    Entity.LINE: Perm.SHOP_ORDER,
    Entity.SUBSCRIPTION: Perm.SHOP_SERVICES_MANAGE,
    Entity.ADDON: Perm.SHOP_SERVICES_MANAGE,
    Entity.ASSET: Perm.SHOP_SERVICES_MANAGE,
}
_CODE = re.compile(r"^[a-z][a-z0-9_]{0,39}$")


@transaction.atomic
def save_field(
    actor: Actor, *, field: CustomField | None, values: Mapping[str, Any], entity: str = "", code: str = ""
) -> CustomField:
    """Make a field (``entity`` and ``code`` given) or change one; the type is fixed once there is a value.

    ``option_ids`` among the values says which ids entries of the list keep under their new texts, ``rename_group`` that
    the group gets its new name in all its fields. Raises BusinessError ``code_invalid``, ``code_taken``,
    ``options_missing``, ``option_unknown``, ``group_taken``, ``type_fixed``, or that of a default.
    """
    actor.require(Perm.SYSTEM_OPTIONS)
    lock_parts(actor.tenant_id)
    row = _own(actor, field) if field is not None else _fresh(actor, entity, code)
    if field is not None and values.get("field_type", row.field_type) != row.field_type and is_used(row):
        words = _("There are values already, so the type stays. Archive this field and make a new one.")
        raise Conflict("type_fixed", words, field="field_type")
    before = {name: getattr(row, name) for name in EDITABLE} if field is not None else {}
    for name in EDITABLE:
        if name in values and name != "group":
            setattr(row, name, values[name])
    move_group(row, values.get("group", row.group), with_all=bool(values.get("rename_group")))
    renamed = renamed_options(row, values.get("option_ids", {}))
    if row.field_type in ("list", "multi") and not row.options:
        raise BusinessError("options_missing", _("Type the entries of the list, one a line."), field="options")
    row.shop_visible = row.shop_visible or row.shop_editable
    try:
        row.default = understood(row, _default(row, values.get("default", row.default), renamed))
    except BusinessError as error:
        raise BusinessError(error.code, error.message, field="default") from error
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        words = _("Another field has this code. Choose another.")
        taken = "code" if field is None and "code_once" in str(error) else "provisioning_code"
        raise BusinessError("code_taken", words, field=taken) from error
    rename_values(row, renamed)
    after = {name: getattr(row, name) for name in EDITABLE} | {"code": row.code}
    audit.record(actor, "custom_field.saved", row, before=before, after=after)
    return row


def _default(row: CustomField, value: Any, renamed: Mapping[str, str]) -> Any:
    """The default, under its new text if its entry got one."""
    if isinstance(value, list):
        return [_default(row, item, renamed) for item in value]
    return renamed.get(value, value) if isinstance(value, str) and value not in row.options else value


def _fresh(actor: Actor, entity: str, code: str) -> CustomField:
    if entity not in Entity.values or not _CODE.match(code):
        words = _("Small letters, digits and _, a letter first.")
        raise BusinessError("code_invalid", words, field="code")
    return CustomField(organization_id=actor.tenant_id, entity=entity, code=code)


def _own(actor: Actor, field: CustomField) -> CustomField:
    rows = CustomField.objects.visible_to(actor).select_for_update(of=("self",))
    row = rows.filter(pk=field.pk).first()
    if row is None:
        raise NotVisible("field_missing", _("This field does not exist."))
    return row


@transaction.atomic
def archive_field(actor: Actor, *, field: CustomField, restore: bool = False) -> CustomField:
    """Hide a field everywhere, or show it again; its values are kept."""
    actor.require(Perm.SYSTEM_OPTIONS)
    row = _own(actor, field)
    row.archived_at = None if restore else clock.now()
    row.save(update_fields=["archived_at", "updated_at"])
    audit.record(actor, "custom_field.restored" if restore else "custom_field.archived", row)
    return row


@transaction.atomic
def set_custom_values(actor: Actor, row: models.Model, values_by_code: Mapping[str, Any]) -> dict[str, Any]:
    """Change the values of the codes that are sent, all or none; returns what is stored, by the field's id.

    A code is a field's own or its *Code for Provisioning System*. Nothing is written if one is unknown
    (``custom_unknown``), read-only for the actor (``custom_read_only``), badly formed (``custom_invalid``), or if a
    compulsory field is cleared (``custom_required``); each names the code. ``None`` or an empty text clears a value.
    Only what is sent is judged: that all compulsory fields are filled in is asked by the forms, which send all of them.
    """
    entity, account = entity_of(row), account_of(row)
    _demand(actor, row, entity, account)
    shown = [field for field in fields_for(actor, entity) if is_shown(field, account)]
    changes = _changes(actor, codes_of(shown), values_by_code)
    objects = _locked_rows(row)
    kept = _locked_values(row, entity, account)
    before = dict(kept.data)
    merged = {key: value for key, value in (before | changes).items() if value is not None}
    if merged == before:
        return merged
    kept.data = merged
    kept.save(update_fields=["data", "updated_at"])
    for rows in objects:
        rows.update(updated_at=clock.real_now())  # Programs find by it what has changed.
    for field in shown:
        old, new = before.get(field.key), merged.get(field.key)
        if old != new:
            was, now = {field.name: in_words(field, old)}, {field.name: in_words(field, new)}
            audit.record(actor, "custom_values.set", row, before=was, after=now, account=account)
    _tell(row, entity, account)
    return merged


def _changes(actor: Actor, known: Mapping[str, CustomField], values_by_code: Mapping[str, Any]) -> dict[str, Any]:
    """What is sent as it is stored, by the field's key; raises as :func:`set_custom_values` does."""
    found: dict[str, Any] = {}
    for code, value in values_by_code.items():
        field = known.get(str(code))
        if field is None:
            raise BusinessError("custom_unknown", _("There is no field %(code)s.") % {"code": code}, field=str(code))
        if actor.is_customer and not field.shop_editable:
            words = _("%(name)s can only be read.") % {"name": field.name}
            raise BusinessError("custom_read_only", words, field=field.code)
        found[field.key] = understood(field, value)
        if field.is_required and found[field.key] is None:
            raise BusinessError("custom_required", _("Fill in: %(name)s.") % {"name": field.name}, field=field.code)
    return found


def _locked_rows(row: models.Model) -> list[models.QuerySet[Any]]:
    """The object, locked as its own services lock it before its values; an add-on after its service."""
    service = [row.subscription] if entity_of(row) == Entity.ADDON and hasattr(row, "subscription") else []
    found = []
    for item in (*service, row):
        rows = type(item)._base_manager.filter(pk=item.pk)
        list(rows.select_for_update(of=("self",), no_key=True).values_list("pk"))
        found.append(rows)
    return found


def _tell(row: models.Model, entity: Entity, account: models.Model | None) -> None:
    """Emit that the fields of a subscription, an asset or an account changed; nobody listens to others."""
    names = {
        Entity.SUBSCRIPTION: ("subscription.customfields_updated", "subscription", "public_id"),
        Entity.ASSET: ("asset.updated", "asset", "public_id"),
        Entity.ACCOUNT: ("account.updated", "account", "pk"),
    }
    if entity in names and account is not None:
        name, key, attribute = names[entity]
        about = getattr(row, attribute)
        payload = {key: about if attribute == "pk" else str(about), "changed": ["customFields"]}
        organization_id: int = getattr(row, "organization_id", 0)
        emit(name, payload, organization_id=organization_id, account_id=account.pk)


def may_set(actor: Actor, row: models.Model) -> bool:
    """Whether the actor's role and rule let him set custom values of this object."""
    table = SHOP_PERMS if actor.is_customer else STAFF_PERMS
    perm = table.get(entity_of(row))
    return perm is not None and actor.has(perm) and actor.may_touch(row)


def _demand(actor: Actor, row: models.Model, entity: Entity, account: models.Model | None) -> None:
    if actor.kind == ActorKind.SYSTEM:
        return
    if getattr(row, "organization_id", None) != actor.organization_id or (account and not actor.reaches(account)):
        raise NotVisible("object_missing", _("This does not exist."))
    perm = (SHOP_PERMS if actor.is_customer else STAFF_PERMS).get(entity)
    if perm is None:
        raise PermissionRefused("permission_missing", _("Your role does not allow this. Ask an administrator."))
    actor.require(perm, account)


def _locked_values(row: models.Model, entity: Entity, account: models.Model | None) -> CustomValues:
    """The object's row of values, made if there is none, locked until the end of the transaction."""
    known = CustomValues.objects.filter(entity=entity, object_id=row.pk)
    made = {"organization_id": getattr(row, "organization_id", None), "account": account}
    CustomValues.objects.get_or_create(entity=entity, object_id=row.pk, defaults=made)
    return known.select_for_update(of=("self",)).get()


@transaction.atomic
def carry_values(source: TenantOwned, copy: TenantOwned) -> None:
    """Give the copy of an object in another organization the values of its source, with the fields it has them in.

    A field that the other organization lacks is made there, not compulsory; one it has already, by its code, takes the
    value if it is of its type. Nothing else there is changed. Called by whoever copies, who has asked for the right.
    """
    entity, values = entity_of(source), values_of(source)
    if not values:
        return
    organization_id = copy.organization_id
    fields = CustomField.objects.filter(organization_id=source.organization_id, entity=entity)
    there = {row.code: row for row in CustomField.objects.filter(organization_id=organization_id, entity=entity)}
    data: dict[str, Any] = {}
    for field in fields.filter(archived_at=None).order_by("ordering", "pk"):
        value = values.get(field.key)
        if value is None:
            continue
        own = there.get(field.code) or _twin(field, organization_id)
        try:
            data[own.key] = understood(own, value)
        except BusinessError:
            continue  # The field of this code means something else there.
    account = account_of(copy)
    kept = _locked_values(copy, entity, account)
    kept.data = {key: value for key, value in data.items() if value is not None} | kept.data
    kept.save(update_fields=["data", "updated_at"])


def _twin(field: CustomField, organization_id: int) -> CustomField:
    """The same field in another organization; its provisioning code goes along if it is free there."""
    lock_parts(organization_id)
    rows = CustomField.objects.filter(organization_id=organization_id, entity=field.entity)
    shown = {name: getattr(field, name) for name in (*EDITABLE, "default")} | {"is_required": False}
    if field.provisioning_code and rows.filter(provisioning_code=field.provisioning_code).exists():
        shown["provisioning_code"] = None
    made, _is_new = rows.get_or_create(
        code=field.code, defaults={"organization_id": organization_id, "entity": field.entity} | shown
    )
    return made
