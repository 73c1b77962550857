"""Reading a body member by member: what is unknown is refused, what is wrong is named by its pointer."""

import datetime as dt
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from api.base import INT32
from api.contract import known_members
from api.errors import ApiError, invalid_body

MOST_FAULTS = 100  # A body of a megabyte can hold far more; an answer that names them all helps nobody.
MOST_TOLD = 5


class Faults:
    """What is wrong with a body, told together (``api.md`` 5.1): a ``with`` block raises at its end what was found.

    A refusal that is raised inside the block joins what was found before it. After the block the bodies that were read
    with it refuse at once again, so that nothing found later is lost.
    """

    def __init__(self) -> None:
        self.found: list[dict[str, str]] = []
        self.is_open = True

    def add(self, error: ApiError) -> None:
        """Keep what a refusal names."""
        self.found += [dict(item) for item in error.errors]

    @contextmanager
    def part(self) -> Iterator[None]:
        """Keep what a part is refused for, and go on with the next."""
        try:
            yield
        except ApiError as error:
            if error.status != 400 or not error.errors:
                raise
            self.add(error)

    def error(self) -> ApiError:
        """The refusal: a single fault speaks for itself, several share a code if it is the same for all."""
        details = [item["detail"] for item in self.found]
        codes = {item["code"] for item in self.found}
        more = len(details) - MOST_TOLD
        message = " ".join(details[:MOST_TOLD]) + (f" And {more} more." if more > 0 else "")
        code = codes.pop() if len(codes) == 1 else "validation_failed"
        return ApiError(400, code, message, errors=self.found[:MOST_FAULTS])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_open = False
        if isinstance(error, ApiError) and error.status == 400 and error.errors and self.found:
            self.add(error)
            error = None
        elif error is not None:
            return
        if self.found:
            raise self.error() from None


class Body:
    """The members of an object, by name in lower case; ``taken`` are those this call lets a caller set.

    With ``faults`` a wrong member is kept there and read as missing; without, or when they are told, it is refused at
    once.
    """

    def __init__(self, value: Any, *, taken: Collection[str], pointer: str = "", faults: Faults | None = None) -> None:
        self.pointer = pointer
        self.faults = faults
        self.is_object = isinstance(value, dict)
        sent: dict[str, Any] = value if self.is_object else {}
        names = {name.lower() for name in taken}
        self.values = {name: part for name, part in sent.items() if name in names}
        if not self.is_object:
            whose = f"'{pointer.lstrip('/')}'" if pointer else "The body"
            self._refuse(invalid_body(pointer, f"{whose} is an object.", "invalid_body"))
        unknown = Faults()
        for name in sent:
            if name not in names:
                unknown.add(self._unknown(name))
        if unknown.found:
            self._refuse(unknown.error())

    def _unknown(self, name: str) -> ApiError:
        known = known_members().get(name)
        if known is not None:
            return self.wrong(known, f"'{known}' is not yours to set here.", "member_not_allowed")
        return self.wrong(name[:60], f"There is no member '{name[:60]}'.", "unknown_member")

    def _refuse(self, error: ApiError) -> None:
        if self.faults is None or not self.faults.is_open:
            raise error
        self.faults.add(error)

    def fault(self, name: str, message: str, code: str = "validation_failed") -> None:
        """Refuse a member: at once, or with all other faults."""
        self._refuse(self.wrong(name, message, code))

    def has(self, name: str) -> bool:
        """Whether the member was sent, null included."""
        return name.lower() in self.values

    def wrong(self, name: str, message: str, code: str = "validation_failed") -> ApiError:
        """400 for a member."""
        return invalid_body(f"{self.pointer}/{name}", message, code)

    def given(self, name: str, *, required: bool) -> Any:
        """The value, or None."""
        value = self.values.get(name.lower())
        if value is None and required and self.is_object:
            self.fault(name, f"'{name}' is required.", "required")
        return value

    def whole(self, name: str, *, required: bool = True) -> int | None:
        """A whole number; a numeric string passes."""
        value = self.decimal(name, required=required)
        if value is None:
            return None
        if value != value.to_integral_value() or abs(value) > INT32:
            self.fault(name, f"'{name}' is a whole number.", "invalid_number")
            return None
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
            self.fault(name, f"'{name}' is a number.", "invalid_number")
            return None
        return found

    def text(self, name: str, *, required: bool = False, longest: int = 255) -> str:
        """A text, trimmed; empty if there is none."""
        value = self.given(name, required=required)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.fault(name, f"'{name}' is a text.", "invalid_text")
            return ""
        if len(value) > longest:
            self.fault(name, f"'{name}' has at most {longest} characters.", "too_long")
            return ""
        if required and not value.strip():
            self.fault(name, f"'{name}' is required.", "required")
        return value.strip()

    def guid(self, name: str, *, required: bool = False) -> UUID | None:
        """A GUID."""
        text = self.text(name, required=required, longest=36)
        try:
            return UUID(text) if text else None
        except ValueError:
            self.fault(name, f"'{name}' is a GUID.", "invalid_guid")
            return None

    def flag(self, name: str, *, required: bool = True) -> bool | None:
        """True or false."""
        value = self.given(name, required=required)
        if value is not None and not isinstance(value, bool):
            self.fault(name, f"'{name}' is true or false.", "invalid_boolean")
            return None
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
            self.fault(name, message, "invalid_date")
            return None
