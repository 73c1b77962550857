"""State machines: one table of (state, event) -> state, and one compare-and-set that every change goes through."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from core import clock
from core.errors import Conflict


class Machine:
    """The life cycle of one status column; ``name`` is what its rows are called, in the reader's words.

    ``transitions`` maps (state, event) to the new state; a pair that is missing is refused. ``fire`` writes with a
    compare-and-set, so of two that try at once exactly one succeeds.
    """

    def __init__(self, name: str | Promise, field: str, transitions: Mapping[tuple[str, str], str]) -> None:
        self.name = name
        self.field = field
        self.labels = {str(state): state.label for state, _event in transitions if isinstance(state, models.Choices)}
        self.transitions = {(str(state), str(event)): str(target) for (state, event), target in transitions.items()}

    @property
    def events(self) -> frozenset[str]:
        """All event names of the table."""
        return frozenset(event for _state, event in self.transitions)

    def allows(self, state: str, event: str) -> bool:
        """Whether ``event`` may happen in ``state``."""
        return (str(state), str(event)) in self.transitions

    def target(self, state: str, event: str) -> str:
        """The state after ``event``; raises :class:`Conflict` ``illegal_transition`` if the table has no such pair."""
        try:
            return self.transitions[str(state), str(event)]
        except KeyError as error:
            raise Conflict(
                "illegal_transition",
                _("This is not possible while the %(thing)s is '%(state)s'.")
                % {"thing": self.name, "state": self.labels.get(str(state), state)},
            ) from error

    def fire(self, row: models.Model, event: str, **changes: Any) -> str:
        """Move ``row`` by ``event`` and write ``changes`` with it; returns the former state.

        Raises :class:`Conflict` ``changed_meanwhile`` if the stored state is no longer the one ``row`` was read with.
        """
        before = str(getattr(row, self.field))
        after = self.target(before, event)
        values: dict[str, Any] = {self.field: after, "updated_at": clock.real_now(), **changes}
        written = type(row)._base_manager.filter(**{"pk": row.pk, self.field: before}).update(**values)
        if not written:
            raise Conflict(
                "changed_meanwhile", _("Somebody else changed this meanwhile. Reload the page and try again.")
            )
        for name, value in values.items():
            setattr(row, name, value)
        return before
