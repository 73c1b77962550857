"""A very small CIS in memory, in place of the HTTP client: enough of it to kill a worker at every point.

One id stands for one purchase or return, as at Microsoft: the same body has the same answer, another one is refused.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt

from core.http import Answer, NotSent, OutcomeUnknown
from microsoft_esd.calls import find_call
from tests.office365.fake_server import Fault, reply
from tests.office365.memory import Killer

CODE = "BCDFG-HJKMP-QRTVW-XY234-6789B"


def problem(status: int, code: str) -> Answer:
    """An error of the contract."""
    return reply(status, {"ErrorCode": code, "Message": "no", "TransactionId": None})


def product(sku: str, **changes: Any) -> dict[str, Any]:
    """A product of the catalogue."""
    return {
        "Sku": sku, "OfferId": f"OFFER-{sku}", "Name": f"Product {sku}", "Description": "A licence.",
        "OfferUri": f"https://offers.example/{sku}", "Country": "GR", "Language": "el-GR",
        "FulfillmentType": "TokenAndDownload", "ReturnType": "Returnable", "ReturnWindowDays": 30,
        "MinQuantity": 1, "MaxQuantity": 500, "Status": "New", "Version": 1, "UpdatedUtc": "2026-11-01T00:00:00Z",
        "Prices": [
            {"Amount": "88.00", "Currency": "EUR", "PriceType": "Cost", "ValidFrom": "2026-01-01T00:00:00Z",
             "ValidTo": None},
            {"Amount": "99.50", "Currency": "EUR", "PriceType": "ERP", "ValidFrom": "2026-01-01T00:00:00Z",
             "ValidTo": None},
        ],
        **changes,
    }  # fmt: skip


@dataclass
class FakeServer:
    """The server; ``requests`` holds what arrived as (call, query or body)."""

    killer: Killer
    requests: list[tuple[str, Any]] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    forms: list[Mapping[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    transactions: dict[str, tuple[Any, dict[str, Any]]] = field(default_factory=dict)
    licences: dict[str, dict[str, Any]] = field(default_factory=dict)
    pages: list[list[dict[str, Any]]] = field(default_factory=lambda: [[]])
    version: int = 100
    etag: str = '"100"'
    pending: bool = False
    tokens: int = 1
    hidden: int = 0
    refuse_return: bool = False
    slept: list[float] = field(default_factory=list)
    token_answer: Answer | None = None
    on_page: Callable[[int], None] | None = None

    def sleep(self, seconds: float) -> None:
        """Nobody waits in a test."""
        self.slept.append(seconds)

    def fail(self, operation: str, kind: str = "answer", answer: Answer | None = None, times: int = 1) -> None:
        """Plan a fault."""
        self.faults.append(Fault(operation, kind, answer, times))

    def count(self, operation: str) -> int:
        """How often a call arrived."""
        return sum(1 for name, _what in self.requests if name == operation)

    def request(self, method: str, url: str, **options: Any) -> Answer:
        """As ``HttpClient.request``."""
        call = find_call(method, url)
        self.urls.append(url)
        if call.name == "get_token_v1":
            return self._token(options)
        body = json.loads(options["data"]) if options.get("data") else None
        query = dict(parse_qsl(urlsplit(url).query))
        self.requests.append((call.name, body or query))
        self.headers.append(dict(options["headers"]))
        self.killer.point()
        fault = next((item for item in self.faults if item.operation == call.name and item.times > 0), None)
        if fault:
            fault.times -= 1
            if fault.kind == "not_sent":
                raise NotSent("refused")
            if fault.kind == "before":
                raise OutcomeUnknown("no answer")
            if fault.kind == "answer" and fault.answer is not None:
                return fault.answer
        handler: Callable[..., Answer] = getattr(self, f"_{call.name}")
        answer = handler(urlsplit(url).path.split("/")[-1], query, body)
        self.killer.point()
        if fault and fault.kind == "after":
            raise OutcomeUnknown("no answer")
        if fault and fault.kind == "after_answer" and fault.answer is not None:
            return fault.answer
        return answer

    def _token(self, options: Mapping[str, Any]) -> Answer:
        self.forms.append(options["data"])
        self.requests.append(("get_token_v1", None))
        if self.token_answer is not None:
            return self.token_answer
        assertion = jwt.decode(options["data"]["client_assertion"], options={"verify_signature": False})
        assert assertion["sub"] == options["data"]["client_id"]
        return reply(200, {"token_type": "Bearer", "expires_in": "3600", "access_token": f"at-{len(self.forms)}"})

    # --- Catalogue ---

    def _list_catalog(self, last: str, query: Mapping[str, str], body: Any) -> Answer:
        if self.headers[-1].get("If-None-Match") == self.etag:
            return Answer(304, {"ETag": self.etag})
        number = int(query["pg"])
        answer = reply(200, {"CatalogVersion": self.version, "Page": number, "PageCount": len(self.pages),
                             "Products": self.pages[number - 1]}, ETag=self.etag)  # fmt: skip
        if self.on_page:
            self.on_page(number)
        return answer

    # --- Licences ---

    def _purchase(self, last: str, query: Mapping[str, str], body: Any) -> Answer:
        key = body["ClientTransactionId"]
        known = self.transactions.get(key)
        if known is not None:
            return reply(200, known[1]) if known[0] == body else problem(409, "DuplicateTransaction")
        made = {"ServiceTransactionId": str(uuid.uuid4()), "ClientTransactionId": key,
                "State": "Pending" if self.pending else "Completed", "ErrorCode": None, "LineItems": []}  # fmt: skip
        self.transactions[key] = (body, made)
        if self.pending:
            return reply(202, {"ClientTransactionId": key, "RetryAfterSeconds": 45})
        self.complete(key)
        return reply(200, made)

    def complete(self, key: str) -> None:
        """Give out the licence of a transaction."""
        body, made = self.transactions[key]
        licence = str(uuid.uuid4())
        sku = body["LineItems"][0]["Sku"]
        self.licences[licence] = {"LicenseId": licence, "Sku": sku, "TokenStatus": "Activated", "ReturnStatus": "None",
                                  "RedeemedUtc": None, "ReturnableUntilUtc": None,
                                  "UpdatedUtc": "2026-11-21T09:00:00Z"}  # fmt: skip
        token = {"SequenceNumber": "1", "Type": "ProductKey", "Description": "Key", "Code": CODE}
        links = [
            {"Type": "Activation", "Description": "Activate", "Uri": "https://setup.example/a", "ExpirationDate": None,
             "ExpirationDateSpecified": False},
            {"Type": "Download", "Description": "Installer", "Uri": "https://download.example/d",
             "ExpirationDate": "2027-11-21T00:00:00Z", "ExpirationDateSpecified": True},
            {"Type": "Download", "Description": "Unsafe", "Uri": "http://download.example/d"},
        ]  # fmt: skip
        line = {"LineNumber": 1, "Sku": sku, "FulfillmentType": "TokenAndDownload", "LicenseId": licence,
                "Tokens": [token] * self.tokens, "Links": links}  # fmt: skip
        made.update(State="Completed", LineItems=[line])

    def _get_transaction(self, last: str, query: Mapping[str, str], body: Any) -> Answer:
        if self.hidden > 0:
            self.hidden -= 1
            return problem(404, "TransactionNotFound")
        known = self.transactions.get(last)
        return reply(200, known[1]) if known else problem(404, "TransactionNotFound")

    def _get_license(self, last: str, query: Mapping[str, str], body: Any) -> Answer:
        row = self.licences.get(last)
        return reply(200, row) if row else problem(404, "LicenseNotFound")

    def _return_license(self, last: str, query: Mapping[str, str], body: Any) -> Answer:
        key = body["ClientTransactionId"]
        known = self.transactions.get(key)
        if known is not None:
            return reply(200, known[1]) if known[0] == body else problem(409, "DuplicateTransaction")
        row = self.licences[body["LicenseId"]]
        if row["TokenStatus"] != "Activated":
            return problem(409, "AlreadyReturned" if row["TokenStatus"] == "ReturnAccepted" else "AlreadyRedeemed")
        status = "Rejected" if self.refuse_return else "Successful"
        row.update(ReturnStatus=status, TokenStatus="Activated" if self.refuse_return else "ReturnAccepted")
        made = {"ServiceTransactionId": str(uuid.uuid4()), "ClientTransactionId": key, "LicenseId": row["LicenseId"],
                "State": "Rejected" if self.refuse_return else "Completed", "LineItems": [], "ErrorCode": None,
                "ReturnStatus": status, "ReturnedUtc": "2026-11-21T09:05:00Z"}  # fmt: skip
        self.transactions[key] = (body, made)
        return reply(200, made)
