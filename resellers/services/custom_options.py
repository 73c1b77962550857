"""What a custom field keeps when its list or its group is edited: the ids that programs know, and the values."""

import json
from collections.abc import Mapping

from django.db import connection
from django.db.models import JSONField, Q
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from core.custom_fields import CustomField, CustomValues, FieldType
from core.errors import BusinessError

# For each organization one after the other: two new fields of a new group must get the same number.
LOCK = 41_007
# The value with new texts; the parameters are the field's key, the new texts by old ones, and the key again.
_RENAMED = {
    FieldType.LIST: "jsonb_set(data, ARRAY[%s], %s::jsonb -> (data ->> %s))",
    FieldType.MULTI: """jsonb_set(data, ARRAY[%s], (
        SELECT jsonb_agg(coalesce(%s::jsonb -> entry, to_jsonb(entry)) ORDER BY place)
        FROM jsonb_array_elements_text(data -> %s) WITH ORDINALITY AS entries (entry, place)
    ))""",
}


def lock_parts(organization_id: int) -> None:
    """Wait until nobody else changes fields of the organization; for the rest of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s::int, %s::int)", [LOCK, organization_id])


def renamed_options(field: CustomField, named: Mapping[str, int]) -> dict[str, str]:
    """Give entries the ids that ``named`` says by their new texts; returns new texts by old ones.

    Entries that are not named keep theirs by their text, also after they were gone for a while. Raises BusinessError
    ``option_unknown`` for an id that is none of the field's, or stands there twice.
    """
    before = dict(field.option_numbers)
    if len(set(named.values())) != len(named) or not set(named.values()) <= set(before.values()):
        raise BusinessError(
            "option_unknown", _("Each number may stand behind one entry of this list."), field="options"
        )
    kept = {text: number for text, number in before.items() if number not in named.values() and text not in named}
    field.option_numbers = kept | dict(named)
    texts = {number: text for text, number in named.items()}
    return {text: texts[number] for text, number in before.items() if texts.get(number, text) != text}


def rename_values(field: CustomField, names: Mapping[str, str]) -> None:
    """Write the new text of entries into the values of all objects, in one statement."""
    kind = FieldType(field.field_type)
    if not names or kind not in _RENAMED:
        return
    is_any = Q(pk__in=())
    for old in names:
        is_any |= Q(data__contains={field.key: [old] if kind == FieldType.MULTI else old})
    rows = CustomValues.objects.filter(is_any, organization_id=field.organization_id, entity=field.entity)
    params = (field.key, json.dumps(dict(names)), field.key)
    rows.update(data=RawSQL(_RENAMED[kind], params, output_field=JSONField()))  # noqa: S611 - Ours, values apart.


def move_group(field: CustomField, group: str, *, with_all: bool) -> None:
    """Put a field into a group; ``with_all`` gives its present group the new name, for all fields in it.

    Raises BusinessError ``group_taken`` if another group has the name.
    """
    if group == field.group:
        return
    rows = CustomField.objects.filter(organization_id=field.organization_id).exclude(pk=field.pk)
    if not (with_all and group and field.group):
        field.group, field.group_number = group, None
        return
    if rows.filter(group=group).exists():
        raise BusinessError("group_taken", _("Another group has this name."), field="group")
    rows.filter(group_number=field.group_number).update(group=group)
    field.group = group
