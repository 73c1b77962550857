"""A plain client of the CIS twin for its own tests: certificate, assertion, token, and shortcuts to buy and return."""

import base64
import datetime as dt
import functools
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import jwt
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from sandbox.seed import esd
from tests.twins import Twins

RESOURCE = "https://sandbox.esd.channelinclusion.microsoft.com/"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
GREECE, STATES, GERMANY = esd.CLIENTS
OFFICE = "T5D-06798"
NOT_RETURNABLE = "4YR-00354"
FOURTEEN_DAYS = "QQ2-01897"
NOT_TOLD = "164-07924"


@dataclass(frozen=True)
class Pair:
    """A key and its certificate."""

    key: rsa.RSAPrivateKey
    pem: str
    x5t: str
    thumbprint: str


@functools.cache
def made_pair(name: str = "esd.example.com", valid_days: int = 30) -> Pair:
    """A self-signed certificate; a negative number of days makes one that is over."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=60))
        .not_valid_after(now + dt.timedelta(days=valid_days))
        .sign(key, hashes.SHA256())
    )
    print_ = certificate.fingerprint(hashes.SHA1())  # noqa: S303 - What a thumbprint is defined with.
    x5t = base64.urlsafe_b64encode(print_).decode().rstrip("=")
    return Pair(key, certificate.public_bytes(Encoding.PEM).decode(), x5t, print_.hex().upper())


class Distributor:
    """Calls the twin as the distributor of one country."""

    def __init__(self, twin: Twins, client: esd.Client = GREECE, pair: Pair | None = None) -> None:
        self.twin = twin
        self.client = client
        self.pair = pair or made_pair()
        self.base = f"{twin.url}/cis/v3_1"
        self.token_url = f"{twin.url}/login/{esd.TENANT}/oauth2/token"
        twin.call("POST", "/_twin/cis/certificates", json={"client_id": client.client_id, "pem": self.pair.pem})
        self._token = ""

    def assertion(self, *, pair: Pair | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A client assertion; claims of value ``None`` are left out."""
        pair, now = pair or self.pair, int(time.time())
        usual = {
            "aud": self.token_url,
            "iss": self.client.client_id,
            "sub": self.client.client_id,
            "jti": str(uuid4()),
            "nbf": now,
            "exp": now + 600,
        }
        given = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode(given, pair.key, algorithm="RS256", headers=header or {"x5t": pair.x5t})

    def ask_token(self, assertion: str = "", **form: str) -> requests.Response:
        usual = {
            "grant_type": "client_credentials",
            "resource": RESOURCE,
            "client_id": self.client.client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or self.assertion(),
        }
        data = {name: value for name, value in (usual | form).items() if value}
        return requests.post(self.token_url, data=data, timeout=10)

    def refused_token(self, assertion: str = "", **form: str) -> int:
        """The AADSTS number of a refusal."""
        answer = self.ask_token(assertion, **form)
        assert answer.status_code in (400, 401), answer.text
        return int(answer.json()["error_codes"][0])

    @property
    def token(self) -> str:
        if not self._token:
            answer = self.ask_token()
            assert answer.status_code == 200, answer.text
            self._token = str(answer.json()["access_token"])
        return self._token

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        fixed = {"Authorization": f"Bearer {self.token}", "client-request-id": str(uuid4())}
        url = f"{self.base}/{path}"
        return requests.request(method, url, json=body, headers=fixed | headers, timeout=10)

    def order(self, sku: str = OFFICE, **members: Any) -> dict[str, Any]:
        """The body of a purchase."""
        return {
            "ClientTransactionId": str(uuid4()),
            "ChannelId": self.client.channel_id,
            "Country": self.client.country,
            "Language": self.client.languages[0],
            "Currency": self.client.currencies[0],
            "PurchaseOrder": "ORD-0001",
            "LineItems": [{"LineNumber": 1, "Sku": sku, "Quantity": 1}],
        } | members

    def buy(self, sku: str = OFFICE, **members: Any) -> dict[str, Any]:
        """A completed purchase."""
        answer = self.send("POST", "purchase", self.order(sku, **members))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def give_back(self, bought: dict[str, Any], **members: Any) -> requests.Response:
        body = {
            "ClientTransactionId": str(uuid4()),
            "OriginalTransactionId": bought["ClientTransactionId"],
            "LicenseId": bought["LineItems"][0]["LicenseId"],
            "SequenceNumber": "1",
            "ReasonCode": "CustomerRequest",
            "Comment": "",
        }
        return self.send("POST", "return", body | members)

    def licence(self, bought: dict[str, Any]) -> dict[str, Any]:
        answer = self.send("GET", f"licenses/{bought['LineItems'][0]['LicenseId']}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def catalogue(self, lang: str = "", page: int = 1, since: str = "", **headers: str) -> requests.Response:
        query = {"lang": lang or self.client.languages[0], "pg": str(page)}
        if since:
            query["utcUpdatesFrom"] = since
        return requests.get(
            f"{self.base}/catalog",
            params=query,
            headers={"Authorization": f"Bearer {self.token}"} | headers,
            timeout=10,
        )


def refused(answer: requests.Response) -> tuple[int, str]:
    """Status and code of an error."""
    body = answer.json()
    assert set(body) == {"ErrorCode", "Message", "TransactionId"}
    assert body["Message"]
    return answer.status_code, str(body["ErrorCode"])


def licences(twin: Twins) -> list[dict[str, Any]]:
    return twin.state("cis")["licences"]


def fault(twin: Twins, operation: str, kind: str, **values: Any) -> None:
    body = {"vendor": "cis", "operation": operation, "kind": kind, **values}
    twin.call("POST", "/_twin/faults", json=body)
