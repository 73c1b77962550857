"""The quick way to empty the database after a test that commits: every row goes, what Django itself made stays."""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection
from django.test import TransactionTestCase

from core.clock import ClockOffset
from resellers.models import Account, Organization
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def own() -> tuple[list[int], list[int]]:
    return (
        list(ContentType.objects.order_by("pk").values_list("pk", flat=True)),
        list(Permission.objects.order_by("pk").values_list("pk", flat=True)),
    )


def test_every_row_goes_and_djangos_own_stay():
    before = own()
    factories.account(factories.organization())
    TransactionTestCase()._fixture_teardown()
    assert (Organization.objects.count(), Account.objects.count()) == (0, 0)
    assert own() == before
    assert min(map(len, before)) > 0


def test_constraints_hold_again_afterwards():
    TransactionTestCase()._fixture_teardown()
    with connection.cursor() as cursor:
        cursor.execute("SHOW session_replication_role")
        assert cursor.fetchone() == ("origin",)
    with pytest.raises(IntegrityError):
        ClockOffset.objects.create(pk=2)
