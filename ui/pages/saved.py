"""Saved filters of a list: each is a link to the list; here they are drawn, saved, renamed, shared and deleted."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import BusinessError, NotVisible, PermissionRefused
from ui.filters import FilterForm
from ui.pages.rows import Rows
from users.models import NAME_LENGTH, SavedFilter
from users.selectors import saved_filters
from users.services.saved_filters import MAX_SAVED, change_filter, delete_filter, save_filter

# ``?saved=none`` is the list without the filter it opens with, ``?saved=manage`` the page where they are put in order.
SAVED = "saved"
TABS = 8


class SavedForm(forms.Form):
    """A name, whether the list opens with it, and for employees whether colleagues see it too."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=NAME_LENGTH)
    default = forms.BooleanField(label=gettext_lazy("Open this list with it"), required=False)
    shared = forms.BooleanField(label=gettext_lazy("Share with colleagues"), required=False)

    def __init__(self, *, ident: str, can_share: bool, row: SavedFilter | None = None) -> None:
        known = {"name": row.name, "default": row.is_default, "shared": row.is_shared} if row else {}
        super().__init__(initial=known, auto_id=f"{ident}_%s")
        if not can_share:
            del self.fields["shared"]


@dataclass(frozen=True)
class SavedTab:
    """One saved filter: above the list a link, on the page that puts them in order with its words and its form."""

    row: SavedFilter
    url: str
    is_current: bool
    is_own: bool
    words: str = ""
    form: SavedForm | None = None


class Saved(Rows):
    """The half of a list page that keeps its filters."""

    manage_template: ClassVar[str] = "ui/saved_filters.html"

    @cached_property
    def present_query(self) -> str:
        """What is set now and understood, as a query: filters, search and order, in the order of their declaration."""
        given, kept = self.request.GET, QueryDict(mutable=True)
        values = self.filter_form.values()
        for name in self.filter_form.fields:
            if values.get(name) not in (None, ""):
                kept[name] = given.get(name, "").strip()
        if given.get("sort") and self.chosen_sort == given["sort"]:
            kept["sort"] = given["sort"]
        return kept.urlencode()

    @cached_property
    def saved(self) -> list[SavedFilter]:
        """The actor's own saved filters of this list, and those colleagues share."""
        return list(saved_filters(self.actor, self.view_name))

    @property
    def own_default(self) -> SavedFilter | None:
        """What the list opens with."""
        return next((row for row in self.saved if row.is_default and self._is_own(row)), None)

    def default_url(self) -> str:
        """Where the bare address of the list leads instead; empty if it opens as it is."""
        if self.request.GET or self.wants_part():
            return ""
        row = self.own_default
        return f"{self.request.path}?{row.query}" if row else ""

    @property
    def everything_url(self) -> str:
        """The list without any filter."""
        return f"{self.request.path}?{SAVED}=none" if self.own_default else self.request.path

    def saved_context(self) -> dict[str, Any]:
        """The saved filters as links, what of them is shown now, and whether the present filters could be saved."""
        tabs = [self._tab(row) for row in self.saved]
        is_saved = any(tab.is_current for tab in tabs)
        can_save = bool(self.present_query) and not is_saved and self._may_save()
        return {
            "saved_tabs": tabs[:TABS],
            "saved_more": tabs[TABS:],
            "shows_saved": bool(tabs),
            "is_unfiltered": not self.present_query,
            "save_form": SavedForm(ident="save", can_share=self.actor.is_staff) if can_save else None,
            "manage_url": f"{self.request.path}?{SAVED}=manage",
        }

    def manage_saved(self) -> HttpResponseBase:
        """The page with every saved filter, to rename, share or delete one's own."""
        self.template_name = self.manage_template  # type: ignore[misc]
        tabs = [self._described(self._tab(row)) for row in self.saved]
        return self.show(
            own=[tab for tab in tabs if tab.is_own],
            others=[tab for tab in tabs if not tab.is_own],
            most=MAX_SAVED,
            list_url=self.everything_url,
        )

    def post_saved(self, action: str) -> HttpResponseBase:
        """Save the present filters, or change or delete a saved one; what is refused is said above the page."""
        given = self.request.POST
        page = self.view_name
        flags = {"is_shared": "shared" in given, "is_default": "default" in given}
        try:
            if action == "save_filter":
                name = given.get("name", "")
                row = save_filter(self.actor, page=page, name=name, query=self.present_query, **flags)
                messages.success(self.request, _("Saved as “%(name)s”.") % {"name": row.name})
                return redirect(f"{self.request.path}?{row.query}")
            if action == "delete_filter":
                delete_filter(self.actor, page=page, public_id=given.get("filter"))
                messages.success(self.request, _("Deleted."))
            else:
                name, key = given.get("name", ""), given.get("filter")
                change_filter(self.actor, page=page, public_id=key, name=name, **flags)
                messages.success(self.request, _("Saved."))
        except NotVisible as error:
            raise Http404 from error
        except PermissionRefused:
            raise
        except BusinessError as error:
            messages.error(self.request, str(error.message))
            if action == "save_filter":
                return redirect(self.request.get_full_path())
        return redirect(f"{self.request.path}?{SAVED}=manage")

    def _is_own(self, row: SavedFilter) -> bool:
        return row.user_id == self.actor.user_id

    def _may_save(self) -> bool:
        return self.actor.user_id is not None and not self.actor.viewing_as

    def _tab(self, row: SavedFilter) -> SavedTab:
        url = f"{self.request.path}?{row.query}"
        return SavedTab(row, url, row.query == self.present_query, self._is_own(row))

    def _described(self, tab: SavedTab) -> SavedTab:
        query = QueryDict(tab.row.query)
        words = [text for _name, text in FilterForm(query, filters=self.shown_filters(), actor=self.actor).chips()]
        for column in self.shown_columns():
            if column.sort and column.sort == query.get("sort", "").removeprefix("-"):
                down = query["sort"].startswith("-")
                words.append(
                    (_("%(label)s, descending") if down else _("%(label)s, ascending")) % {"label": column.label}
                )
        form = (
            SavedForm(ident=f"saved_{tab.row.pk}", can_share=self.actor.is_staff, row=tab.row) if tab.is_own else None
        )
        return replace(tab, words=" · ".join(words), form=form)
