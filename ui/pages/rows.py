"""Which rows a list shows, in which order, and what of them: the part that page and files have in common."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.functional import cached_property

from core.tenancy import Actor
from ui.filters import Filter, FilterForm
from ui.pages.base import Page
from ui.tables import Column


class Rows(Page):
    """Declared rows: ``selector`` gives those the actor may see, the address says which of them and in which order."""

    # A file of a list changes nothing; what is done with its rows is asked for by the services.
    level = "read"
    selector: ClassVar[Callable[[Actor], QuerySet[Any]]]
    columns: ClassVar[Sequence[Column]] = ()
    filters: ClassVar[Sequence[Filter]] = ()
    search: ClassVar[Sequence[str]] = ()
    sort: ClassVar[str] = "-pk"

    def shown_columns(self) -> Sequence[Column]:
        """The columns this actor sees."""
        return self.columns

    def shown_filters(self) -> Sequence[Filter]:
        """The filters this actor has."""
        return self.filters

    def rows(self) -> QuerySet[Any]:
        """All rows before any filter."""
        return type(self).selector(self.actor)

    @cached_property
    def filter_form(self) -> FilterForm:
        """The filters as given in the address."""
        return FilterForm(self.request.GET, filters=self.shown_filters(), actor=self.actor)

    @cached_property
    def chosen_sort(self) -> str:
        """The order asked for, if it is a sortable column's."""
        asked = self.request.GET.get("sort", "")
        return asked if asked.removeprefix("-") in self.sortable else self.sort

    @property
    def sortable(self) -> set[str]:
        """What the list can be ordered by."""
        return {column.sort for column in self.shown_columns() if column.sort}

    def filtered(self) -> QuerySet[Any]:
        """The rows after filters and search."""
        return self.filter_form.apply(self.rows(), self.search)

    @cached_property
    def view_name(self) -> str:
        """The name of the list's address, its door's namespace included."""
        match = self.request.resolver_match
        return match.view_name if match else ""

    def query_with(self, **changes: str | None) -> str:
        """The query of this page with changes; None takes a key away."""
        values: QueryDict = self.request.GET.copy()
        for key, value in changes.items():
            values.pop(key, None)
            if value is not None:
                values[key] = value
        return "?" + values.urlencode()
