"""The history of an object in sentences: ``{% load history %}{% history_card entries %}``."""

from collections.abc import Sequence
from typing import Any

from django import template

from core.audit import AuditEntry
from ui.history import lines

register = template.Library()
FIRST = 6


@register.inclusion_tag("ui/_history.html", takes_context=True)
def history_card(context: template.Context, entries: Sequence[AuditEntry]) -> dict[str, Any]:
    """A card with who did what when; the first few open, the others folded; nothing without entries.

    ``entries`` come from ``core.selectors.history_for``; what this page's ``actor`` may not read is left out.
    """
    found = lines(entries, context["actor"]) if entries else []
    return {"first": found[:FIRST], "earlier": found[FIRST:]}
