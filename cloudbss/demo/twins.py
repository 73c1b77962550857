"""The control surface of the vendor twins, as the demo and the movable clock use it (docs/twins.md)."""

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from core.http import HttpError, http_client


class TwinError(RuntimeError):
    """The twins did not answer, or refused; the message is for the operator."""


def call_twins(method: str, path: str, *, body: Mapping[str, Any] | None = None) -> Any:
    """Call ``path`` of the control surface at ``SANDBOX_URL`` and return its JSON; raises :class:`TwinError`."""
    try:
        answer = http_client().request(method, settings.SANDBOX_URL + path, json=dict(body) if body else None)
    except HttpError as error:
        raise TwinError(f"The vendor twins do not answer at {settings.SANDBOX_URL}: {error}") from error
    if answer.status >= 400:
        raise TwinError(f"The vendor twins answered {answer.status} to {method} {path}.")
    return json.loads(answer.body) if answer.body else None
