"""Log lines as JSON, with the request id and without secrets."""

import logging
import re
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from core.request_id import current_request_id

MASK = "[redacted]"
_NAMES = re.compile(
    r"(authorization|password|passwd|secret|token|assertion|api[_-]?key|application[_-]?key|cookie|product[_-]?key|"
    r"client[_-]?secret|refresh)",
    re.IGNORECASE,
)
_PAIRS = re.compile(
    r"((?:authorization|password|passwd|client_secret|secret|(?:access_|refresh_|id_)?token|client_assertion|api[_-]?key)"
    r"[\"']?\s*[:=]\s*[\"']?)(?:Bearer\s+|Basic\s+)?[^\s\"'&,;}]+",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_PRODUCT_KEY = re.compile(r"\b(?:[A-Z0-9]{5}-){4}[A-Z0-9]{5}\b")
_PLAIN = frozenset(vars(logging.makeLogRecord({})))


def redact(text: str) -> str:
    """``text`` without anything that looks like a credential or a product key."""
    for pattern, replacement in (
        (_PAIRS, rf"\1{MASK}"),
        (_BEARER, rf"\1 {MASK}"),
        (_JWT, MASK),
        (_PRODUCT_KEY, MASK),
    ):
        text = pattern.sub(replacement, text)
    return text


class RedactionFilter(logging.Filter):
    """Adds the request id and takes secrets out of the message, its arguments and its extras."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the record in place; it is always kept."""
        record.request_id = current_request_id()
        record.msg = redact(record.getMessage())
        record.args = None
        for name, value in list(vars(record).items()):
            if name in _PLAIN or name == "request_id":
                continue
            if _NAMES.search(name):
                setattr(record, name, MASK)
            elif isinstance(value, str):
                setattr(record, name, redact(value))
        return True


class SafeJsonFormatter(JsonFormatter):
    """One JSON object a line; tracebacks are redacted too."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name is logging's
        """The traceback without secrets."""
        text = super().formatException(ei)
        return redact(text if isinstance(text, str) else "\n".join(text))
