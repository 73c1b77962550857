"""Errors meant for people. Anything else that is raised is a bug and carries the request id."""

from collections.abc import Mapping


class BusinessError(Exception):
    """A rule says no. ``code`` is stable, ``message`` is translated and says what to do next.

    ``field`` names the form field it belongs to, if any; ``context`` holds figures the doors may show.
    """

    def __init__(
        self, code: str, message: str, *, field: str = "", context: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(str(message))
        self.code = code
        self.message = message
        self.field = field
        self.context = dict(context or {})


class PermissionRefused(BusinessError):
    """The actor lacks a permission: the doors answer 403."""


class NotVisible(BusinessError):
    """The object does not exist for this actor: the doors answer 404, the same for missing and for foreign."""


class Conflict(BusinessError):
    """Somebody else changed the object meanwhile, or its state does not allow the action: the doors answer 409."""
