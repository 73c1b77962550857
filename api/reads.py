"""Rows as programs read them: the database writes ids, moments and JSON as the text that goes on the wire.

A page of a hundred subscriptions has four hundred ids and a thousand moments. To make objects of them only to write
them out again took a third of the call (``bench/README.md``).
"""

from collections.abc import Callable
from inspect import signature
from typing import Any

from django.db.models import DateTimeField, F, Field, Func, JSONField, QuerySet, TextField, UUIDField
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast

from core.prepared import PreparedRead


class WireMoment(Func):
    """UTC with milliseconds and ``Z``, the rest cut off: as :func:`api.wire.moment` writes a moment."""

    template = """to_char(timezone('UTC', %(expressions)s), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
    output_field = TextField()


def wire_text(column: F, field: Field[Any, Any]) -> Combinable:
    """A column as the wire's text if it is an id, a moment or JSON; everything else as it is."""
    if isinstance(field, DateTimeField):
        return WireMoment(column)
    if isinstance(field, UUIDField | JSONField):
        return Cast(column, TextField())
    return column


def wire_read(make: Callable[[], QuerySet[Any]], build: Callable[..., dict[str, Any]]) -> PreparedRead:
    """A read by key of the columns that ``build`` names as its parameters, for ``build(*row["values"])``.

    JSON goes into an answer by :func:`api.wire.ready`.
    """
    named = signature(build).parameters.values()
    columns = [parameter.name for parameter in named if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
    return PreparedRead(make, columns, written=wire_text)
