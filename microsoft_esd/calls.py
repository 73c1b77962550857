"""Every call of Channel Inclusion Services we make, in one table, and ``parse()``, which reads an answer of each.

A call's name is the verb that the vendor twin lists as its operation. Paths are the usual ones; an instance may have
its own (``esd.md`` 10). A call that is not in :data:`CALLS` does not exist for us.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from microsoft_esd.schemas.answers import (
    AccessToken,
    ApiError,
    CatalogPage,
    IdentityError,
    Licence,
    Returned,
    Transaction,
    Unchanged,
)
from microsoft_esd.schemas.reading import contract_error, decode, lowered, read, read_text
from provisioning.ports import ErrorKind, VendorError

TOKEN_PAGE = "https://learn.microsoft.com/azure/active-directory/azuread-dev/v1-oauth2-client-creds-grant-flow"  # noqa: S105
CONTRACT = "esd.md 10"


@dataclass(frozen=True)
class Call:
    """One call: method and path template below the service's address, what it answers, and how it may be treated.

    ``repeat_safe`` calls change nothing and may be sent again at any time; ``page`` documents it.
    """

    name: str
    method: str
    path: str
    schema: type[Any]
    page: str = CONTRACT
    repeat_safe: bool = False
    error_schema: type[Any] = ApiError
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        pieces = re.split(r"({\w+})", self.path)
        expression = "".join("[^/]+" if piece.startswith("{") else re.escape(piece) for piece in pieces)
        object.__setattr__(self, "pattern", re.compile(f"^{expression}$", re.IGNORECASE))

    @property
    def documentation(self) -> str:
        """Where the call is documented; Microsoft gives the service's own contract to partners only."""
        return self.page


CALLS: dict[str, Call] = {
    call.name: call
    for call in (
        Call("get_token_v1", "POST", "{tenant}/oauth2/token", AccessToken, TOKEN_PAGE, True, IdentityError),
        Call("list_catalog", "GET", "catalog", CatalogPage, repeat_safe=True),
        Call("purchase", "POST", "purchase", Transaction),
        Call("get_transaction", "GET", "transactions/{ClientTransactionId}", Transaction, repeat_safe=True),
        Call("get_license", "GET", "licenses/{LicenseId}", Licence, repeat_safe=True),
        Call("return_license", "POST", "return", Returned),
    )
}


def normalise_path(url: str) -> str:
    """The path of a call below its version prefix: host, query, doubled slashes and any base path are dropped."""
    path = urlsplit(url).path if "://" in url else url.split("?", 1)[0]
    parts = [part for part in path.split("/") if part]
    lower = [part.lower() for part in parts]
    if "oauth2" in lower:
        # A token call: the tenant is the part before, whatever base the authority has.
        return "/".join(parts[max(lower.index("oauth2") - 1, 0) :])
    for position, part in enumerate(lower[:4]):
        if re.fullmatch(r"v\d+([._]\d+)?", part):
            return "/".join(parts[position + 1 :])
    if lower[:1] == ["cis"]:
        parts = parts[1:]
    return "/".join(parts)


def find_call(method: str, url: str) -> Call:
    """The call behind a request line; ``LookupError`` if it is not in the table."""
    path = normalise_path(url)
    for call in CALLS.values():
        if call.method == method.upper() and call.pattern.match(path):
            return call
    raise LookupError(f"{method} {path} is not a call of Channel Inclusion Services we know.")


def parse(method: str, url: str, status: int, body: bytes | str | dict[str, Any] | list[Any] | None) -> object:
    """Read an answer: the typed object of a 2xx (and of a 304 of the catalogue), the typed error of anything else.

    Raises ``LookupError`` if the call is not in :data:`CALLS`, ``VendorError(kind=CONTRACT)`` if the answer is
    unreadable or lacks a required part.
    """
    return parse_answer(find_call(method, url), status, body)


def parse_answer(call: Call, status: int, body: bytes | str | dict[str, Any] | list[Any] | None) -> object:
    """As :func:`parse`, for a call already found."""
    if status == 304 and call.schema is CatalogPage:
        return Unchanged()
    if not 200 <= status < 300:
        return read_error(call, status, body)
    data, readable = _decoded(body)
    if not readable:
        raise VendorError(
            ErrorKind.CONTRACT,
            _("Microsoft's answer to %(call)s is not readable. Inform the operator of this system.")
            % {"call": call.name},
            code="unreadable",
            http_status=status,
        )
    if status == 202 and call.schema is Transaction:
        return replace(read(Transaction, data or {"ClientTransactionId": "-"}), state="pending")
    if data is None:
        raise contract_error(call.name, _("came without a body"))
    return read(call.schema, data)


def read_error(
    call: Call, status: int, body: bytes | str | dict[str, Any] | list[Any] | None
) -> ApiError | IdentityError:
    """The error of an answer; HTML and nothing at all give one with the status only."""
    data, _readable = _decoded(body)
    keys = lowered(data) if isinstance(data, dict) else {}
    if call.error_schema is IdentityError:
        description = read_text(keys.get("error_description")).partition("\n")[0].strip()
        return IdentityError(status, read_text(keys.get("error")), description)
    return ApiError(
        status, read_text(keys.get("errorcode")), read_text(keys.get("message")), read_text(keys.get("transactionid"))
    )


def _decoded(body: bytes | str | dict[str, Any] | list[Any] | None) -> tuple[Any, bool]:
    """The value of a body and whether it could be read."""
    try:
        return decode(body), True
    except ValueError:
        return None, False
