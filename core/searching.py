"""What is typed into a list's search box, found by indexes.

A word is looked for in columns of the rows themselves and of rows they point to. Joined by OR over several tables that
can only be answered by reading through all of them; so the other table is asked first, for the keys of its rows with
the word. Then each part of the condition has an index: parts of words one by trigrams, keys their foreign key's.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db.models import ForeignKey, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Upper

from core.among import Known
from core.tenancy import TenantOwned

# If more rows have the word, nearly every row of the list leads to one: it is quicker to look at them in their order.
MANY = 5000


def with_word(rows: QuerySet[Any], paths: Iterable[str], word: str, organization_id: int | None) -> QuerySet[Any]:
    """Those of ``rows`` in which ``word`` is a part of a column of ``paths``, whatever its case.

    ``organization_id`` is the reader's: what others have does not slow him down.
    """
    match = Q()
    asked: dict[tuple[type[Any], str], list[int] | None] = {}
    for path in paths:
        link, _, column = path.partition("__")
        field = rows.model._meta.get_field(link) if column and link not in rows.query.annotations else None
        if not isinstance(field, ForeignKey) or "__" in column:
            match |= Q(**{f"{path}__icontains": word})
            continue
        place = (field.related_model, column)
        if place not in asked:
            asked[place] = _keys(*place, word, organization_id)
        keys = asked[place]
        match |= Q(**{f"{path}__icontains": word}) if keys is None else Q(Known(field.attname, keys))
    return rows.filter(match)


def _keys(model: type[Any], column: str, word: str, organization_id: int | None) -> list[int] | None:
    """The keys of the rows with the word; None if there are too many of them."""
    rows = model._base_manager.filter(**{f"{column}__icontains": word})
    if organization_id is not None and issubclass(model, TenantOwned):
        rows = rows.filter(organization_id=organization_id)
    found = list(rows.order_by().values_list("pk", flat=True)[: MANY + 1])
    return found if len(found) <= MANY else None


def trigrams(*columns: str | Combinable, name: str) -> GinIndex:
    """The index of a search box over these columns of one table; for a word of one or two letters it is read through.

    A column that holds no text is cast as the search does: ``Cast("object_id", TextField())``.
    """
    return GinIndex(*[OpClass(Upper(column), name="gin_trgm_ops") for column in columns], name=name)
