"""The environment as settings read it: types, secrets from files, and bad values noted instead of raised.

A value of the wrong type would end in a traceback before any check could run. Here its usual value is taken and the
problem is kept in ``problems``, which :mod:`cloudbss.checks` turns into an error that stops the start.
"""

from collections.abc import Callable
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping


class _Trimmed(FileAwareMapping):  # type: ignore[misc]  # The library ships no types.
    """Values without surrounding white space: a file that holds a secret usually ends with a line break."""

    def __getitem__(self, key: str) -> str:
        return str(super().__getitem__(key)).strip()


class Environment(environ.FileAwareEnv):  # type: ignore[misc]  # The library ships no types.
    """``NAME`` or the contents of the file that ``NAME_FILE`` leads to; see the module."""

    ENVIRON = _Trimmed()

    def __init__(self) -> None:
        super().__init__()
        self.problems: dict[str, str] = {}

    def number(self, name: str, kind: Callable[[str], Any], default: Any) -> Any:
        """The variable read by ``kind``, or ``default`` if it is missing, empty or unreadable."""
        text = str(self.str(name, default="")).strip()
        if not text:
            return default
        try:
            return kind(text)
        except ValueError:
            self.problems[name] = "is not a number"
            return default

    def int(self, var: str, default: Any = 0) -> Any:
        """A whole number."""
        return self.number(var, int, default)

    def float(self, var: str, default: Any = 0.0) -> Any:
        """A number."""
        return self.number(var, float, default)

    def db(self, var: str, default: str) -> dict[str, Any]:
        """A database's settings from its URL."""
        return self._address(var, default, super().db_url_config)

    def email(self, var: str, default: str) -> dict[str, Any]:
        """A mail server's settings from its URL."""
        return self._address(var, default, super().email_url_config)

    def _address(self, name: str, default: str, read: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
        text = str(self.str(name, default="")).strip()
        try:
            return read(text or default)
        except (ValueError, ImproperlyConfigured):
            # The message of the library repeats the address, which may hold a password.
            self.problems[name] = "is not an address of the right form"
            return read(default)
