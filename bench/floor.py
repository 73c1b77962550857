"""The floors of the web figures: the same bytes as a page, from the barest view that could send them.

``/_floor/<key>/`` runs one raw SQL statement through psycopg2 and writes what it found into a prebuilt text, behind no
middleware at all. ``/_plain/<key>/`` is a plain Django view: Django's own middleware, session and user, the same
statement on Django's connection, and the same text as a Django template. The web process under measurement serves both.
"""

import json
import os
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg2
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.utils.html import escape

_local = threading.local()


@dataclass(frozen=True)
class Floor:
    """A statement with its parameters, and the page's text cut where the statement's values stand.

    ``picks`` are (row, column) of the value between two parts; ``signed_in``: the plain view asks who looks.
    """

    sql: str
    params: list[Any]
    parts: list[str]
    picks: list[tuple[int, int]]
    signed_in: bool


def folder() -> Path:
    """Where the floors lie."""
    return Path(settings.CLOUDBSS_HOME) / "floors"


def build(key: str, html: str, *, sql: str, params: Sequence[Any], signed_in: bool) -> Floor:
    """Cut a page at the values that the statement finds, in the order in which they stand in it, and keep that."""
    with connection.cursor() as cursor:
        cursor.execute(sql, list(params))
        rows = cursor.fetchall()
    parts: list[str] = []
    picks: list[tuple[int, int]] = []
    position = 0
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            text = str(escape(str(value)))
            found = html.find(text, position) if text else -1
            if found >= 0:
                parts.append(html[position:found])
                picks.append((number, column))
                position = found + len(text)
    parts.append(html[position:])
    if len(picks) < len(rows):
        raise LookupError(f"{key}: only {len(picks)} values of {len(rows)} rows stand in the page")
    made = Floor(sql, [str(item) for item in params], parts, picks, signed_in)
    folder().mkdir(exist_ok=True)
    (folder() / f"{key}.json").write_text(json.dumps(asdict(made)))
    return made


@cache
def _floor(key: str) -> Floor:
    return Floor(**json.loads((folder() / f"{Path(key).name}.json").read_text()))


def _cursor() -> Any:
    """A cursor on this thread's own connection."""
    if not hasattr(_local, "connection"):
        _local.connection = psycopg2.connect(os.environ["DATABASE_URL"])
        _local.connection.autocommit = True
    return _local.connection.cursor()


def bare(request: HttpRequest, key: str) -> HttpResponse:
    """The page from one statement and a prebuilt text."""
    floor = _floor(key)
    with _cursor() as cursor:
        cursor.execute(floor.sql, floor.params)
        rows = cursor.fetchall()
    pieces = [floor.parts[0]]
    for (row, column), part in zip(floor.picks, floor.parts[1:], strict=True):
        pieces += (escape(str(rows[row][column])), part)
    body = "".join(pieces).encode()
    return HttpResponse(body, headers={"Content-Length": len(body)})


@cache
def _template(key: str) -> Any:
    floor = _floor(key)
    source = [floor.parts[0]]
    for (row, column), part in zip(floor.picks, floor.parts[1:], strict=True):
        source += (f"{{{{ rows.{row}.{column} }}}}", part)
    return engines["django"].from_string("".join(source))


def plain(request: HttpRequest, key: str) -> HttpResponse:
    """The page as a plain Django project would send it."""
    floor = _floor(key)
    if floor.signed_in and not request.user.is_authenticated:
        return HttpResponse(status=403)
    with connection.cursor() as cursor:
        cursor.execute(floor.sql, floor.params)
        rows = cursor.fetchall()
    return HttpResponse(_template(key).render({"rows": rows}, request))
