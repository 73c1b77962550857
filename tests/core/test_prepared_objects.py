"""Prepared objects are what the query set itself would give, with those they point to."""

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from core.prepared import PreparedObjects
from resellers.models import Site
from tests import factories

pytestmark = pytest.mark.django_db


def by_host(host: str) -> QuerySet[Site]:
    return Site.objects.filter(host=host)


def test_objects_and_what_they_point_to_come_in_one_statement():
    organization = factories.organization()
    own = factories.site_of(organization)
    shop = factories.reseller_site(factories.account(organization, "reseller"))
    Site.objects.filter(pk=shop.pk).update(host="shop.example")
    read = PreparedObjects(by_host, "organization", "account", host="no host")

    for host, pk in (("shop.example", shop.pk), (own.host, own.pk), ("shop.example", shop.pk)):
        expected = Site.objects.select_related("organization", "account").get(pk=pk)
        with CaptureQueriesContext(connection) as captured:
            (found,) = read.read(host=host)
            seen = found.organization, found.account
        assert len(captured) == 1
        assert (found, *seen) == (expected, expected.organization, expected.account)
        for one, other in ((found, expected), (found.organization, expected.organization)):
            assert {k: v for k, v in vars(one).items() if k != "_state"} == {
                k: v for k, v in vars(other).items() if k != "_state"
            }
        assert not found._state.adding
        assert not found.get_deferred_fields()


def test_nothing_found_is_no_object():
    assert PreparedObjects(by_host, "organization", host="no host").read(host="nowhere.example") == []
