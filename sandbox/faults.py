"""Faults: what goes wrong on purpose, by vendor and operation.

``delay`` comes on top of another fault; of the others the first that fits is taken. General kinds are handled here and
in ``sandbox.app`` for every vendor; kinds of a vendor's own go to ``Vendor.fault``.
"""

import datetime as dt
import random
from collections.abc import Mapping
from email.utils import format_datetime
from typing import Any
from uuid import uuid4

from sandbox.clock import iso, real_now
from sandbox.router import Vendor
from sandbox.state import State
from sandbox.wire import HTML, Request, Response

BEFORE = frozenset({"timeout_before", "reset_before", "drop_before", "http_500_before", "http_429", "auth_401"})
INSTEAD = frozenset({"html_page", "redirect", "empty_body"})
AFTER = frozenset({"timeout_after", "reset_after", "drop_after", "http_500_after"})
BODY = frozenset({"malformed", "truncated", "bom", "slow_body"})
GENERAL = frozenset({"delay"}) | BEFORE | INSTEAD | AFTER | BODY
OF_VENDORS = frozenset({"lag", "unknown_enum"})
# What Microsoft's sign-in answers under a fault of the same name, whichever vendor the fault is asked for.
OF_LOGIN = {"consent_revoked": 65001, "token_revoked": 50173, "token_expired": 700082, "secret_expired": 7000222}
DEFAULT_SECONDS = {"delay": 2.0, "slow_body": 5.0, "timeout_before": 300.0, "timeout_after": 300.0, "http_429": 5.0}
HTML_PAGE = (
    "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
)


class Faults:
    """The faults that are on; kept in the state, so that they survive a restart."""

    def __init__(self, state: State) -> None:
        self._table = state.table("_twin", "faults")

    def add(self, spec: Mapping[str, Any], vendors: Mapping[str, Vendor]) -> dict[str, Any]:
        """Switch a fault on. Raises ``ValueError`` with what is wrong about it."""
        kind, vendor, operation = (str(spec.get(key) or "") for key in ("kind", "vendor", "operation"))
        if kind in OF_LOGIN and vendor != "login":
            vendor, operation = "login", "token:app" if kind == "secret_expired" else "token:user"
        operation = operation or "*"
        if vendor not in vendors:
            raise ValueError(f"unknown vendor: {vendor or 'none given'}")
        if kind not in self.kinds(vendors[vendor]):
            raise ValueError(f"unknown kind: {kind or 'none given'}")
        known = {name for full in vendors[vendor].operations() for name in (full, full.partition(":")[0])}
        if operation != "*" and operation not in known:
            raise ValueError(f"unknown operation: {operation}")
        probability = float(spec.get("probability", 1))
        if not 0 <= probability <= 1:
            raise ValueError("probability is a number from 0 to 1")
        left = spec.get("times", None if "probability" in spec else 1)
        fault = {
            **spec,
            "id": str(uuid4()),
            "vendor": vendor,
            "operation": operation,
            "kind": kind,
            "probability": probability,
            "left": None if left is None else int(left),
            "skip": int(spec.get("skip") or 0),
            "seconds": float(spec.get("seconds", DEFAULT_SECONDS.get(kind, 0.0))),
            "hits": 0,
            "created": iso(real_now()),
        }
        return self._table.put(str(fault["id"]), fault)

    @staticmethod
    def kinds(vendor: Vendor) -> frozenset[str]:
        """All kinds that a vendor knows."""
        return GENERAL | OF_VENDORS | vendor.fault_kinds

    def values(self) -> list[dict[str, Any]]:
        """The faults that are on."""
        return self._table.values()

    def delete(self, fault_id: str) -> bool:
        """One fault off; whether there was such a fault."""
        known = fault_id in self._table
        self._table.delete(fault_id)
        return known

    def clear(self) -> None:
        """All faults off."""
        self._table.clear()

    def take(self, vendor: str, operation: str, request: Request) -> list[dict[str, Any]]:
        """The faults that this call meets: delays, and at most one other; each is counted down."""
        if not len(self._table):
            return []
        taken: list[dict[str, Any]] = []
        for fault in self._table.values():
            is_delay = fault["kind"] == "delay"
            if not is_delay and any(other["kind"] != "delay" for other in taken):
                continue
            if _fits(fault, vendor, operation, request) and self._strikes(fault):
                taken.append(dict(fault))
        return taken

    def _strikes(self, fault: dict[str, Any]) -> bool:
        if fault["skip"] > 0:
            fault["skip"] -= 1
            self._table.put(fault["id"], fault)
            return False
        if fault["probability"] < 1 and random.random() >= fault["probability"]:
            return False
        fault["hits"] += 1
        if fault["left"] is not None:
            fault["left"] -= 1
            if fault["left"] <= 0:
                self._table.delete(fault["id"])
                return True
        self._table.put(fault["id"], fault)
        return True


def _fits(fault: Mapping[str, Any], vendor: str, operation: str, request: Request) -> bool:
    if fault["vendor"] != vendor or fault["operation"] not in ("*", operation, operation.partition(":")[0]):
        return False
    if str(fault.get("path") or "") not in request.full_path:
        return False
    return str(fault.get("client_reference") or "") in request.reference


def answer_instead(fault: Mapping[str, Any], vendor: Vendor, request: Request) -> Response:
    """The answer of a fault that answers in the vendor's place, without any effect."""
    kind = fault["kind"]
    if kind == "http_429":
        return throttled(fault, vendor, request)
    if kind == "auth_401":
        refused = vendor.answer_refused(request, 401, "The access token is not valid.")
        if refused is not None:
            return refused
        body = {"code": 800001, "description": "Authentication failed: the access token is not valid.", "data": []}
        return Response(401, body, {"WWW-Authenticate": 'OAuth realm="twin"'})
    if kind == "html_page":
        return Response(int(fault.get("status", 502)), HTML_PAGE, content_type=HTML)
    if kind == "redirect":
        location = str(fault.get("location") or request.base_url + "/_twin/elsewhere")
        return Response(int(fault.get("status", 302)), None, {"Location": location})
    if kind == "empty_body":
        return Response(int(fault.get("status", 200)), None)
    answer = vendor.answer_failure(request)
    answer.status = int(fault.get("status", answer.status))
    return answer


def throttled(fault: Mapping[str, Any], vendor: Vendor, request: Request) -> Response:
    """429 with Retry-After in seconds, as a date, or without it (``form``)."""
    seconds = int(fault["seconds"])
    headers = {
        "seconds": {"Retry-After": str(seconds)},
        "date": {"Retry-After": format_datetime(real_now() + dt.timedelta(seconds=seconds), usegmt=True)},
        "none": {},
    }.get(str(fault.get("form") or "seconds"), {})
    message = f"Rate limit is exceeded. Try again in {seconds} seconds."
    answer = vendor.answer_refused(request, 429, message) or Response(429, {"statusCode": 429, "message": message})
    answer.headers |= headers
    return answer


def spoil(kind: str, answer: Response) -> Response:
    """The answer with its body cut in the middle, but of honest length (``malformed``), or after a BOM (``bom``)."""
    payload = answer.payload()
    if kind == "bom" and payload:
        payload = b"\xef\xbb\xbf" + payload
    elif kind == "malformed":
        payload = payload[: len(payload) // 2] if len(payload) > 2 else b'{"items": ['
    return Response(answer.status, payload, answer.headers, answer.content_type)
