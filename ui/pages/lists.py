"""A list: selector, columns, filters, search, sorting, pages, spreadsheet, and actions over many rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.errors import BusinessError
from core.tenancy import Actor
from ui.pages.base import Action
from ui.pages.export import Export
from ui.pages.saved import SAVED, Saved
from ui.tables import SIZES, Column, cell_openings, counted_window, row_cells

MAX_BULK = 200
FORMATS = ("csv", "xlsx")
SAVED_ACTIONS = ("save_filter", "change_filter", "delete_filter")


@dataclass(frozen=True)
class BulkAction:
    """One service call for each chosen row; refusals are told row by row and stop nothing else."""

    name: str
    label: Any
    perm: str
    service: Callable[[Actor, Any], object]
    tone: str = ""


class ListPage(Saved, Export):
    """A declared list. ``selector`` gives the rows the actor may see; ``row_url`` the address of one of them."""

    template_name = "ui/list_page.html"
    intro: ClassVar[Any] = ""
    empty_title: ClassVar[Any] = ""
    empty_text: ClassVar[Any] = ""
    empty_icon: ClassVar[str] = "list"
    bulk_actions: ClassVar[Sequence[BulkAction]] = ()

    def row_url(self, row: Any) -> str:
        """Where a row leads; nowhere unless a page says so."""
        return ""

    def screen_columns(self) -> list[Column]:
        """The columns of the page; files may have more."""
        return [column for column in self.shown_columns() if not column.in_files_only]

    def actions(self) -> list[Action]:
        """What can be done above the list."""
        return []

    def offered_bulk(self) -> Sequence[BulkAction]:
        """What the page offers for chosen rows now; the service refuses the others anyway."""
        return self.bulk_actions

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The page, the table alone for htmx, or the whole list as a file."""
        kind = request.GET.get("format", "")
        if kind in FORMATS:
            return self.export(kind)
        if request.GET.get(SAVED) == "manage":
            return self.manage_saved()
        if default := self.default_url():
            return redirect(default)
        return self._page(request)

    def _page(self, request: HttpRequest) -> HttpResponseBase:
        rows = self.filtered()
        asked = request.GET.get("size", "")
        size = next((choice for choice in SIZES if str(choice) == asked), SIZES[0])
        found, count, is_more = counted_window(
            rows,
            details=self.rows() if self.filter_form.chips() else None,
            sort=self.chosen_sort,
            size=size,
            after=request.GET.get("after", ""),
            before=request.GET.get("before", ""),
        )
        columns = self.screen_columns()
        openings = cell_openings(columns)
        if self.wants_part():
            self.template_name = "ui/_table.html"  # type: ignore[misc]
        response = self.show(
            window=found,
            lines=[self._line(row, columns, openings) for row in found.rows],
            heads=[self._head(column) for column in columns],
            count=count,
            is_more=is_more,
            chips=[(words, self._without(name)) for name, words in self.filter_form.chips()],
            form=self.filter_form,
            size=size,
            sizes=SIZES,
            bulk=[item for item in self.offered_bulk() if self.actor.has(item.perm)],
            base_query=self.query_with(after=None, before=None),
            **self.saved_context(),
        )
        response["Vary"] = "HX-Request"
        return response

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Make the list a file in the background, keep its filters, or do one action for every chosen row."""
        asked = request.POST.get("action", "")
        if asked == "export":
            return self.start_export()
        if asked in SAVED_ACTIONS:
            return self.post_saved(asked)
        if not self.bulk_actions:
            return HttpResponseNotAllowed(["GET", "HEAD", "OPTIONS"])
        action = next((item for item in self.bulk_actions if item.name == asked), None)
        if action is None:
            raise BusinessError("action_unknown", _("Choose what to do with the rows."))
        self.actor.require(action.perm)
        chosen = list(dict.fromkeys(request.POST.getlist("row")))[:MAX_BULK]
        if not chosen:
            messages.warning(request, _("Tick the rows first."))
            return redirect(request.get_full_path())
        done = 0
        for public_id in chosen:
            row = self.rows().get_visible(self.actor, public_id)  # type: ignore[attr-defined]
            if row is None:
                continue
            try:
                action.service(self.actor, row)
                done += 1
            except BusinessError as error:
                messages.error(request, f"{row}: {error.message}")
        if done:
            words = ngettext("%(label)s: %(n)s row done.", "%(label)s: %(n)s rows done.", done)
            messages.success(request, words % {"label": action.label, "n": done})
        return redirect(request.get_full_path())

    def _line(self, row: Any, columns: Sequence[Column], openings: Sequence[SafeString]) -> dict[str, Any]:
        url = self.row_url(row)
        return {"row": row, "url": url, "cells": row_cells(columns, openings, row, url)}

    def _head(self, column: Column) -> dict[str, Any]:
        current = self.chosen_sort.lstrip("-") == column.sort and bool(column.sort)
        down = self.chosen_sort.startswith("-")
        other = column.sort if not current or down else f"-{column.sort}"
        state = ("descending" if down else "ascending") if current else "none"
        return {
            "column": column,
            "url": self.query_with(sort=other, after=None, before=None) if column.sort else "",
            "state": state,
        }

    def _without(self, name: str) -> str:
        return self.query_with(**{name: None, "after": None, "before": None})
