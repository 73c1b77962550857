"""Audit records (``partner-center.md`` 13): one per write, with the caller's correlation id."""

import datetime as dt
from typing import Any

from sandbox.clock import iso, parse_moment
from sandbox.partner_center.answers import (
    classic,
    collection,
    decode_token,
    encode_token,
    integer,
    link,
    ok,
    shown,
)
from sandbox.partner_center.desk import Desk
from sandbox.partner_center.filters import matches, read_filter
from sandbox.router import Routes
from sandbox.wire import Request, Response

DEFAULT_SIZE = 500
KEPT = dt.timedelta(days=90)
FIELDS = {
    "customerid": lambda row: str(row["customerId"]),
    "companyname": lambda row: str(row["customerName"]),
    "resourcetype": lambda row: str(row["resourceType"]),
}


class AuditCalls:
    """The calls that read the audit records."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def add_to(self, routes: Routes) -> None:
        """Add the calls."""
        routes.add("GET", "/v1/auditrecords", "list_audit_records", self.list_records)
        routes.add("GET", "/v1/auditrecords/{record}", "get_audit_record", self.get)

    def list_records(self, request: Request) -> Response:
        """Records of whole days from ``startDate`` to ``endDate``, newest first, paged with a token."""
        token = request.headers.get("ms-continuationtoken", "")
        content: dict[str, Any] = decode_token(token) if token else {"after": 0, "query": request.query}
        query = content["query"]
        start = _day(query, "startDate", request.now - dt.timedelta(days=30))
        end = _day(query, "endDate", request.now) + dt.timedelta(days=1)
        if start < request.now - KEPT - dt.timedelta(days=1):
            raise classic(400, 2000, "The startDate must be within the last 90 days.")
        wanted = read_filter(str(query.get("filter") or ""), FIELDS)
        first, last = iso(start), iso(end)
        rows = [
            row
            for row in reversed(self.desk.audit.values())
            # Moments of this one form sort as texts, which is much faster than reading them all.
            if first <= row["operationDate"] < last
            and not self.desk.hidden(row, request.now)
            and matches(row, wanted, FIELDS)
        ]
        size = integer(query.get("size")) or DEFAULT_SIZE
        after = integer(content["after"]) or 0
        following = None
        if after + size < len(rows):
            mark = encode_token({"after": after + size, "query": query})
            following = link("/auditrecords?seekOperation=Next", headers={"MS-ContinuationToken": mark})
        page = [shown(row) for row in rows[after : after + size]]
        return ok(collection(page, "/auditrecords", following))

    def get(self, request: Request) -> Response:
        """One record."""
        found = self.desk.audit.get(request.params["record"])
        if found is None:
            raise classic(404, 1000, "The audit record was not found.")
        return ok(shown(found))


def _day(query: dict[str, Any], name: str, default: dt.datetime) -> dt.datetime:
    text = query.get(name)
    try:
        moment = parse_moment(str(text)) if text else default
    except ValueError:
        raise classic(400, 2000, f"The {name} is not a date.") from None
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
