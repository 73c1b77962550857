"""Calls of ours that the contract does not know, and their schemas: the same conventions, told in the document."""

from typing import Any

from api.describe import OwnCall

SCHEMAS: dict[str, dict[str, Any]] = {}
CALLS: tuple[OwnCall, ...] = ()
