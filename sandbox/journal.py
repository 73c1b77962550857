"""The journal: one entry per request, appended to ``HOME/journal.jsonl``; never a token, secret or password."""

import collections
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.clock import iso, parse_moment

KEEP = 20_000
FILE_BYTES = 20_000_000


class Journal:
    """The last requests in memory, all since the last turn of the file on disk.

    While a request is handled, ``effect`` may be set: a text or ``True`` says that something came about, ``False`` that
    nothing did; left at ``None`` it follows from whether a writing call changed the vendor's tables.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / "journal.jsonl"
        self.entries: collections.deque[dict[str, Any]] = collections.deque(maxlen=KEEP)
        self.number = 0
        self.effect: str | bool | None = None
        self._load()
        self._open()

    def add(self, entry: dict[str, Any]) -> None:
        """Append an entry; it gets a number that rises by one."""
        self.number += 1
        entry = {"number": self.number, **entry}
        self.entries.append(entry)
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        os.write(self._file, line)
        self._size += len(line)
        if self._size > FILE_BYTES:
            os.close(self._file)
            self.path.replace(self.path.with_suffix(".jsonl.1"))
            self._open()

    def find(self, filters: Mapping[str, str]) -> list[dict[str, Any]]:
        """Entries by ``vendor``, ``operation``, ``method``, ``status``, ``client_reference``, ``effect`` (``true``), a
        part of the ``path``, ``since`` (a moment, or a number: entries after it) and ``limit`` (the last n).
        """
        since = filters.get("since", "")
        found = [entry for entry in self.entries if _matches(entry, filters) and _is_after(entry, since)]
        limit = int(filters.get("limit") or 0)
        return found[-limit:] if limit else found

    def clear(self) -> None:
        """Forget everything; numbers go on."""
        self.entries.clear()
        os.ftruncate(self._file, 0)
        self._size = 0

    def _open(self) -> None:
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = os.fstat(self._file).st_size

    def _load(self) -> None:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    self.entries.append(json.loads(line))
        if self.entries:
            self.number = int(self.entries[-1]["number"])


def _matches(entry: Mapping[str, Any], filters: Mapping[str, str]) -> bool:
    for name in ("vendor", "operation", "method", "status", "client_reference", "effect"):
        wanted = filters.get(name, "")
        if wanted and str(entry.get(name, "")).lower() != wanted.lower():
            return False
    return filters.get("path", "") in entry["path"]


def _is_after(entry: Mapping[str, Any], since: str) -> bool:
    if not since:
        return True
    if since.isdigit():
        return int(entry["number"]) > int(since)
    return str(entry["time"]) >= iso(parse_moment(since.replace(" ", "+")))
