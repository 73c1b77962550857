"""What comes behind a row: decided by the first column that differs, along an index however many rows are alike."""

import datetime as dt

import pytest

from core.keyset import beyond
from resellers.models import Account
from tests import factories

pytestmark = pytest.mark.django_db
THEN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def alike() -> list[Account]:
    """Seven accounts of one moment between an older and a newer one."""
    organization = factories.organization()
    rows = [factories.account(organization, name=f"{number}") for number in range(9)]
    for days, part in ((0, rows[1:8]), (-1, rows[:1]), (1, rows[8:])):
        Account.objects.filter(pk__in=[row.pk for row in part]).update(created_at=THEN + dt.timedelta(days=days))
    return rows


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize("place", range(9))
def test_behind_each_row_come_those_that_follow_in_the_order(alike: list[Account], place: int, up: bool):
    order = ("created_at", "pk") if up else ("-created_at", "-pk")
    rows = Account.objects.filter(pk__in=[row.pk for row in alike]).order_by(*order)
    row = rows[place]

    found = rows.filter(beyond([("created_at", row.created_at), ("pk", row.pk)], up=up))

    assert list(found) == list(rows)[place + 1 :]


def test_an_empty_column_is_never_behind():
    organization = factories.organization()
    reseller = factories.account(organization, "reseller")
    wanted = factories.account(organization, "end_customer", bill_to=reseller)
    found = Account.objects.filter(beyond([("bill_to_id", 0), ("pk", 0)], up=True), organization=organization)
    assert list(found) == [wanted]
