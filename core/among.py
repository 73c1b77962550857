"""``column = ANY(array)``: the same as ``IN``, but many values are one parameter, which Django passes on as it is."""

from collections.abc import Iterable
from typing import Any

from django.db.models import F
from django.db.models.lookups import Lookup


class Among(Lookup[Any]):
    """Whether a column of whole numbers is among ``rhs``; for a filter that has hundreds of them on every page.

    PostgreSQL is not told the numbers before it runs the statement: it would weigh each of them while it plans, which
    takes longer than to find the rows by an index.
    """

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """The condition and its parameters."""
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY((SELECT %s::bigint[])::bigint[])", (*params, list(self.rhs))


class Known(Lookup[Any]):
    """The same where PostgreSQL shall weigh the numbers, to choose between an index and reading rows in their order.

    It stands in a filter as it is: ``Known("account_id", keys)``.
    """

    prepare_rhs = False

    def __init__(self, column: str, keys: Iterable[int]) -> None:
        super().__init__(F(column), list(keys))

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """The condition and its parameters."""
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s::bigint[])", (*params, self.rhs)
