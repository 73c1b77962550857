"""Custom fields: what an organization wants to know about its objects besides what the columns hold.

A field belongs to one kind of object (``Entity``). The values of one object stand in one row as JSON by the field's id,
beside the object's own table: a list reads them with its rows in the same statement, a filter asks the GIN index, and
no table of another app needs a column (``docs/decisions/0007-custom-fields.md``).
"""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import connection, models
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.brief import briefly
from core.errors import BusinessError
from core.tenancy import Actor, TenantOwned, TenantQuerySet

DECIMALS = 10
TEXT_LENGTH = 2000
OPTION_NUMBERS = "core_custom_option"
GROUP_NUMBERS = "core_custom_group"


class Entity(models.TextChoices):
    """What can have custom fields."""

    ACCOUNT = "account", gettext_lazy("Account")
    CONTACT = "contact", gettext_lazy("Contact")
    ORDER = "order", gettext_lazy("Order")
    LINE = "line", gettext_lazy("Order line")
    SUBSCRIPTION = "subscription", gettext_lazy("Subscription")
    ADDON = "addon", gettext_lazy("Add-on")
    ASSET = "asset", gettext_lazy("Asset")
    PRODUCT = "product", gettext_lazy("Product")


MODELS = {
    "resellers.account": Entity.ACCOUNT,
    "resellers.contact": Entity.CONTACT,
    "orders.order": Entity.ORDER,
    "orders.orderline": Entity.LINE,
    "subscriptions.subscription": Entity.SUBSCRIPTION,
    "subscriptions.subscriptionaddon": Entity.ADDON,
    "subscriptions.asset": Entity.ASSET,
    "catalog.product": Entity.PRODUCT,
}


class FieldType(models.TextChoices):
    """What a field holds; fixed once there is a value."""

    TEXT = "text", gettext_lazy("Text")
    NUMBER = "number", gettext_lazy("Number")
    DATE = "date", gettext_lazy("Date")
    FLAG = "flag", gettext_lazy("Yes or no")
    LIST = "list", gettext_lazy("One of a list")
    MULTI = "multi", gettext_lazy("Several of a list")


def _numbers(sequence: str, how_many: int) -> list[int]:
    """Numbers that nothing had before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s::regclass) FROM generate_series(1, %s)", [sequence, how_many])
        return [number for (number,) in cursor.fetchall()]


class _Numbered(models.Field[Any, Any]):
    """A column that is filled when its row is written, as ``auto_now`` is."""

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        """The present value with what is new."""
        value = self.numbered(model_instance)
        setattr(model_instance, self.attname, value)
        return value

    def numbered(self, field: Any) -> Any:
        """What stands in the row from now on."""
        raise NotImplementedError

    def deconstruct(self) -> Any:
        """Migrations know the column alone."""
        name, _path, args, kwargs = super().deconstruct()
        return name, f"django.db.models.{type(self).__mro__[2].__name__}", args, kwargs


class OptionNumbers(_Numbered, models.JSONField):
    """The ids of list entries by their text; new ones get one."""

    def numbered(self, field: "CustomField") -> dict[str, int]:
        """The ids there were, and those of new entries."""
        known: dict[str, int] = field.option_numbers
        new = [option for option in field.options if option not in known]
        return known | dict(zip(new, _numbers(OPTION_NUMBERS, len(new)), strict=True)) if new else known


class GroupNumber(_Numbered, models.PositiveIntegerField[Any, Any]):
    """The id of a group: that of the organization's other fields in it, or a new one."""

    def numbered(self, field: "CustomField") -> int | None:
        """None for a field that stands in no group."""
        if not field.group or field.group_number is not None:
            return field.group_number if field.group else None
        rows = CustomField.objects.filter(organization_id=field.organization_id, group=field.group)
        found = rows.exclude(group_number=None).values_list("group_number", flat=True).first()
        return found or _numbers(GROUP_NUMBERS, 1)[0]


class CustomField(TenantOwned):
    """One field of one kind of object. ``provisioning_code`` is how the API names it; archived ones keep their values.

    ``shown_attribute`` and ``shown_values`` are the display rule: shown only where the customer's attribute has one of
    the values; without an attribute, always. ``option_numbers`` are the ids of all list entries there ever were, by
    their text; ``group_number`` is the group's, the same in all fields of the organization that stand in it. Programs
    know both by them, whatever they are called and wherever they stand; a number is given once and never again.
    """

    entity = models.CharField(gettext_lazy("for"), max_length=20, choices=Entity.choices)
    code = models.CharField(
        gettext_lazy("code"),
        max_length=40,
        validators=[RegexValidator(r"^[a-z][a-z0-9_]*$", gettext_lazy("Small letters, digits and _, a letter first."))],
    )
    name = models.CharField(gettext_lazy("name"), max_length=100)
    field_type = models.CharField(gettext_lazy("type"), max_length=10, choices=FieldType.choices)
    group = models.CharField(gettext_lazy("group"), max_length=100, blank=True)
    ordering = models.PositiveIntegerField(gettext_lazy("ordering"), default=0)
    is_required = models.BooleanField(gettext_lazy("compulsory"), default=False)
    is_search = models.BooleanField(gettext_lazy("search criterion"), default=False)
    options = ArrayField(models.CharField(max_length=100), verbose_name=gettext_lazy("list"), default=list, blank=True)
    option_numbers = OptionNumbers(default=dict, editable=False)
    group_number = GroupNumber(null=True, editable=False)
    default = models.JSONField(gettext_lazy("default"), null=True, blank=True)
    shown_attribute = models.CharField(gettext_lazy("shown by"), max_length=20, blank=True)
    shown_values = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    provisioning_code = models.PositiveIntegerField(gettext_lazy("code for provisioning system"), null=True, blank=True)
    shop_visible = models.BooleanField(gettext_lazy("visible in the storefront"), default=False)
    shop_editable = models.BooleanField(gettext_lazy("editable in the storefront"), default=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["entity", "ordering", "id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "entity", "code"], name="custom_field_code_once"),
            models.UniqueConstraint(
                fields=["organization", "entity", "provisioning_code"], name="custom_field_provisioning_once"
            ),
            models.CheckConstraint(
                condition=Q(shop_editable=False) | Q(shop_visible=True), name="custom_field_editable_is_visible"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """Under which its value is kept; digits alone would be taken for a place in an array."""
        return f"f{self.pk}"


class CustomValues(TenantOwned):
    """The custom values of one object, by the field's id: text, number as text, ISO date, true or false, list."""

    tenant_account = "account"

    entity = models.CharField(max_length=20, choices=Entity.choices)
    object_id = models.BigIntegerField()
    account = models.ForeignKey("resellers.Account", null=True, on_delete=models.PROTECT, related_name="+")
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["entity", "object_id"], name="custom_values_once")]
        indexes = [GinIndex(fields=["data"], name="custom_values_data", opclasses=["jsonb_path_ops"])]
        verbose_name_plural = "custom values"

    def __str__(self) -> str:
        return f"{self.entity} {self.object_id}"


def entity_of(row: models.Model) -> Entity:
    """Which kind of object a row is; LookupError for one that has no custom fields."""
    found: Entity | None = MODELS.get(row._meta.label_lower)
    if found is None:
        raise LookupError(row._meta.label_lower)
    return found


@briefly
def _has_fields(organization_id: int, entity: str) -> bool:
    """Whether an organization has fields for one kind of object."""
    rows = CustomField.objects.filter(organization_id=organization_id, entity=entity, archived_at=None)
    return rows.exists()


def fields_for(actor: Actor, entity: str, *, archived: bool = False) -> TenantQuerySet[CustomField]:
    """The fields of one kind of object as far as the actor may see them, in their order.

    The first field of an organization shows after ``BRIEF_SECONDS``; as long as there is none, pages ask for none.
    """
    if actor.organization_id is None or actor.is_anonymous:
        return CustomField.objects.none()
    if not archived and not _has_fields(actor.organization_id, str(entity)):
        return CustomField.objects.none()
    rows = CustomField.objects.filter(organization_id=actor.organization_id, entity=entity)
    rows = rows if archived else rows.filter(archived_at=None)
    return rows if not actor.is_customer else rows.filter(shop_visible=True)


def values_of(row: models.Model) -> dict[str, Any]:
    """What is stored of a row, by the field's id."""
    found = CustomValues.objects.filter(entity=entity_of(row), object_id=row.pk).values_list("data", flat=True)
    return dict(found[0]) if found else {}


def account_of(row: models.Model) -> models.Model | None:
    """The account an object hangs on; None for a product."""
    path: str | None = getattr(row, "tenant_account", None)
    found: Any = row
    for part in () if path in (None, "pk") else str(path).split("__"):
        found = getattr(found, part, None)
    return found if path is not None else None


def is_shown(field: CustomField, account: models.Model | None) -> bool:
    """Whether the display rule lets a field be shown for this customer."""
    if not field.shown_attribute or account is None:
        return True
    return str(getattr(account, field.shown_attribute, "")) in field.shown_values


def understood(field: CustomField, value: Any) -> Any:
    """A value as it is stored; None for nothing. Raises BusinessError ``custom_invalid`` naming the field's code."""
    if value is None or value == "" or value == []:
        return None
    match field.field_type:
        case FieldType.NUMBER:
            return _number(field, value)
        case FieldType.DATE:
            return _date(field, value)
        case FieldType.FLAG:
            if isinstance(value, bool) or str(value).lower() in ("true", "false"):
                return str(value).lower() == "true"
            raise _invalid(field, _("Answer yes or no."))
        case FieldType.LIST:
            if not isinstance(value, str) or value not in field.options:
                raise _invalid(field, _("Choose one of the list."))
            return value
        case FieldType.MULTI:
            if not isinstance(value, (list, tuple)) or not set(value) <= set(field.options):
                raise _invalid(field, _("Choose from the list."))
            return [option for option in field.options if option in value]
        case _:
            if not isinstance(value, str) or len(value) > TEXT_LENGTH:
                raise _invalid(field, _("Type a text of at most 2000 characters."))
            return value.strip() or None


def _number(field: CustomField, value: Any) -> str:
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise _invalid(field, _("Type a number.")) from error
    if isinstance(value, bool) or not number.is_finite() or abs(number) >= Decimal(10) ** 15:
        raise _invalid(field, _("Type a number."))
    number = number.normalize()
    # What is compared with in a list has ten decimals; and a small exponent would be written out in full.
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -DECIMALS:
        raise _invalid(field, _("Type a number."))
    return format(number, "f")


def _date(field: CustomField, value: Any) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    try:
        return dt.date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise _invalid(field, _("Type a date such as 2026-12-31.")) from error


def _invalid(field: CustomField, words: str) -> BusinessError:
    return BusinessError("custom_invalid", f"{field.name}: {words}", field=field.code)


def in_words(field: CustomField, value: Any) -> str:
    """A stored value for people and for files; empty for nothing."""
    if value is None:
        return ""
    match field.field_type:
        case FieldType.FLAG:
            return str(_("Yes") if value else _("No"))
        case FieldType.DATE:
            return str(date_format(dt.date.fromisoformat(value)))
        case FieldType.MULTI:
            return ", ".join(value)
        case _:
            return str(value)


def shown_value(field: CustomField, data: dict[str, Any] | None) -> Any:
    """The value stored, else the default."""
    return (data or {}).get(field.key, field.default)


def with_values(rows: QuerySet[Any], entity: str) -> QuerySet[Any]:
    """The rows, each with its values as ``custom_data``, read in the same statement."""
    data = CustomValues.objects.filter(entity=entity, object_id=OuterRef("pk")).order_by().values("data")[:1]
    found: QuerySet[Any] = rows.annotate(custom_data=Subquery(data))
    return found


def values_by_object(actor: Actor, entity: str, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What is stored of objects that the actor may see, by the object's key."""
    rows = CustomValues.objects.filter(organization_id=actor.tenant_id, entity=entity, object_id__in=ids)
    return dict(rows.values_list("object_id", "data"))


def kept_value(field: CustomField) -> Subquery:
    """The stored value of a field as JSON, of the object that a query is about."""
    kept = CustomValues.objects.filter(entity=field.entity, object_id=OuterRef("pk")).order_by()
    return Subquery(kept.annotate(found=KeyTransform(field.key, "data")).values("found")[:1])


def kept_text(field: CustomField) -> Subquery:
    """The stored value of a field as text, of the object that a query is about."""
    kept = CustomValues.objects.filter(entity=field.entity, object_id=OuterRef("pk")).order_by()
    return Subquery(kept.annotate(found=KeyTextTransform(field.key, "data")).values("found")[:1])


def having(rows: QuerySet[Any], field: CustomField, value: Any) -> QuerySet[Any]:
    """The rows whose value of ``field`` is ``value`` (of a text: contains it; of several: one of them is it)."""
    kept = CustomValues.objects.filter(entity=field.entity, object_id=OuterRef("pk"))
    match field.field_type:
        case FieldType.TEXT:
            kept = kept.annotate(found=KeyTextTransform(field.key, "data")).filter(found__icontains=str(value))
        case FieldType.MULTI:
            kept = kept.filter(data__contains={field.key: [value]})
        case _:
            kept = kept.filter(data__contains={field.key: value})
    found: QuerySet[Any] = rows.filter(Exists(kept))
    return found


def is_used(field: CustomField) -> bool:
    """Whether any object has a value of it."""
    return CustomValues.objects.filter(organization_id=field.organization_id, data__has_key=field.key).exists()


def codes_of(fields: Sequence[CustomField]) -> dict[str, CustomField]:
    """The fields by their code and by their code for the provisioning system."""
    found = {field.code: field for field in fields}
    return found | {str(field.provisioning_code): field for field in fields if field.provisioning_code is not None}


def all_fields(actor: Actor) -> TenantQuerySet[CustomField]:
    """Every field of the organization, archived ones too; for employees."""
    return CustomField.objects.visible_to(actor)
