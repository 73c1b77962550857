"""Shapes of Partner Center's answers: errors, collections, links, key styles (``partner-center.md`` 2.2-2.5, 2.9)."""

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.wire import Response, WireError

SOURCE = "PartnerFD"


def classic(status: int, code: int, description: str, data: Iterable[str] = ()) -> WireError:
    """An error in the classic shape: integer code, description, data, source."""
    body = {"code": code, "description": description, "data": list(data), "source": SOURCE}
    return WireError(status, body)


def newer(status: int, code: int, name: str, message: str) -> WireError:
    """An error in the shape of Microsoft's newer services."""
    body = {
        "code": code,
        "message": message,
        "description": message,
        "errorName": name,
        "isRetryable": False,
        "parameters": {},
        "errorMessageExtended": f"InternalErrorCode={code}",
    }
    return WireError(status, body)


def graph_error(status: int, code: str, message: str) -> WireError:
    """An error in the shape of the price-sheet service."""
    return WireError(status, {"error": {"code": code, "message": message}})


def link(uri: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A link as resources carry it."""
    rows = [{"key": key, "value": value} for key, value in (headers or {}).items()]
    return {"uri": uri, "method": method, "headers": rows}


def attributes(kind: str, etag: str = "") -> dict[str, str]:
    """The ``attributes`` of a resource."""
    return {"etag": etag, "objectType": kind} if etag else {"objectType": kind}


def etag_of(key: str, version: int) -> str:
    """An etag of the legacy services: base64 of id and version."""
    text = json.dumps({"id": key.lower(), "version": version}, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode()


def collection(
    items: list[dict[str, Any]], self_uri: str = "", next_link: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A collection; ``totalCount`` is the page's count, as Microsoft's."""
    body: dict[str, Any] = {"totalCount": len(items), "items": items}
    links = {"self": link(self_uri)} if self_uri else {}
    if next_link:
        links["next"] = next_link
    if links:
        body["links"] = links
    return body | {"attributes": attributes("Collection")}


def shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """A stored document without the twin's own fields, whose names begin with ``_``."""
    return {key: value for key, value in document.items() if not key.startswith("_")}


def tidy(value: Any) -> Any:
    """What was sent, with camelCase keys and without nulls: requests come in either case (2.2)."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: tidy(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [tidy(item) for item in value]
    return value


def pascal(value: Any) -> Any:
    """A value with PascalCase keys at every depth."""
    if isinstance(value, dict):
        return {key[:1].upper() + key[1:]: pascal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [pascal(item) for item in value]
    return value


def ok(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer with a JSON body."""
    return Response(status, body, headers or {})


def squeezed(value: Any) -> str:
    """An enum word without case, ``_`` and blanks, as ``OneTime`` and ``one_time`` are the same."""
    return str(value or "").replace("_", "").replace(" ", "").lower()


def integer(value: Any) -> int | None:
    """A whole number sent as number or text, or ``None``."""
    try:
        return int(str(value))
    except ValueError:
        return None


def encode_token(content: Mapping[str, Any]) -> str:
    """A continuation token."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def decode_token(token: str) -> dict[str, Any]:
    """What a continuation token says. Raises ``WireError`` 400 for one that is not ours."""
    try:
        content = json.loads(base64.urlsafe_b64decode(token.encode()))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise classic(400, 2000, "The continuation token is not valid.")
    return content
