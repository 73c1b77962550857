"""The id of the request that is being served, for logs, audit entries and error pages."""

from contextvars import ContextVar

_current: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """The id of the present request or task, or the empty string."""
    return _current.get()


def set_request_id(value: str) -> None:
    """Remember the id for everything that this request or task does."""
    _current.set(value)
