"""Every list of the BSS: plain, searched, by each column from either end, and by each filter.

The pages are made in this process and their figure is processor time, Python's and the database's together, so that it
says something on a busy machine too; the least of three counts. PostgreSQL's parallel workers, whose time would not be
seen, are switched off.
"""

import time
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, reverse

from bench import pages
from bench.dataset import Market
from bss.urls import urlpatterns
from ui.pages import ListPage

AIM = 100
ROUNDS = 3
# Nothing, nearly everything, two letters, a part of some names, of numbers, and two words.
WORDS = ("zzqqx", "a", "er", "zq", "mari", "0012", "microsoft 365")


def measure(market: Market) -> dict[str, Any]:
    """How many pages there are, how many take longer than the aim, and the slowest, in ms."""
    client = Client(HTTP_HOST=market.site.host)
    client.cookies = SimpleCookie(pages.cookies_of(market, "staff"))
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
    found = {address: _time_of(client, address) for address in _addresses(client)}
    overview = reverse("bss:dashboard")
    found[overview] = _time_of(client, overview)
    slowest = sorted(found.items(), key=lambda item: -item[1])
    return {
        "pages": len(found),
        f"over {AIM} ms": sum(taken > AIM for taken in found.values()),
        "slowest ms": dict(slowest[:20]),
        "overview ms": found[overview],
    }


def _addresses(client: Client) -> Iterator[str]:
    for pattern in urlpatterns:
        view = getattr(pattern.callback, "view_class", None)
        if view is None or not issubclass(view, ListPage):
            continue
        try:
            address = reverse(f"bss:{pattern.name}")
        except NoReverseMatch:
            continue
        yield from (f"{address}?{urlencode(asked)}" for asked in _asked(client, view, address))


def _asked(client: Client, view: type[ListPage], address: str) -> Iterator[dict[str, str]]:
    """What the list is asked for: its columns and filters are those of who looks."""
    page = view()
    page.setup(client.get(address).wsgi_request)
    yield {}
    yield from ({"sort": f"{sign}{column}"} for column in sorted(page.sortable) for sign in ("", "-"))
    yield from ({"q": word} for word in WORDS if page.search)
    for name, field in page.filter_form.fields.items():
        if name != "q":
            yield from ({name: value} for value in _values(field))


def _values(field: forms.Field) -> list[str]:
    if isinstance(field, forms.DateField):
        return ["2026-06-01"]
    if isinstance(field, forms.ChoiceField):
        return [str(key) for key, _words in field.choices if key][:5]  # type: ignore[misc, union-attr]
    return list(WORDS[:3])


def _time_of(client: Client, address: str) -> float:
    taken = []
    for _round in range(ROUNDS):
        begun, database = time.process_time(), _database_time()
        answer = client.get(address)
        own = time.process_time() - begun
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answered {answer.status_code}")
        taken.append(own * 1000 + (_database_time() - database))
    return round(min(taken), 1)


def _database_time() -> float:
    """The processor time of this connection's backend so far, in ms; it runs on this machine."""
    backend = connection.connection.info.backend_pid
    return int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1_000_000
