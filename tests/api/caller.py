"""A program that calls the API in tests: it has a token and speaks JSON."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from clients.models import ApiClient
from clients.services.clients import create_client
from resellers.models import Account
from tests.shop import Shop


@dataclass
class Program:
    """An application user with its secret and, after ``sign_in``, its token."""

    shop: Shop
    client: ApiClient
    secret: str
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def fetch_token(self, form: dict[str, str] | None = None, *, secret: str = "", key: str = "") -> Any:
        """The answer of the token endpoint."""
        pair = base64.b64encode(f"{key or self.client.key}:{secret or self.secret}".encode()).decode()
        values = {"grant_type": "client_credentials"} if form is None else form
        text = "&".join(f"{name}={value}" for name, value in values.items())
        return Client(headers={"host": self.shop.site.host, "authorization": f"Basic {pair}"}).post(
            "/oauth/token", text, content_type="application/x-www-form-urlencoded"
        )

    def sign_in(self, scope: str = "") -> "Program":
        """Fetch a token and keep it."""
        form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        answer = self.fetch_token(form)
        assert answer.status_code == 200, answer.content
        self.token = answer.json()["access_token"]
        return self

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Call an address; ``body`` is sent as JSON."""
        known = {"host": self.shop.site.host, "authorization": f"Bearer {self.token}", **self.headers}
        known |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = b"" if body is None else json.dumps(body).encode()
        content_type = "application/json" if body is not None else ""
        client = Client(headers=known, raise_request_exception=False)
        return client.generic(method, path, data, content_type=content_type)

    def get(self, path: str, **headers: str) -> Any:
        """GET an address."""
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """POST to an address."""
        return self.call("POST", path, body, **headers)


def program(shop: Shop, *, of: Account | None = None, scopes: tuple[str, ...] = ()) -> Program:
    """A signed-in program of the organization, or of a reseller."""
    client, secret = create_client(shop.staff, account=of, name="Sync", scopes=scopes)
    return Program(shop, client, secret).sign_in()
