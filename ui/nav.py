"""Navigation: each door declares its entries, the layouts show those the actor may open."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from core.counting import count_many
from core.tenancy import Actor


@dataclass(frozen=True)
class Entry:
    """One entry; ``count`` gives the rows whose number is shown beside it (0: none), for those who may see it.

    ``only`` says whether the room exists in the actor's organization, ``never`` whether it does not; without them, it
    exists everywhere.
    """

    label: Any
    url_name: str
    icon: str
    group: Any
    perm: str
    count: Callable[[Actor], QuerySet[Any]] | None = None
    only: Callable[[Actor], bool] | None = None
    never: Callable[[Actor], bool] | None = None


@dataclass(frozen=True)
class Item:
    """An entry as shown."""

    label: str
    url: str
    icon: str
    is_current: bool
    count: int


_entries: dict[str, list[Entry]] = {}


def declare(door: str, entries: list[Entry]) -> None:
    """Set the entries of a door, in their order."""
    _entries[door] = entries


def entries_of(door: str) -> list[Entry]:
    """All entries of a door."""
    return _entries.get(door, [])


def items_for(door: str, actor: Actor, path: str) -> list[tuple[str, list[Item]]]:
    """The groups of a door's navigation with what ``actor`` may open; the longest matching address is current."""
    entries = [entry for entry in entries_of(door) if actor.has(entry.perm)]
    # Each question is asked once, however many entries depend on it.
    asked = {ask for entry in entries for ask in (entry.only, entry.never) if ask}
    known: dict[Callable[[Actor], bool] | None, bool] = {ask: ask(actor) for ask in asked}
    shown = [entry for entry in entries if known.get(entry.only, True) and not known.get(entry.never, False)]
    allowed = [(entry, reverse(entry.url_name)) for entry in shown]
    current = max((url for _entry, url in allowed if path.startswith(url)), key=len, default="")
    counted = [(entry.url_name, entry.count(actor)) for entry, _url in allowed if entry.count]
    names = [name for name, _rows in counted]
    numbers = dict(zip(names, count_many([rows for _name, rows in counted]), strict=True))
    groups: dict[str, list[Item]] = {}
    for entry, url in allowed:
        item = Item(str(entry.label), url, entry.icon, url == current, numbers.get(entry.url_name, 0))
        groups.setdefault(str(entry.group), []).append(item)
    return list(groups.items())
