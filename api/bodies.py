"""Reading a body member by member: what is unknown is refused, what is wrong is named by its pointer."""

import datetime as dt
from collections.abc import Collection
from decimal import Decimal, InvalidOperation
from typing import Any

from api.base import INT32
from api.contract import known_members
from api.errors import ApiError, invalid_body


class Body:
    """The members of an object, by name in lower case; ``taken`` are those this call lets a caller set."""

    def __init__(self, value: Any, *, taken: Collection[str], pointer: str = "") -> None:
        if not isinstance(value, dict):
            raise invalid_body(pointer or "", "The body is an object.", "invalid_body")
        self.values: dict[str, Any] = value
        self.pointer = pointer
        names = {name.lower(): name for name in taken}
        for name in value:
            if name in names:
                continue
            if name in known_members():
                raise invalid_body(
                    f"{pointer}/{name}", f"'{name[:60]}' is not yours to set here.", "member_not_allowed"
                )
            raise invalid_body(f"{pointer}/{name[:60]}", f"There is no member '{name[:60]}'.", "unknown_member")
        self.names = names

    def has(self, name: str) -> bool:
        """Whether the member was sent, null included."""
        return name.lower() in self.values

    def wrong(self, name: str, message: str, code: str = "validation_failed") -> ApiError:
        """400 for a member."""
        return invalid_body(f"{self.pointer}/{name}", message, code)

    def given(self, name: str, *, required: bool) -> Any:
        """The value, or None."""
        value = self.values.get(name.lower())
        if value is None and required:
            raise self.wrong(name, f"'{name}' is required.", "required")
        return value

    def whole(self, name: str, *, required: bool = True) -> int | None:
        """A whole number; a numeric string passes."""
        value = self.decimal(name, required=required)
        if value is None:
            return None
        if value != value.to_integral_value() or abs(value) > INT32:
            raise self.wrong(name, f"'{name}' is a whole number.", "invalid_number")
        return int(value)

    def decimal(self, name: str, *, required: bool = True) -> Decimal | None:
        """A number, or a numeric string."""
        value = self.given(name, required=required)
        if value is None:
            return None
        try:
            if isinstance(value, bool) or not isinstance(value, int | Decimal | str) or len(str(value)) > 40:
                raise InvalidOperation
            found = Decimal(value)
            if not found.is_finite() or abs(found.adjusted()) > 30:
                raise InvalidOperation
        except InvalidOperation:
            raise self.wrong(name, f"'{name}' is a number.", "invalid_number") from None
        return found

    def text(self, name: str, *, required: bool = False, longest: int = 255) -> str:
        """A text, trimmed; empty if there is none."""
        value = self.given(name, required=required)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.wrong(name, f"'{name}' is a text.", "invalid_text")
        if len(value) > longest:
            raise self.wrong(name, f"'{name}' has at most {longest} characters.", "too_long")
        if required and not value.strip():
            raise self.wrong(name, f"'{name}' is required.", "required")
        return value.strip()

    def flag(self, name: str, *, required: bool = True) -> bool | None:
        """True or false."""
        value = self.given(name, required=required)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(name, f"'{name}' is true or false.", "invalid_boolean")
        return value

    def moment(self, name: str) -> dt.datetime | None:
        """A moment with its offset; one without says nothing."""
        value = self.given(name, required=False)
        if value is None:
            return None
        try:
            found = dt.datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
            if found is None or found.tzinfo is None:
                raise ValueError
            return found.astimezone(dt.UTC)
        except (ValueError, OverflowError):
            message = f"'{name}' is a moment with its offset, such as 2026-01-31T10:00:00Z."
            raise self.wrong(name, message, "invalid_date") from None
