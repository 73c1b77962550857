"""Purchases and transactions: one token per ClientTransactionId, however often it is sent (``esd.md`` 10)."""

import datetime as dt
import math
from typing import Any
from uuid import uuid4

from sandbox.cis.answers import body_of, digest_of, guid_of, problem, text_of
from sandbox.cis.desk import Desk, Row
from sandbox.clock import iso, parse_moment
from sandbox.router import Routes
from sandbox.seed import esd
from sandbox.wire import Request, Response

ACTIVATION = "https://setup.esd.example/activate?offer={0}"
DOWNLOAD = "https://download.esd.example/{0}/setup.exe"

KEPT = ("Sku", "Country", "Currency", "PurchaseOrder", "FulfillmentType", "ReturnType", "ReturnWindowDays")


class PurchaseCalls:
    """``POST purchase`` and ``GET transactions/{id}``."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def add_to(self, routes: Routes, root: str) -> None:
        """Add the calls below a path."""
        routes.add("POST", f"{root}/purchase", "purchase", self.purchase, write=True)
        routes.add("GET", f"{root}/transactions/{{transaction}}", "get_transaction", self.transaction)

    def purchase(self, request: Request) -> Response:
        """Buy one licence. Raises the errors of the contract."""
        client, body = self.desk.client(request), body_of(request)
        order = _order(body)
        key, digest = f"{client.client_id}:{order['ClientTransactionId']}", digest_of(order)
        known = self.desk.transactions.get(key)
        if known is not None:
            if known["_digest"] != digest:
                raise problem("DuplicateTransaction", transaction=order["ClientTransactionId"])
            return self._answer(known, request.now)
        order |= _terms(self._check(client, order))
        row = self._new(client, order, key, digest, request.now)
        return self._answer(row, request.now)

    def transaction(self, request: Request) -> Response:
        """A purchase or return by the caller's id; 404 = it never arrived, or does not show yet."""
        client, key = self.desk.client(request), request.params["transaction"].lower()
        row = self.desk.transactions.get(f"{client.client_id}:{key}")
        if row is None or self.desk.hidden(row, request.now):
            raise problem("TransactionNotFound", transaction=key)
        return Response(200, self.shown(row))

    def _check(self, client: esd.Client, order: Row) -> Row:
        """The product, if the client may buy it. Raises the errors of the contract, in the order of their table."""
        reference, sku = order["ClientTransactionId"], order["Sku"]
        if order["ChannelId"] != client.channel_id or order["Country"] != client.country:
            raise problem("ChannelNotAuthorized", transaction=reference)
        product = self.desk.catalogue.product(client.country, sku)
        if product is None:
            elsewhere = self.desk.catalogue.exists_elsewhere(sku)
            raise problem("SkuNotAvailableInCountry" if elsewhere else "InvalidSku", transaction=reference)
        if all(row["Currency"] != order["Currency"] for row in product["Prices"]):
            raise problem("SkuNotAvailableInCountry", transaction=reference)
        if product.get("Status") == "Discontinued" or product.get("_dropped"):
            raise problem("Discontinued", transaction=reference)
        if f"{client.country}:{sku}" in self.desk.stock:
            raise problem("OutOfStock", transaction=reference)
        return product

    def _new(self, client: esd.Client, order: Row, key: str, digest: str, now: dt.datetime) -> Row:
        desk, reference = self.desk, order["ClientTransactionId"]
        row: Row = {
            "Kind": "purchase",
            "ServiceTransactionId": str(uuid4()),
            "ClientTransactionId": reference,
            "State": "Pending",
            "ErrorCode": None,
            "LicenseId": None,
            "_key": key,
            "_digest": digest,
            **{name: order[name] for name in KEPT},
            **desk.marks(client, reference, now),
        }
        later = desk.pending or desk.settings.get("pending")
        if later is None:
            row = desk.decide(row, now)
            desk.note("licence made")
            return row
        row |= {"_ready": iso(now + dt.timedelta(seconds=float(later["seconds"]))), "_form": later["form"]}
        if later["outcome"] == "rejected":
            row["_error"] = later["error_code"]
        desk.wait(desk.transactions.put(key, row))
        desk.note("purchase taken for later")
        return row

    def _answer(self, row: Row, now: dt.datetime) -> Response:
        """200 with what there is, or 202 where it has to be asked for again."""
        if row["Kind"] == "purchase" and row["State"] == "Pending" and row["_form"] == "202":
            left = (parse_moment(row["_ready"]) - now).total_seconds()
            body = {"ClientTransactionId": row["ClientTransactionId"], "RetryAfterSeconds": max(1, math.ceil(left))}
            return Response(202, body)
        return Response(200, self.shown(row))

    def shown(self, row: Row) -> Row:
        """A transaction as the wire has it; of a return also what the return call answered."""
        body = {name: row[name] for name in ("ServiceTransactionId", "ClientTransactionId", "State", "ErrorCode")}
        if row["Kind"] == "return":
            members = ("LicenseId", "ReturnStatus", "ReturnedUtc")
            return body | {"LineItems": []} | {name: row[name] for name in members}
        licence = self.desk.licences.get(row["LicenseId"] or "")
        return body | {"LineItems": [self._line(licence)] if licence else []}

    def _line(self, licence: Row) -> Row:
        sku = licence["Sku"]
        links = [_link("Activation", "Activate the licence", ACTIVATION.format(sku), None)]
        if licence["FulfillmentType"] != "Token":
            links.append(_link("Download", "Installer", DOWNLOAD.format(sku), licence["DownloadUntil"]))
        tokens = [
            {"SequenceNumber": str(number + 1), "Type": "ProductKey", "Description": "Product key", "Code": code}
            for number, code in enumerate([licence["Code"]] * self.desk.tokens)
        ]
        return {
            "LineNumber": 1,
            "Sku": sku,
            "FulfillmentType": licence["FulfillmentType"],
            "LicenseId": licence["LicenseId"],
            "Tokens": tokens,
            "Links": links,
        }


def _terms(product: Row) -> Row:
    """What a purchase keeps of the product as it is now, whatever becomes of it later."""
    return {name: product[name] for name in ("FulfillmentType", "ReturnType", "ReturnWindowDays")}


def _link(kind: str, description: str, uri: str, until: str | None) -> Row:
    return {
        "Type": kind,
        "Description": description,
        "Uri": uri,
        "ExpirationDate": until,
        "ExpirationDateSpecified": until is not None,
    }


def _order(body: dict[str, Any]) -> Row:
    """What a purchase asks for, checked for form. Raises ``InvalidRequest``."""
    reference = guid_of(body, "ClientTransactionId")
    lines = body.get("lineitems")
    if not isinstance(lines, list) or len(lines) != 1 or not isinstance(lines[0], dict):
        raise problem("InvalidRequest", "LineItems must hold exactly one line.", transaction=reference)
    line = lines[0]
    # A truth value is a number to Python, but none on the wire.
    if line.get("linenumber") != 1 or line.get("quantity") != 1 or isinstance(line.get("quantity"), bool):
        raise problem("InvalidRequest", "LineNumber and Quantity must be 1.", transaction=reference)
    language = text_of(body, "Language", 10)
    if language.lower() not in {known.lower() for known in esd.LANGUAGES}:
        raise problem("InvalidRequest", f"Language {language} is not known.", transaction=reference)
    return {
        "ClientTransactionId": reference,
        "ChannelId": text_of(body, "ChannelId", 50),
        "Country": text_of(body, "Country", 2).upper(),
        "Language": language.lower(),
        "Currency": text_of(body, "Currency", 3).upper(),
        "PurchaseOrder": text_of(body, "PurchaseOrder", 11),
        "Sku": text_of(line, "Sku", 32),
    }
