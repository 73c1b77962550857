"""The floors of the API figures: the product's own statements, sent raw, and their rows written as JSON.

``/_json/<key>/`` is a bare WSGI function: psycopg2 on the thread's own connection, then orjson. ``/_token/<key>/`` is a
plain Django view: Django's own middleware, the product's look-up of the access token, then the same on Django's
connection. Neither builds an object of the contract, counts a call or knows a tenant: what they lack is what the
product is measured for.
"""

import json
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import psycopg2
from django.db import connection
from django.http import HttpRequest, HttpResponse

from bench.floor import folder
from clients.selectors import counts_still, token_of

_local = threading.local()
PREFIX = "/_json/"


def build(key: str, statements: Sequence[str]) -> None:
    """Keep the statements of a call, in their order, with their values in them."""
    folder().mkdir(exist_ok=True)
    (folder() / f"{key}.sql.json").write_text(json.dumps(list(statements)))


@cache
def _statements(key: str) -> list[str]:
    found: list[str] = json.loads((folder() / f"{Path(key).name}.sql.json").read_text())
    return found


def _answer(cursor: Any, key: str) -> bytes:
    """The rows of each statement, as objects by column."""
    found = []
    for sql in _statements(key):
        cursor.execute(sql)
        names = [column[0] for column in cursor.description]
        found.append([dict(zip(names, row, strict=True)) for row in cursor.fetchall()])
    return orjson.dumps(found, default=str)


def bare(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The rows from a WSGI function."""
    if not hasattr(_local, "connection"):
        _local.connection = psycopg2.connect(os.environ["DATABASE_URL"])
        _local.connection.autocommit = True
    with _local.connection.cursor() as cursor:
        body = _answer(cursor, environ["PATH_INFO"].removeprefix(PREFIX).rstrip("/"))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def signed(request: HttpRequest, key: str, organization_id: int) -> HttpResponse:
    """The rows from a plain Django view that checks the access token as the product does."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    found = token_of(token, organization_id)
    if found is None or not counts_still(found):
        return HttpResponse(status=401)
    with connection.cursor() as cursor:
        return HttpResponse(_answer(cursor, key), content_type="application/json")
