"""Pages that go on behind a row: one comparison of all columns of the order with the values of that row."""

from collections.abc import Sequence
from typing import Any

from django.db.models import BooleanField, F, Func, Q, Value


class _RowComparison(Func):
    """``(a, b) < (x, y)``: PostgreSQL goes straight to the place along an index, however many rows share an ``a``."""

    output_field = BooleanField()

    def __init__(self, *parts: Any, sign: str) -> None:
        super().__init__(*parts)
        self.sign = sign

    def as_sql(self, compiler: Any, connection: Any, **_more: Any) -> tuple[str, tuple[Any, ...]]:  # type: ignore[override]
        written = [compiler.compile(part) for part in self.get_source_expressions()]
        half = len(written) // 2
        columns, values = (", ".join(sql for sql, _params in side) for side in (written[:half], written[half:]))
        params = tuple(param for _sql, found in written for param in found)
        return f"({columns}) {self.sign} ({values})", params


def beyond(mark: Sequence[tuple[str, Any]], *, up: bool) -> Q:
    """Rows behind the one with these values by path, none of them None, in an order that ascends, or descends.

    The first column that differs decides; a row in which that one is empty is not behind.
    """
    paths, values = zip(*mark, strict=True)
    # Columns of two tables are compared when both rows are there; only a bound of its own lets the first be walked to.
    bound = Q(**{f"{paths[0]}__{'gte' if up else 'lte'}": values[0]}) if "__" in paths[0] else Q()
    return bound & Q(_RowComparison(*map(F, paths), *map(Value, values), sign=">" if up else "<"))
