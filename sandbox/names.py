"""A small name server on loopback (UDP): the host names that people, the demo and tests give it, and no others.

``GET /_twin/names`` lists the records; ``POST {"name": "esd.aster.example", "type": "CNAME", "values": ["..."]}`` sets
those of a name and type (``CNAME``, ``TXT``, ``A``), an empty list removes them; ``DELETE`` forgets all. Records
survive a restart; a reset of the vendors leaves them alone, for they belong to no vendor.
"""

import logging
import re
import socket
import threading
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from sandbox.state import State
from sandbox.wire import Request, Response, WireError

logger = logging.getLogger(__name__)
TYPES = ("A", "CNAME", "TXT")
SECONDS_TO_LIVE = 5
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*")


class Names:
    """The records, and the answers to questions about them."""

    def __init__(self, state: State) -> None:
        self._table = state.table("names", "records")

    # --- Control surface ---

    def list(self, request: Request) -> Response:
        """All records."""
        return Response(200, {"records": self._table.values()})

    def put(self, request: Request) -> Response:
        """Set the records of one name and type."""
        body = request.json()
        body = body if isinstance(body, dict) else {}
        name = str(body.get("name") or "").rstrip(".").lower()
        kind = str(body.get("type") or "CNAME").upper()
        values = body.get("values")
        if not _NAME.fullmatch(name) or kind not in TYPES or not isinstance(values, list):
            raise WireError(400, {"error": "Give name, type (A, CNAME or TXT) and values (a list of texts)."})
        if not values:
            self._table.delete(f"{name} {kind}")
            return Response(204)
        row = {"name": name, "type": kind, "values": [str(value)[:500] for value in values]}
        try:
            _records(name, row)
        except (dns.exception.DNSException, ValueError) as error:
            raise WireError(400, {"error": f"A value does not fit a record of type {kind}: {error}"}) from error
        return Response(200, self._table.put(f"{name} {kind}", row))

    def clear(self, request: Request) -> Response:
        """Forget all names."""
        self._table.clear()
        return Response(204)

    # --- Questions ---

    def answer(self, wire: bytes) -> bytes | None:
        """The answer to a packet; None if it is no question."""
        try:
            query = dns.message.from_wire(wire)
            question = query.question[0]
            # Somebody's late answer to a port that was his before raises here.
            reply = dns.message.make_response(query)
        except (dns.exception.DNSException, IndexError):
            return None
        reply.flags |= dns.flags.RA | dns.flags.AA
        name = question.name.to_text().rstrip(".").lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        row = self._table.get(f"{name} {kind}") or self._table.get(f"{name} CNAME")
        if row is not None:
            reply.answer.append(_records(question.name.to_text(), row))
        elif not any(known["name"] == name for known in self._table.values()):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire()

    def serve(self, port: int) -> int:
        """Answer on a loopback port (0 takes a free one) in a thread of its own; returns the port."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.bind(("127.0.0.1", port))
        threading.Thread(target=self._run, args=(listener,), daemon=True, name="names").start()
        return int(listener.getsockname()[1])

    def _run(self, listener: socket.socket) -> None:
        while True:
            try:
                wire, sender = listener.recvfrom(4096)
                reply = self.answer(wire)
                if reply is not None:
                    listener.sendto(reply, sender)
            except Exception:  # One packet must not end the server.
                logger.exception("a packet was not answered")


def _records(owner: str, row: dict[str, Any]) -> dns.rrset.RRset:
    kind = str(row["type"])
    values = [str(value) for value in row["values"]]
    if kind == "CNAME":
        values = [value.rstrip(".") + "." for value in values[:1]]
    if kind == "TXT":
        values = ['"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values]
    return dns.rrset.from_text(owner.rstrip(".") + ".", SECONDS_TO_LIVE, "IN", kind, *values)
