"""Fixtures of the catalogue's tests."""

import pytest

from resellers.models import Account, Site
from tests import factories
from tests.shop import Shop, make_shop


@pytest.fixture(scope="module")
def made_shop(module_rows: None) -> Shop:
    """A Standard reseller with a site of his own, whose purchase price is 12.00 EUR."""
    made = make_shop()
    Account.objects.filter(pk=made.reseller.pk).update(edition="standard")
    made.reseller.refresh_from_db()
    made.reseller_admin = factories.actor(made.organization, of=made.reseller)
    return made


@pytest.fixture
def site(shop: Shop) -> Site:
    """His site, open to visitors with prices."""
    return Site.objects.create(
        organization=shop.organization,
        account=shop.reseller,
        name="Cedar",
        alias="cedar",
        anonymous_access=True,
        anonymous_prices=True,
    )


@pytest.fixture
def at_site(site: Site) -> Site:
    """His site at the host that test browsers ask."""
    site.host = "testserver"
    site.save()
    return site
