"""Filters of a list: declared once, checked like a form, shown as chips; what is not understood is said."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from core import clock
from core.searching import with_word

DAY = dt.timedelta(days=1)
Choices = Sequence[tuple[Any, Any]] | Callable[..., Iterable[tuple[Any, Any]]]


@dataclass(frozen=True)
class Filter:
    """A filter by words: ``name`` in the address, ``path`` the field it looks at."""

    name: str
    label: Any
    path: str

    def fields(self, actor: Any) -> dict[str, forms.Field]:
        """The form fields of this filter."""
        return {self.name: forms.CharField(label=self.label, required=False, max_length=100)}

    def apply(self, rows: QuerySet[Any], values: dict[str, Any]) -> QuerySet[Any]:
        """Narrow the rows."""
        word = values.get(self.name)
        return rows.filter(**{f"{self.path}__icontains": word}) if word else rows

    def chips(self, values: dict[str, Any], form: forms.Form) -> list[tuple[str, str]]:
        """What is set, as (name in the address, words)."""
        value = values.get(self.name)
        return [(self.name, f"{self.label}: {value}")] if value else []


@dataclass(frozen=True)
class Choice(Filter):
    """One of several values; ``choices`` may be a function of the actor."""

    choices: Choices = ()

    def fields(self, actor: Any) -> dict[str, forms.Field]:
        """A select with an empty first entry."""
        found = self.choices(actor) if callable(self.choices) else self.choices
        return {self.name: forms.ChoiceField(label=self.label, required=False, choices=[("", _("Any")), *list(found)])}

    def apply(self, rows: QuerySet[Any], values: dict[str, Any]) -> QuerySet[Any]:
        """Exactly this value."""
        value = values.get(self.name)
        return rows.filter(**{self.path: value}) if value else rows

    def chips(self, values: dict[str, Any], form: forms.Form) -> list[tuple[str, str]]:
        """The choice in words."""
        value = values.get(self.name)
        field = form.fields[self.name]
        words = dict(field.choices) if isinstance(field, forms.ChoiceField) else {}  # type: ignore[arg-type]
        return [(self.name, f"{self.label}: {words.get(value, value)}")] if value else []


@dataclass(frozen=True)
class Flag(Choice):
    """Yes or no."""

    choices: Choices = (("yes", _("Yes")), ("no", _("No")))

    def apply(self, rows: QuerySet[Any], values: dict[str, Any]) -> QuerySet[Any]:
        """True or false."""
        value = values.get(self.name)
        return rows.filter(**{self.path: value == "yes"}) if value else rows


@dataclass(frozen=True)
class Period(Filter):
    """From one day to another, both included; of moments those of these days in the reader's zone."""

    def fields(self, actor: Any) -> dict[str, forms.Field]:
        """Two dates."""
        date = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
        return {
            f"{self.name}_from": forms.DateField(label=_("%s from") % self.label, required=False, widget=date),
            f"{self.name}_to": forms.DateField(label=_("%s to") % self.label, required=False, widget=date),
        }

    def apply(self, rows: QuerySet[Any], values: dict[str, Any]) -> QuerySet[Any]:
        """Within the days."""
        first, last = values.get(f"{self.name}_from"), values.get(f"{self.name}_to")
        rows = rows.filter(**{f"{self.path}__gte": self.begin(first)}) if first else rows
        if last is None or last == dt.date.max:
            return rows
        return rows.filter(**{f"{self.path}__lt": self.begin(last + DAY)})

    def begin(self, day: dt.date) -> dt.date:
        """What the column is compared with: the moment at which a day begins."""
        return clock.midnight(day)

    def chips(self, values: dict[str, Any], form: forms.Form) -> list[tuple[str, str]]:
        """Each end that is set."""
        return [
            (name, f"{form.fields[name].label}: {date_format(values[name])}")
            for name in (f"{self.name}_from", f"{self.name}_to")
            if values.get(name)
        ]


class Days(Period):
    """The same for a column that holds days, not moments."""

    def begin(self, day: dt.date) -> dt.date:
        """The day itself."""
        return day


class FilterForm(forms.Form):
    """The filters and the search of a list as one form; fields that do not validate are left out and named."""

    # The table's template draws this field itself, under this id, so that an error leads to it.
    q = forms.CharField(
        label=_("Search"), required=False, max_length=100, widget=forms.TextInput({"id": "list-search"})
    )

    def __init__(self, data: Any, *, filters: Sequence[Filter], actor: Any) -> None:
        super().__init__(data)
        self.filters = filters
        self.organization_id: int | None = getattr(actor, "organization_id", None)
        for item in filters:
            self.fields.update(item.fields(actor))

    def values(self) -> dict[str, Any]:
        """What could be understood."""
        self.is_valid()
        return dict(self.cleaned_data)

    def apply(self, rows: QuerySet[Any], search: Sequence[str]) -> QuerySet[Any]:
        """Narrow by every filter and by the words searched for, each of which must be found somewhere."""
        values = self.values()
        for item in self.filters:
            rows = item.apply(rows, values)
        for word in str(values.get("q") or "").split()[:6]:
            rows = with_word(rows, search, word, self.organization_id)
        return rows

    def chips(self) -> list[tuple[str, str]]:
        """Everything that is set, the search first."""
        values = self.values()
        found = [("q", f"“{values['q']}”")] if values.get("q") else []
        for item in self.filters:
            found += item.chips(values, self)
        return found
