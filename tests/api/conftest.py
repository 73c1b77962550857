"""A shop with services, and programs of the distributor and of a Standard reseller."""

import pytest

from resellers.enums import Edition
from resellers.models import Account
from subscriptions.models import Subscription
from tests.api.caller import Program, program
from tests.bss.running import running
from tests.shop import Shop, make_shop


def set_edition(account: Account, edition: str) -> None:
    Account.objects.filter(pk=account.pk).update(edition=edition)
    account.edition = edition


@pytest.fixture(scope="module")
def made_shop(module_rows: None) -> Shop:
    found = make_shop()
    set_edition(found.reseller, Edition.STANDARD)
    return found


@pytest.fixture
def service(shop: Shop) -> Subscription:
    """A running service of the direct customer."""
    return running(shop)


@pytest.fixture
def resold(shop: Shop) -> Subscription:
    """A running service of the reseller's end customer."""
    row = running(shop, quantity=3)
    values = {"account": shop.end_customer, "bill_to": shop.reseller, "purchase_mode": "end_customer"}
    Subscription.objects.filter(pk=row.pk).update(**values)
    row.refresh_from_db()
    return row


@pytest.fixture
def distributor(shop: Shop) -> Program:
    return program(shop)


@pytest.fixture
def reseller(shop: Shop) -> Program:
    return program(shop, of=shop.reseller)
