"""Fixtures of the connector's own tests: a platform and a Partner Center in memory."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from office365.client.tokens import forget_tokens
from office365.connector import Office365Connector, accounts
from provisioning.ports import AccountData, Address, AgreementAcceptance, ServiceRequest
from tests.office365.fake_server import FakeServer
from tests.office365.memory import NOW, MemoryContext

TENANT = "33333333-3333-4333-8333-333333333333"


@pytest.fixture(autouse=True)
def _fresh_tokens() -> Iterator[None]:
    forget_tokens()
    accounts._rules.clear()
    yield
    forget_tokens()


@pytest.fixture
def ctx() -> MemoryContext:
    """A context of one operation."""
    return MemoryContext()


@pytest.fixture
def server(ctx: MemoryContext) -> FakeServer:
    """A Partner Center in memory with one customer who accepted the agreement."""
    fake = FakeServer(ctx.killer)
    fake.customers[TENANT] = {
        "id": TENANT,
        "companyProfile": {"domain": "contoso.onmicrosoft.com"},
        "relationshipToPartner": "reseller",
    }
    fake.agreements.add(TENANT)
    return fake


@pytest.fixture
def connector(server: FakeServer) -> Office365Connector:
    """The connector, speaking to the server in memory."""
    return Office365Connector(http=server)  # type: ignore[arg-type]


def make_account(**changes: Any) -> AccountData:
    """A customer with everything Microsoft wants."""
    values: dict[str, Any] = {
        "id": "7",
        "name": "Elm Bakery",
        "email": "info@elm.example",
        "phone": "+1 425 555 0100",
        "first_name": "Ella",
        "last_name": "Elm",
        "address": Address("One Microsoft Way", "", "Redmond", "WA", "98052", "US"),
        "options": {"username": "admin", "domain_prefix": "elmbakery"},
        "agreement": AgreementAcceptance("Ella", "Elm", "ella@elm.example", dt.date(2026, 11, 20), "4255550100"),
    }
    return AccountData(**{**values, **changes})


def make_request(**changes: Any) -> ServiceRequest:
    """An order of three seats for the known customer."""
    values: dict[str, Any] = {
        "subscription_id": "s-1",
        "account": make_account(external_id=TENANT),
        "product_code": "CFQ7TTC0LH18:0001",
        "product_name": "Microsoft 365 Business Basic",
        "quantity": 3,
        "term": "P1Y",
        "billing_cycle": "monthly",
        "currency": "USD",
        "created_at": NOW,
    }
    return ServiceRequest(**{**values, **changes})
