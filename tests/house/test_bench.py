"""The measurements still work: the loader fills a small data set, and a page's statements do not grow with it."""

from random import Random

import pytest
from django.db import models

from bench import dataset, load
from bench.size import Scale
from subscriptions.models import Subscription

pytestmark = pytest.mark.django_db

TINY = Scale(subscriptions=10, accounts=12, resellers=2, products=8, audit=10)


def test_loader_fills_every_table():
    market = dataset.Loader("tiny", TINY).build(buyers=2)

    assert market.counts == {
        "catalog.Product": 8,
        "catalog.Plan": 24,
        "catalog.PlanCost": 24,
        "catalog.Price": 3,
        "resellers.Account": 12,
        "resellers.Contact": 12,
        "catalog.PriceListAssignment": 12 - sum(ref.kind == "end_customer" for ref in market.accounts),
        "vendors.AccountLink": 12,
        "users.User": 2 + 4,
        "resellers.Membership": 2 + 4,
        "orders.Order": 5,
        "subscriptions.Subscription": 10,
        "orders.OrderLine": 10,
        "billing.Charge": 10,
        "subscriptions.Operation": 10,
        "core.AuditEntry": 10,
    }
