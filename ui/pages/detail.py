"""One object: heading, state, facts, parts, and what can be done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponseBase

from core.tenancy import Actor, read_only_words
from ui.pages.base import Action, Page
from ui.tables import Column


@dataclass(frozen=True)
class Fact(Column):
    """One fact of an object: a label and a value, drawn like a table's cell."""


class DetailPage(Page):
    """A declared object page: ``selector`` gives the rows, the address names one by its public id."""

    template_name = "ui/detail_page.html"
    selector: ClassVar[Callable[[Actor], Any]]
    facts: ClassVar[Sequence[Fact]] = ()
    parts: ClassVar[Sequence[str]] = ()
    side: ClassVar[Sequence[str]] = ()
    status_field: ClassVar[str] = "status"

    object: Any

    def get(self, request: HttpRequest, public_id: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show it."""
        self.object = self.find(type(self).selector(self.actor), public_id)
        return self.show(
            object=self.object,
            fact_cells=[(fact.label, fact.cell(self.object)) for fact in self.shown_facts()],
            actions=self._possible(self.actions(self.object)),
        )

    def _possible(self, actions: list[Action]) -> list[Action]:
        """The actions; not possible, and saying why, for whom the account's permission rule lets only look."""
        if self.actor.may_touch(self.object):
            return actions
        return [row if row.only_reads else replace(row, reason=row.reason or read_only_words()) for row in actions]

    def shown_facts(self) -> Sequence[Fact]:
        """The facts this actor sees."""
        return self.facts

    def page_title(self) -> str:
        """The object's name."""
        return str(self.object)

    def actions(self, row: Any) -> list[Action]:
        """What this actor may do with it now."""
        return []
