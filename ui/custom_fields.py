"""Custom fields on pages of both doors: the form of an object's values, what is shown of them, filters and columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from django import forms
from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.custom_fields import (
    TEXT_LENGTH,
    CustomField,
    FieldType,
    account_of,
    entity_of,
    fields_for,
    having,
    in_words,
    is_shown,
    shown_value,
    understood,
    values_of,
    with_values,
)
from core.errors import BusinessError
from core.tenancy import Actor
from resellers.services.custom_fields import set_custom_values
from ui.filters import Filter
from ui.pages import FormPage, ListPage
from ui.tables import Column

DATE = {"type": "date"}
YES_NO = (("", "—"), ("true", _("Yes")), ("false", _("No")))


@dataclass(frozen=True)
class Shown:
    """One field of one object as it is read: label, words, group."""

    label: str
    words: str
    group: str


def shown_fields(actor: Actor, row: Model) -> list[CustomField]:
    """The fields of an object that the actor sees and the display rule shows."""
    account = account_of(row)
    return [field for field in fields_for(actor, entity_of(row)) if is_shown(field, account)]


def shown_values(actor: Actor, row: Model) -> list[Shown]:
    """The fields of an object in words; two statements, one if there are no fields."""
    fields = shown_fields(actor, row)
    data = values_of(row) if fields else {}
    return [Shown(field.name, in_words(field, shown_value(field, data)), field.group) for field in fields]


class CustomForm(forms.Form):
    """The values of one object; fields that may only be read are not asked for."""

    def __init__(self, *args: Any, custom: Sequence[CustomField], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in custom:
            self.fields[field.code] = form_field(field)


def form_field(field: CustomField, *, required: bool | None = None) -> forms.Field:
    """The form field of a custom field; ``required`` overrides whether it is compulsory."""
    need = field.is_required if required is None else required
    common: dict[str, Any] = {"label": field.name, "required": need}
    match field.field_type:
        case FieldType.NUMBER:
            return forms.DecimalField(max_digits=15, **common)
        case FieldType.DATE:
            return forms.DateField(widget=forms.DateInput(DATE, format="%Y-%m-%d"), **common)
        case FieldType.FLAG:
            return forms.ChoiceField(choices=YES_NO, **common)
        case FieldType.LIST:
            return forms.ChoiceField(choices=[("", "—"), *((item, item) for item in field.options)], **common)
        case FieldType.MULTI:
            widget = forms.CheckboxSelectMultiple
            return forms.MultipleChoiceField(choices=[(item, item) for item in field.options], widget=widget, **common)
        case _:
            return forms.CharField(max_length=TEXT_LENGTH, **common)


def initial_of(fields: Sequence[CustomField], data: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the form at first."""
    found = {field.code: shown_value(field, dict(data)) for field in fields}
    return {code: str(value).lower() if isinstance(value, bool) else value for code, value in found.items()}


def editable_fields(actor: Actor, row: Model) -> list[CustomField]:
    """The fields of an object that the actor may fill in."""
    return [field for field in shown_fields(actor, row) if field.shop_editable or not actor.is_customer]


@dataclass(frozen=True)
class CustomFilter(Filter):
    """A filter by a field that is a search criterion."""

    field: CustomField | None = None

    def fields(self, actor: Any) -> dict[str, forms.Field]:
        """The field's own input; several of a list are asked for one by one."""
        if self.field is None:
            return {}
        if self.field.field_type == FieldType.MULTI:
            choices = [("", _("Any")), *((item, item) for item in self.field.options)]
            return {self.name: forms.ChoiceField(label=self.label, required=False, choices=choices)}
        return {self.name: form_field(self.field, required=False)}

    def apply(self, rows: QuerySet[Any], values: dict[str, Any]) -> QuerySet[Any]:
        """Narrow the rows by what is stored."""
        value = values.get(self.name)
        if self.field is None or value in (None, ""):
            return rows
        if self.field.field_type != FieldType.MULTI:
            try:
                value = understood(self.field, value)
            except BusinessError:
                return rows.none()
        return having(rows, self.field, value)

    def chips(self, values: dict[str, Any], form: forms.Form) -> list[tuple[str, str]]:
        """The value in words."""
        value = values.get(self.name)
        return [(self.name, f"{self.label}: {value}")] if value not in (None, "") else []


@dataclass(frozen=True)
class CustomColumn(Column):
    """A field's value in a file; the rows carry their values."""

    field: CustomField | None = None

    def raw(self, row: Any) -> Any:
        """The value in words."""
        return in_words(self.field, shown_value(self.field, row.custom_data)) if self.field is not None else ""


class CustomList(ListPage):
    """A list whose objects have custom fields: filters by search criteria, and a column of each field in files."""

    entity: ClassVar[str] = ""

    @cached_property
    def custom(self) -> list[CustomField]:
        """The fields of these objects, read once."""
        return list(fields_for(self.actor, self.entity))

    def shown_filters(self) -> Sequence[Filter]:
        """The list's own, then the search criteria."""
        found = [field for field in self.custom if field.is_search]
        return [*super().shown_filters(), *(CustomFilter(f"c_{row.code}", row.name, "", row) for row in found)]

    def shown_columns(self) -> Sequence[Column]:
        """The list's own, and in files the custom fields."""
        more = [CustomColumn(f"custom.{row.code}", row.name, in_files_only=True, field=row) for row in self.custom]
        return [*super().shown_columns(), *more]

    def rows(self) -> QuerySet[Any]:
        """The rows with their values, where a file asks for them."""
        rows = super().rows()
        return with_values(rows, self.entity) if self.custom else rows


class CustomEdit(FormPage):
    """The values of one object; ``selector`` gives the objects, ``detail`` is the name of its page."""

    title = _("Custom fields")
    success = _("Saved.")
    selector: ClassVar[Callable[[Actor], Any]]
    detail: ClassVar[str] = ""

    def load(self, **kwargs: Any) -> Any:
        """The object of the address."""
        return self.find(type(self).selector(self.actor), kwargs["public_id"])

    def page_title(self) -> str:
        """Whose fields."""
        return gettext("Custom fields of %(thing)s") % {"thing": self.thing()}

    def thing(self) -> str:
        """What the object is called for who reads the page."""
        return str(self.object)

    @cached_property
    def custom(self) -> list[CustomField]:
        """The fields that can be filled in here."""
        return editable_fields(self.actor, self.object)

    def make_form(self, data: Any = None, files: Any = None) -> forms.Form:
        """A form of these fields."""
        return CustomForm(data, files, initial=initial_of(self.custom, values_of(self.object)), custom=self.custom)

    def perform(self, form: Any) -> object:
        """Call the service with everything that was asked for."""
        return set_custom_values(self.actor, self.object, form.cleaned_data)

    def crumbs(self) -> list[tuple[str, str]]:
        """Below the object."""
        return [*super().crumbs(), (self.thing(), self.cancel_url())]

    def cancel_url(self) -> str:
        """Back to the object."""
        return reverse(self.detail, args=[self.object.public_id])
