"""The control surface of the CIS twin, below ``/_twin/cis`` on loopback, JSON in and out.

| call | does |
|---|---|
| ``GET /_twin/cis/clients`` | the client ids with country, channel, languages, currencies |
| ``POST /_twin/cis/certificates`` | ``{"client_id", "pem"}``: the client may sign assertions with this certificate |
| ``GET``, ``DELETE /_twin/cis/certificates`` | thumbprints; all off, or with ``?client_id=`` those of one client |
| ``GET /_twin/cis/catalog`` | version and number of products by country |
| ``POST /_twin/cis/catalog`` | ``{"country", "changes"?, "fill"?, "page_size"?}``: a new version of the catalogue |
| ``POST /_twin/cis/stock`` | ``{"sku", "available", "country"?}``: a SKU is out of stock, or available again |
| ``POST /_twin/cis/pending`` | ``{"seconds", "form"?, "outcome"?, "error_code"?}``: purchases wait; 0 = at once again |
| ``POST /_twin/cis/redeem`` | ``{"license_id"}`` or ``{"client_reference"}``: the end customer uses the key |

Registered certificates stay over a reset, as an application's registration does.
"""

from collections.abc import Callable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.cis.answers import stamp
from sandbox.cis.desk import Desk, Row
from sandbox.cis.drift import redeem
from sandbox.cis.faults import pending_of
from sandbox.cis.pages import CatalogueCalls
from sandbox.login_keys import thumbprints
from sandbox.router import Handler
from sandbox.seed import esd
from sandbox.wire import Request, Response, WireError

MOST_CHANGES = 5000


class Controls:
    """The calls of people and tests who play Microsoft or the end customer."""

    def __init__(self, desk: Desk, pages: CatalogueCalls) -> None:
        self.desk = desk
        self.pages = pages

    def calls(self) -> list[tuple[str, str, Handler]]:
        """Method, path and handler of each call."""
        return [
            ("GET", "/cis/clients", self.clients),
            ("GET", "/cis/certificates", self.certificates),
            ("POST", "/cis/certificates", _checked(self.add_certificate)),
            ("DELETE", "/cis/certificates", self.forget_certificates),
            ("GET", "/cis/catalog", self.catalogue),
            ("POST", "/cis/catalog", _checked(self.change_catalogue)),
            ("POST", "/cis/stock", _checked(self.stock)),
            ("POST", "/cis/pending", _checked(self.pending)),
            ("POST", "/cis/redeem", _checked(self.redeem)),
        ]

    def clients(self, request: Request) -> Response:
        """Who may sign in."""
        return Response(200, {"clients": [client_row(client) for client in esd.CLIENTS]})

    # --- Certificates ---

    def certificates(self, request: Request) -> Response:
        """The registered certificates by client."""
        rows = [
            {"client_id": client.client_id, "country": client.country, **_described(pem)}
            for client in esd.CLIENTS
            for pem in self.desk.world.login.certificates(client.client_id)
        ]
        return Response(200, {"certificates": rows})

    def add_certificate(self, request: Request) -> Response:
        """Register a certificate."""
        spec = request.json()
        client = self.desk.clients.get(str(spec["client_id"]).lower())
        if client is None:
            raise ValueError("client_id is not one of GET /_twin/cis/clients")
        described = _described(str(spec["pem"]))
        self.desk.world.login.add_certificate(str(spec["pem"]), client.client_id)
        return Response(201, {"client_id": client.client_id, "country": client.country, **described})

    def forget_certificates(self, request: Request) -> Response:
        """All certificates off, or those of one client."""
        for key in self.desk.clients:
            if request.query.get("client_id", key).lower() == key:
                self.desk.world.login.forget_certificates(key)
        return self.certificates(request)

    # --- Catalogue ---

    def catalogue(self, request: Request) -> Response:
        """What is on sale."""
        return Response(200, {"countries": [self._country(country) for country in esd.EVERYWHERE]})

    def _country(self, country: str) -> dict[str, Any]:
        catalogue = self.desk.catalogue
        return {
            "country": country,
            "version": catalogue.version(country),
            "products": len(catalogue.listing(country)),
            "page_size": self.pages.page_size,
        }

    def change_catalogue(self, request: Request) -> Response:
        """Apply changes, all or none; the version rises by one."""
        spec = request.json()
        country = str(spec["country"]).upper()
        if country not in esd.EVERYWHERE:
            raise ValueError(f"country is one of {', '.join(esd.EVERYWHERE)}")
        changes = spec.get("changes") or []
        if len(changes) > MOST_CHANGES:
            raise ValueError(f"at most {MOST_CHANGES} changes at once")
        self.desk.catalogue.change_all(country, changes, request.now)
        if "fill" in spec:
            self.desk.catalogue.fill(country, int(spec["fill"]), request.now)
        if spec.get("page_size"):
            self.desk.settings.put("page_size", {"value": max(1, min(1000, int(spec["page_size"])))})
        self.desk.catalogue.move(country)
        return Response(200, self._country(country))

    # --- Switches ---

    def stock(self, request: Request) -> Response:
        """A SKU runs out of stock, or is there again, in one country or in all."""
        spec = request.json()
        for country in [str(spec["country"]).upper()] if spec.get("country") else esd.EVERYWHERE:
            key = f"{country}:{spec['sku']}"
            if spec.get("available"):
                self.desk.stock.delete(key)
            elif self.desk.catalogue.product(country, str(spec["sku"])) is not None:
                self.desk.stock.put(key, {"sku": spec["sku"], "country": country})
        return Response(200, {"out_of_stock": self.desk.stock.values()})

    def pending(self, request: Request) -> Response:
        """Purchases wait from now on, or are decided at once again."""
        found = pending_of(request.json())
        if found["seconds"]:
            self.desk.settings.put("pending", found)
        else:
            self.desk.settings.delete("pending")
        return Response(200, {"pending": self.desk.settings.get("pending")})

    def redeem(self, request: Request) -> Response:
        """The end customer uses a key; 409 if it was used or returned before."""
        licence = self._licence(request.json())
        if licence["TokenStatus"] != "Activated":
            raise WireError(409, {"error": f"The token is {licence['TokenStatus']}."})
        return Response(200, licence_row(redeem(self.desk, licence)))

    def _licence(self, spec: dict[str, Any]) -> Row:
        key, reference = str(spec.get("license_id") or "").lower(), str(spec.get("client_reference") or "").lower()
        found = self.desk.licences.get(key)
        if found is None and reference:
            found = next((row for row in self.desk.licences.values() if row["_ref"] == reference), None)
        if found is None:
            raise WireError(404, {"error": "There is no such licence. Give 'license_id' or 'client_reference'."})
        return found


def client_row(client: esd.Client) -> dict[str, Any]:
    """A client as people read it."""
    return {
        "client_id": client.client_id,
        "country": client.country,
        "channel_id": client.channel_id,
        "languages": [*client.languages, "ww-WW"],
        "currencies": list(client.currencies),
    }


def licence_row(row: Row) -> dict[str, Any]:
    """A licence as ``/_twin/state`` shows it: never with its token, of which only the last five signs are told."""
    names = ("Sku", "Country", "Currency", "FulfillmentType", "TokenStatus", "ReturnStatus")
    dates = ("RedeemedUtc", "ReturnableUntilUtc", "UpdatedUtc")
    return {
        "id": row["LicenseId"],
        "kind": "licence",
        "status": row["TokenStatus"],
        "quantity": 1,
        "client_reference": row["_ref"],
        "created": row["_created"],
        **{name: row[name] for name in (*names, *dates)},
        "service_transaction_id": row["_service"],
        "client_id": row["_client"],
        "token_end": row["Code"][-5:],
    }


def _described(pem: str) -> dict[str, Any]:
    """Thumbprints, subject and validity of a certificate. Raises ``ValueError``."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    if not isinstance(certificate.public_key(), rsa.RSAPublicKey):
        raise ValueError("the certificate holds no RSA key")
    return {
        # SHA-1 is what the thumbprint is defined with; nothing is protected by it.
        "thumbprint": certificate.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303
        "x5t": thumbprints(pem)["x5t"],
        "subject": certificate.subject.rfc4514_string(),
        "not_before": stamp(certificate.not_valid_before_utc),
        "not_after": stamp(certificate.not_valid_after_utc),
    }


def _checked(handler: Handler) -> Callable[[Request], Response]:
    """A handler whose complaints about its input are answered with 400."""

    def answer(request: Request) -> Response:
        try:
            return handler(request)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise WireError(400, {"error": f"The request is not understood: {error!r}"}) from error

    return answer
