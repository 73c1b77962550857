"""Prepared reads give what the query set itself would give."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from core.prepared import PreparedRead
from orders import service_values
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import Subscription
from tests.bss.running import running
from tests.shop import Shop

pytestmark = pytest.mark.django_db
COLUMNS = ("public_id", "name", "unit_price", "created_at", "row_ends", "contact", "from_order", "said_why")


def prepared() -> PreparedRead:
    return PreparedRead(service_values.shown_services, COLUMNS)


def test_same_values_as_the_query_set(shop: Shop):
    rows = [running(shop), running(shop)]
    expected = {row[0]: row[1:] for row in service_values.shown_services().values_list("pk", *COLUMNS)}

    found = prepared().read(row.pk for row in rows)

    assert found == expected
    assert isinstance(found[rows[0].pk][COLUMNS.index("contact")], dict)


def test_compiled_once_and_asked_in_one_statement(shop: Shop):
    rows = [running(shop), running(shop)]
    read = prepared()
    read.read([rows[0].pk])
    compiled = read._compiled

    with CaptureQueriesContext(connection) as captured:
        found = read.read([row.pk for row in rows])

    assert (len(found), len(captured), read._compiled is compiled) == (2, 1, True)


def test_rows_that_are_gone_are_left_out(shop: Shop):
    row = running(shop)

    assert set(prepared().read([row.pk, row.pk + 1000])) == {row.pk}
    assert prepared().read([]) == {}


def test_time_is_that_of_each_read(shop: Shop):
    row = running(shop)
    begins = clock.now() + dt.timedelta(days=1)
    Subscription.objects.filter(pk=row.pk).update(status=SubscriptionStatus.INACTIVE, starts_at=begins)
    read = prepared()
    why = COLUMNS.index("said_why")
    before = read.read([row.pk])[row.pk][why]

    Subscription.objects.filter(pk=row.pk).update(starts_at=begins - dt.timedelta(days=2))

    assert (before, read.read([row.pk])[row.pk][why]) == ("ScheduledStart", "PendingActivation")
    assert read._compiled is not None
    assert "now" in read._compiled.open_names
