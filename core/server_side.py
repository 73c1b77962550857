"""Statements that PostgreSQL keeps ready for a connection, so that they are not planned at each read.

It plans the first five readings of each as it always did, and then keeps a plan if that promises to be as good.
Planning the forty columns of a list takes it as long as reading a hundred rows of them (``bench/README.md``). This is
for the few statements of :mod:`core.prepared` that stand in the code: each costs every connection some memory.

Behind a pooler that gives each transaction another connection (PgBouncer's transaction mode) nothing can be kept. That
shows at the first read that goes wrong, and from then on this process has everything planned at each read.
"""

import itertools
import logging
import os
import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger(__name__)
# No such statement; there is one of this name: the connection is not the one it was a moment ago.
ANOTHER_CONNECTION = ("26000", "42P05")
# A migration gave a column another type meanwhile; or something else that is not supported, which is then told again.
ANOTHER_SHAPE = "0A000"
is_off = False
PLACE = re.compile("%[%s]")  # A value, or a percent sign that means itself.
_numbers = itertools.count(1)
_host = uuid.uuid4().hex[:8]  # A pooler's connections keep statements of processes on several machines.
_names: "WeakKeyDictionary[Any, dict[str, str]]" = WeakKeyDictionary()


@contextmanager
def switched_off() -> Iterator[None]:
    """Have everything planned at each read, for whoever wants to see the statements themselves."""
    global is_off
    before, is_off = is_off, True
    try:
        yield
    finally:
        is_off = before


def execute(connection: BaseDatabaseWrapper, cursor: Any, sql: str, params: Sequence[Any]) -> None:
    """Run the statement, whose values stand as ``%s``, as one that the connection keeps."""
    global is_off
    if is_off:
        cursor.execute(sql, params)
        return
    known = _names.setdefault(connection.connection, {})
    try:
        if sql in known:
            cursor.execute(_execution(known[sql], params), params)
            return
        name = f"cloudbss_{_host}_{os.getpid()}_{next(_numbers)}"
        cursor.execute(f"PREPARE {name} AS {_numbered(sql)}; {_execution(name, params)}", params)
        known[sql] = name
    except DatabaseError as error:
        code = getattr(error.__cause__, "pgcode", "")
        if code not in (*ANOTHER_CONNECTION, ANOTHER_SHAPE):
            raise
        known.pop(sql, None)
        if code in ANOTHER_CONNECTION:
            is_off = True
            logger.warning("prepared statements are lost between transactions, so this process does without them")
        if connection.in_atomic_block:
            raise
        cursor.execute(sql, params)


def _execution(name: str, params: Sequence[Any]) -> str:
    return f"EXECUTE {name}({', '.join(['%s'] * len(params))})" if params else f"EXECUTE {name}"


def _numbered(sql: str) -> str:
    """The statement with its values as ``$1``, ``$2`` and so on."""
    number = 0

    def place(found: re.Match[str]) -> str:
        nonlocal number
        if found[0] == "%%":
            return "%%"
        number += 1
        return f"${number}"

    return PLACE.sub(place, sql)
