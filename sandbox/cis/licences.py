"""Licences and returns (``esd.md`` 8 and 10)."""

import datetime as dt
from typing import Any
from uuid import uuid4

from sandbox.cis.answers import body_of, digest_of, guid_of, problem, stamp, text_of
from sandbox.cis.desk import Desk, Row
from sandbox.clock import parse_moment
from sandbox.router import Routes
from sandbox.seed import esd
from sandbox.wire import Request, Response

REASONS = {reason.lower(): reason for reason in ("CustomerRequest", "OrderError", "Other")}
MEMBERS = ("LicenseId", "Sku", "TokenStatus", "ReturnStatus", "RedeemedUtc", "ReturnableUntilUtc", "UpdatedUtc")
ANSWERED = ("ServiceTransactionId", "ClientTransactionId", "LicenseId", "ReturnStatus", "ReturnedUtc")


class LicenceCalls:
    """``GET licenses/{id}`` and ``POST return``."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def add_to(self, routes: Routes, root: str) -> None:
        """Add the calls below a path."""
        routes.add("GET", f"{root}/licenses/{{license}}", "get_license", self.licence)
        routes.add("POST", f"{root}/return", "return_license", self.give_back, write=True)

    def licence(self, request: Request) -> Response:
        """A licence's state, without its token. Raises ``LicenseNotFound``."""
        row = self.desk.licences.get(request.params["license"].lower())
        foreign = row is None or row["_client"] != self.desk.client(request).client_id
        if row is None or foreign or self.desk.hidden(row, request.now):
            raise problem("LicenseNotFound")
        return Response(200, {name: row[name] for name in MEMBERS})

    def give_back(self, request: Request) -> Response:
        """Return an unused licence. Raises the errors of the contract."""
        client, body = self.desk.client(request), body_of(request)
        wish = _wish(body)
        key, digest = f"{client.client_id}:{wish['ClientTransactionId']}", digest_of(wish)
        known = self.desk.transactions.get(key)
        if known is None:
            known = self._new(client, wish, key, digest, request.now)
        elif known["_digest"] != digest:
            raise problem("DuplicateTransaction", transaction=wish["ClientTransactionId"])
        return Response(200, {name: known[name] for name in ANSWERED})

    def _new(self, client: esd.Client, wish: Row, key: str, digest: str, now: dt.datetime) -> Row:
        desk, reference = self.desk, wish["ClientTransactionId"]
        licence = self._returnable(client, wish, now)
        status = "Rejected" if desk.return_rejected else "Successful"
        if status == "Successful":
            desk.update(licence, now, TokenStatus="ReturnAccepted", ReturnStatus=status)
        else:
            desk.update(licence, now, ReturnStatus=status)
        desk.note("licence returned" if status == "Successful" else "return rejected")
        return desk.transactions.put(
            key,
            {
                "Kind": "return",
                "ServiceTransactionId": str(uuid4()),
                "ClientTransactionId": reference,
                "State": "Completed" if status == "Successful" else "Rejected",
                "ErrorCode": None,
                "LicenseId": licence["LicenseId"],
                "ReturnStatus": status,
                "ReturnedUtc": stamp(now) if status == "Successful" else None,
                "ReasonCode": wish["ReasonCode"],
                "_key": key,
                "_digest": digest,
                **desk.marks(client, reference, now),
            },
        )

    def _returnable(self, client: esd.Client, wish: Row, now: dt.datetime) -> Row:
        """The licence, if it can be returned. Raises the errors of the contract."""
        reference = wish["ClientTransactionId"]
        row = self.desk.licences.get(wish["LicenseId"])
        original = wish["OriginalTransactionId"]
        foreign = row is None or row["_client"] != client.client_id
        # The contract leaves open whose id the original one is, so both are understood.
        if row is None or foreign or original not in (row["_transaction"], row["_service"]):
            raise problem("LicenseNotFound", transaction=reference)
        if row["TokenStatus"] == "ReturnAccepted":
            raise problem("AlreadyReturned", transaction=reference)
        if row["TokenStatus"] == "Redeemed":
            raise problem("AlreadyRedeemed", transaction=reference)
        if row["_until"] is None:
            raise problem("NotReturnable", transaction=reference)
        if now > parse_moment(row["_until"]):
            raise problem("ReturnWindowClosed", transaction=reference)
        return row


def _wish(body: dict[str, Any]) -> Row:
    """What a return asks for, checked for form. Raises ``InvalidRequest``."""
    wish = {name: guid_of(body, name) for name in ("ClientTransactionId", "OriginalTransactionId", "LicenseId")}
    reason = text_of(body, "ReasonCode", 30)
    if text_of(body, "SequenceNumber", 4) != "1" or reason.lower() not in REASONS:
        message = f'SequenceNumber must be "1" and ReasonCode one of {", ".join(REASONS.values())}.'
        raise problem("InvalidRequest", message, transaction=wish["ClientTransactionId"])
    return wish | {
        "ReasonCode": REASONS[reason.lower()],
        "Comment": text_of(body, "Comment", 250, required=False),
    }
