"""State of all vendors: tables of JSON documents in memory, every change appended to ``HOME/state.jsonl``.

Changes are collected while a request is handled and written as one line when it ends (``State.flush``), so a process
that is killed keeps the requests it answered and forgets the one it did not, as a whole. The file is compacted at start
and whenever it has grown a lot.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

COMPACT_BYTES = 32_000_000
_Key = tuple[str, str, str]


class StateUnreadable(Exception):
    """The file of the state is damaged or was not written by this program."""


class Table:
    """One named table of a vendor; keys are strings, documents are JSON objects, insertion order is kept.

    ``get`` and ``values`` give the stored documents themselves: change them only if ``put`` follows.
    """

    def __init__(self, state: "State", vendor: str, name: str) -> None:
        self._state = state
        self.vendor = vendor
        self.name = name
        self.rows: dict[str, dict[str, Any]] = {}

    def get(self, key: str) -> dict[str, Any] | None:
        """The document of a key, or ``None``."""
        return self.rows.get(key)

    def put(self, key: str, doc: dict[str, Any]) -> dict[str, Any]:
        """Store a document under a key and return it."""
        self.rows[key] = doc
        self._state.changed((self.vendor, self.name, key))
        return doc

    def delete(self, key: str) -> None:
        """Remove a key; a key that is not there is no error."""
        if self.rows.pop(key, None) is not None:
            self._state.changed((self.vendor, self.name, key))

    def values(self) -> list[dict[str, Any]]:
        """All documents, oldest first."""
        return list(self.rows.values())

    def keys(self) -> list[str]:
        """All keys, oldest first."""
        return list(self.rows)

    def trim(self, limit: int) -> None:
        """Drop the oldest documents until at most ``limit`` are left."""
        surplus = len(self.rows) - limit
        if surplus > 0:
            for key in list(self.rows)[:surplus]:
                self.delete(key)

    def clear(self) -> None:
        """Remove everything."""
        for key in list(self.rows):
            self.delete(key)

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, key: object) -> bool:
        return key in self.rows

    def __iter__(self) -> Iterator[str]:
        return iter(list(self.rows))


class State:
    """All tables of all vendors below one folder."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.path = home / "state.jsonl"
        self._tables: dict[tuple[str, str], Table] = {}
        self._pending: dict[_Key, None] = {}
        self._size = 0
        self._compacted = 0
        self._load()
        self._file = -1
        self.compact()

    def table(self, vendor: str, name: str) -> Table:
        """The table of a vendor, made when it is first asked for."""
        found = self._tables.get((vendor, name))
        if found is None:
            found = self._tables[(vendor, name)] = Table(self, vendor, name)
        return found

    def dump(self, vendor: str) -> dict[str, dict[str, Any]]:
        """Table name -> key -> document of a vendor."""
        return {name: dict(table.rows) for (owner, name), table in self._tables.items() if owner == vendor}

    def reset(self, vendor: str | None = None) -> None:
        """Empty the tables of a vendor, or of all of them."""
        for (owner, _name), table in self._tables.items():
            if vendor is None or owner == vendor:
                table.clear()

    def changed(self, key: _Key) -> None:
        """Note that a document has to be written."""
        self._pending[key] = None

    def changes(self, vendor: str) -> int:
        """How many documents of a vendor wait to be written; tables whose name begins with ``_`` do not count."""
        return sum(1 for owner, name, _key in self._pending if owner == vendor and not name.startswith("_"))

    def flush(self) -> None:
        """Write what has changed since the last call, as one piece."""
        if not self._pending:
            return
        block = self._line(list(self._pending))
        self._pending.clear()
        _write_all(self._file, block)
        self._size += len(block)
        if self._size - self._compacted > max(COMPACT_BYTES, 2 * self._compacted):
            self.compact()

    def compact(self) -> None:
        """Write the present documents to a new file, which then takes the place of the old one."""
        fresh = self.path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        with os.fdopen(os.dup(descriptor), "wb", buffering=1 << 20) as file:
            for (vendor, name), table in self._tables.items():
                file.writelines(self._line([(vendor, name, key)]) for key in table.rows)
        os.fsync(descriptor)
        fresh.replace(self.path)
        if self._file >= 0:
            os.close(self._file)
        self._file = descriptor
        self._pending.clear()
        self._size = self._compacted = os.fstat(descriptor).st_size

    def close(self) -> None:
        """Write what is left and close the file."""
        self.flush()
        os.close(self._file)

    def _line(self, keys: list[_Key]) -> bytes:
        """The present documents of some keys as one line; ``null`` stands for a removed one."""
        rows = [[vendor, name, key, self._tables[(vendor, name)].rows.get(key)] for vendor, name, key in keys]
        return json.dumps(rows, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"

    def _load(self) -> None:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    # The process was killed while it wrote: that request was never answered.
                    break
                try:
                    self._take(json.loads(line))
                except (ValueError, TypeError) as error:
                    raise StateUnreadable(f"{self.path}, line {number}: {error}. Move the file away.") from error

    def _take(self, changes: list[tuple[str, str, str, dict[str, Any] | None]]) -> None:
        for vendor, name, key, doc in changes:
            rows = self.table(vendor, name).rows
            if doc is None:
                rows.pop(key, None)
            else:
                rows[key] = doc


def _write_all(descriptor: int, block: bytes) -> None:
    """Write a block completely."""
    view = memoryview(block)
    while view:
        view = view[os.write(descriptor, view) :]
