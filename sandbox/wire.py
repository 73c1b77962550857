"""Requests and answers as the twins see them, apart from any web server."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"


class WireError(Exception):
    """An answer raised anywhere in a handler and sent as it is."""

    def __init__(self, status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


@dataclass
class Request:
    """A request; header names are lower-case, ``path`` is below the vendor's prefix, ``params`` are decoded.

    ``full_path`` is the path as it was sent, ``base_url`` is scheme and host that the caller used, such as
    ``http://127.0.0.1:8010``, ``prefix`` the vendor's, such as ``/partner-center``. ``now`` is the vendors' clock,
    ``reference`` the caller's own id of the operation, as the vendor finds it in the request.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    base_url: str
    now: dt.datetime
    params: dict[str, str] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    prefix: str = ""
    full_path: str = ""
    query_string: str = ""
    operation: str = ""
    reference: str = ""

    def json(self) -> Any:
        """The body as JSON, with or without byte order mark; an empty body is ``{}``.

        Raises ``WireError`` 400 in the classic error shape when it is malformed.
        """
        if not self.body:
            return {}
        try:
            return json.loads(self.body.decode("utf-8-sig"))
        except ValueError as error:
            body = {"code": 2000, "description": f"The request body is not valid JSON: {error}", "data": []}
            raise WireError(400, body) from error

    def form(self) -> dict[str, str]:
        """The body as a form; of a repeated name the last value counts."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def bearer(self) -> str:
        """The bearer token, or an empty text."""
        kind, _space, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if kind.lower() == "bearer" else ""


@dataclass
class Response:
    """An answer: ``dict`` and ``list`` become JSON, ``str`` and ``bytes`` go as they are, ``None`` is no body."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON

    def payload(self) -> bytes:
        """The body's bytes."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body, separators=(",", ":"), ensure_ascii=False).encode()


def response_of(error: WireError) -> Response:
    """The answer that an error stands for."""
    content_type = error.headers.pop("Content-Type", JSON if not isinstance(error.body, str) else HTML)
    return Response(error.status, error.body, error.headers, content_type)


class Hang(Exception):
    """The connection stays open without an answer for some seconds; a negative number means for ever."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer for {seconds} s")
        self.seconds = seconds


class Reset(Exception):
    """The connection is reset (RST) without an answer; ``orderly`` closes it instead (FIN)."""

    def __init__(self, *, orderly: bool = False) -> None:
        super().__init__("connection reset")
        self.orderly = orderly


@dataclass
class Delivery:
    """How an answer is put on the wire: cut after some bytes, or in small pieces over some seconds."""

    response: Response
    cut: bool = False
    slow_seconds: float = 0.0
