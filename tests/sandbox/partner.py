"""A plain client of the Partner Center twin for its own tests: tokens, headers, and shortcuts to make things."""

import datetime as dt
import uuid
from typing import Any

import requests

from tests.sandbox.conftest import API
from tests.twins import Twins

SALES = "https://api.partner.microsoft.com"
ADDRESS = {
    "firstName": "Ella", "lastName": "Elm", "addressLine1": "1 Main Street", "city": "Redmond", "state": "WA",
    "postalCode": "98052", "country": "US",
}  # fmt: skip
STANDARD = "CFQ7TTC0LDPB:0001"


class Partner:
    """Calls the twin as the demo partner; ``user`` and ``app`` are its two tokens."""

    def __init__(self, twin: Twins) -> None:
        self.twin = twin
        self.base = f"{twin.url}/partner-center"
        known = twin.credentials()
        self.known = known
        self.form = {"client_id": known["client_id"], "client_secret": known["client_secret"]}
        self.token_url = f"{twin.url}/login/{known['tenant_id']}/oauth2/token"
        self.app = self._token(grant_type="client_credentials", resource=API)["access_token"]
        answer = self._token(grant_type="refresh_token", resource=API, refresh_token=known["refresh_token"])
        self.user, self.refresh_token = answer["access_token"], answer["refresh_token"]

    def mid_hour(self) -> "Partner":
        """Set the twin's clock to the middle of the hour, so that no availability id changes during a test."""
        now = dt.datetime.now(dt.UTC).replace(minute=30, second=0, microsecond=0)
        self.twin.call("POST", "/_twin/clock", json={"now": now.isoformat()})
        return self

    def _token(self, **form: str) -> dict[str, Any]:
        answer = requests.post(self.token_url, data=self.form | form, timeout=10)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def sales_token(self) -> str:
        form = {"grant_type": "refresh_token", "resource": SALES, "refresh_token": self.refresh_token}
        return str(self._token(**form)["access_token"])

    def send(
        self, method: str, path: str, body: Any = None, *, token: str = "", headers: dict[str, str] | None = None
    ) -> requests.Response:
        """A call below ``/v1``; a fresh MS-RequestId unless one is given."""
        fixed = {"Authorization": f"Bearer {token or self.app}", "MS-RequestId": str(uuid.uuid4())}
        url = self.base + (path if path.startswith("/sales") else f"/v1{path}")
        return requests.request(method, url, json=body, headers=fixed | (headers or {}), timeout=20)

    def get(self, path: str) -> Any:
        answer = self.send("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, answer: requests.Response) -> tuple[int, int]:
        """Status and code of an error."""
        return answer.status_code, int(answer.json()["code"])

    def customer_body(self, prefix: str = "elmbakery", **address: str) -> dict[str, Any]:
        return {
            "companyProfile": {"domain": f"{prefix}.onmicrosoft.com"},
            "billingProfile": {
                "email": "info@elm.example",
                "culture": "en-US",
                "language": "en",
                "companyName": "Elm Bakery",
                "defaultAddress": ADDRESS | address,
            },
        }

    def customer(self, prefix: str = "elmbakery", *, agreement: bool = True, **address: str) -> str:
        answer = self.send("POST", "/customers", self.customer_body(prefix, **address))
        assert answer.status_code == 201, answer.text
        key = str(answer.json()["id"])
        if agreement:
            assert self.accept(key).status_code == 201
        return key

    def accept(self, customer: str) -> requests.Response:
        body = {
            "primaryContact": {"firstName": "Ella", "lastName": "Elm", "email": "ella@elm.example"},
            "templateId": "117a77b0-9360-443b-8795-c6dedc750cf9",
            "dateAgreed": "2024-05-01T00:00:00Z",
            "type": "MicrosoftCustomerAgreement",
        }
        return self.send("POST", f"/customers/{customer}/agreements", body, token=self.user)

    def item(self, customer: str, code: str, term: str = "P1Y", segment: str = "commercial") -> str:
        """The catalogue item id of this hour."""
        product, sku = code.split(":")
        path = f"/customers/{customer}/products/{product}/skus/{sku}/availabilities?targetSegment={segment}"
        for row in self.get(path)["items"]:
            if any(entry.get("duration", "") == term for entry in row["terms"]):
                return str(row["catalogItemId"])
        raise AssertionError(f"{code} is not sold for {term}")

    def line(self, customer: str, code: str = STANDARD, **values: Any) -> dict[str, Any]:
        term = values.pop("term", "P1Y")
        line = {
            "id": 0,
            "catalogItemId": self.item(customer, code, term),
            "quantity": 3,
            "billingCycle": "monthly",
            "provisioningContext": {},
        }
        return line | ({"termDuration": term} if term else {}) | values

    def cart(self, customer: str, *lines: dict[str, Any], **values: Any) -> requests.Response:
        return self.send("POST", f"/customers/{customer}/carts", {"lineItems": list(lines), **values})

    def checkout(self, customer: str, cart: requests.Response) -> requests.Response:
        return self.send("POST", f"/customers/{customer}/carts/{cart.json()['id']}/checkout")

    def buy(self, customer: str, code: str = STANDARD, **values: Any) -> dict[str, Any]:
        """Buy and wait until the order is completed; the subscription, or the order of what has none."""
        cart = self.cart(customer, self.line(customer, code, **values))
        answer = self.checkout(customer, cart)
        assert answer.status_code == 201, answer.text
        order = answer.json()["orders"][0]
        assert order["status"] == "pending"
        self.twin.advance("PT6S")
        rows = self.get(f"/customers/{customer}/subscriptions?order_id={order['id']}")["items"]
        return dict(rows[0]) if rows else dict(self.get(f"/customers/{customer}/orders/{order['id']}"))

    def subscription(self, row: dict[str, Any], customer: str) -> dict[str, Any]:
        return dict(self.get(f"/customers/{customer}/subscriptions/{row['id']}"))

    def patch(self, customer: str, row: dict[str, Any], **changes: Any) -> requests.Response:
        """The whole resource as it is now, with changes."""
        body = self.subscription(row, customer) | changes
        return self.send("PATCH", f"/customers/{customer}/subscriptions/{row['id']}", body)
