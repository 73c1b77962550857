"""Pages that both doors have: written once, and made for each door with what is different there."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import URLPattern, path

from ui.pages import Page


def at_door(page: type[Page], **values: Any) -> type[Page]:
    """``page`` as one door has it; ``values`` are its attributes there, such as ``perm``, ``layout`` and ``back``."""
    return type(page.__name__, (page,), {"__doc__": page.__doc__, "__module__": page.__module__, **values})


def paths_at_door(
    routes: Iterable[tuple[str, str, type[Page]]], below: str, values: Mapping[str, Any]
) -> list[URLPattern]:
    """The addresses of several such pages: ``routes`` are (name, address below ``below``, page)."""
    return [path(below + rest, at_door(page, **values).as_view(), name=name) for name, rest, page in routes]
