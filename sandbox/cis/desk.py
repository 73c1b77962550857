"""What all calls of the CIS twin share: clients, tables, the switches of faults, keys, pending purchases."""

import datetime as dt
import hashlib
import heapq
import secrets
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sandbox.cis.answers import problem, stamp
from sandbox.cis.catalogue import Catalogue
from sandbox.clock import iso, parse_moment
from sandbox.seed import esd
from sandbox.wire import Request
from sandbox.world import World

NAME = "cis"
PREFIX = "/cis"
USUAL_WINDOW = 30
# The signs of real product keys: none that could be mistaken for another.
SIGNS = "BCDFGHJKMPQRTVWXY2346789"
DOWNLOAD_DAYS = 365
Row = dict[str, Any]


class Desk:
    """Tables and helpers; the attributes below ``codes`` are switches of the fault at work while its call is handled.

    ``lag`` and ``blind`` (seconds): objects made now show after ``lag``, reads hide objects younger than ``blind``.
    ``pending`` overrides the switch of the control surface. ``tokens`` is the number of tokens in an answer.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.catalogue = Catalogue(world.state)
        table = world.state.table
        self.transactions = table(NAME, "transactions")
        self.licences = table(NAME, "licences")
        self.settings = table(NAME, "_settings")
        self.stock = table(NAME, "_stock")
        self.clients = {client.client_id: client for client in esd.CLIENTS}
        self.codes: set[str] = set()
        self.lag = 0.0
        self.blind = 0.0
        self.pending: Row | None = None
        self.tokens = 1
        self.return_rejected = False
        self._due: list[tuple[str, str]] = []

    def client(self, request: Request) -> esd.Client:
        """Whose token it is. Raises ``ChannelNotAuthorized`` for an application that CIS does not know."""
        found = self.clients.get(str(request.claims.get("appid") or "").lower())
        if found is None:
            raise problem("ChannelNotAuthorized", "The application is not a client of this service.")
        return found

    def hidden(self, row: Mapping[str, Any], now: dt.datetime) -> bool:
        """Whether reads do not show a transaction or licence yet."""
        until = row.get("_visible")
        if until and parse_moment(until) > now:
            return True
        return bool(self.blind) and parse_moment(row["_created"]) > now - dt.timedelta(seconds=self.blind)

    def marks(self, client: esd.Client, reference: str, now: dt.datetime) -> Row:
        """The twin's own fields of a new object: who asked for it, when, and when reads begin to show it."""
        marks: Row = {"_client": client.client_id, "_ref": reference, "_created": iso(now)}
        if self.lag:
            marks["_visible"] = iso(now + dt.timedelta(seconds=self.lag))
        return marks

    def note(self, text: str) -> None:
        """Say in the journal what came about; never a token."""
        self.world.journal.effect = text

    # --- Licences ---

    def new_code(self) -> str:
        """A product key that was never given out before."""
        while True:
            code = "-".join("".join(secrets.choice(SIGNS) for _ in range(5)) for _ in range(5))
            if code not in self.codes:
                self.codes.add(code)
                return code

    def new_licence(self, transaction: Row, now: dt.datetime) -> Row:
        """The licence of a purchase; its dates are fixed now."""
        returnable, told = transaction["ReturnType"] == "Returnable", transaction["ReturnWindowDays"]
        until = now + dt.timedelta(days=int(told or USUAL_WINDOW)) if returnable else None
        row: Row = {
            "LicenseId": str(uuid4()),
            **{name: transaction[name] for name in ("Sku", "Country", "Currency", "FulfillmentType")},
            "Code": self.new_code(),
            "TokenStatus": "Activated",
            "ReturnStatus": "None",
            "RedeemedUtc": None,
            "ReturnableUntilUtc": stamp(until) if until and told else None,
            "UpdatedUtc": stamp(now),
            "DownloadUntil": stamp(now + dt.timedelta(days=DOWNLOAD_DAYS)),
            "_until": stamp(until) if until else None,
            "_transaction": transaction["_ref"],
            "_service": transaction["ServiceTransactionId"],
        }
        marks = {name: transaction[name] for name in ("_client", "_ref", "_visible") if name in transaction}
        return self.licences.put(row["LicenseId"], row | marks | {"_created": iso(now)})

    def update(self, licence: Row, now: dt.datetime, **members: Any) -> Row:
        """Change members of a licence."""
        return self.licences.put(licence["LicenseId"], licence | members | {"UpdatedUtc": stamp(now)})

    # --- Time ---

    def wait(self, transaction: Row) -> None:
        """Remember a purchase that is decided later."""
        heapq.heappush(self._due, (transaction["_ready"], transaction["_key"]))

    def tick(self, now: dt.datetime) -> None:
        """Decide the purchases that are due, each at its own moment."""
        while self._due and parse_moment(self._due[0][0]) <= now:
            moment, key = heapq.heappop(self._due)
            row = self.transactions.get(key)
            if row is not None and row["State"] == "Pending":
                self.decide(row, parse_moment(moment))

    def decide(self, transaction: Row, now: dt.datetime) -> Row:
        """End a purchase: with a licence, or as Rejected with the error code that was set for it."""
        code = transaction.get("_error")
        if code:
            fresh = transaction | {"State": "Rejected", "ErrorCode": code}
        else:
            fresh = transaction | {"State": "Completed", "LicenseId": self.new_licence(transaction, now)["LicenseId"]}
        return self.transactions.put(transaction["_key"], fresh)

    def begin(self) -> None:
        """After a start or a reset: what is computed from the tables."""
        self.catalogue.forget()
        self.codes = {row["Code"] for row in self.licences.values()}
        self._due = []
        for row in self.transactions.values():
            if row["State"] == "Pending":
                self.wait(row)


def digest(code: str) -> str:
    """What is shown of a token beside its last signs, so that two of them can be told apart."""
    return hashlib.sha256(code.encode()).hexdigest()[:16]
