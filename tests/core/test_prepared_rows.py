"""A prepared statement says what its query set would, with the values of each read and of nobody else."""

import datetime as dt

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from core.among import Among
from core.prepared import PreparedRows
from resellers.models import Account
from tests import factories

pytestmark = pytest.mark.django_db


def rows(organization, since, keys=None):
    found = Account.objects.filter(organization=organization, created_at__gte=since)
    found = found if keys is None else found.filter(Among(F("pk"), keys))
    return found.order_by("name").values_list("name", "credit_limit", "public_id")


def test_values_are_those_of_each_read():
    here, there = factories.organization(), factories.organization()
    one, two = factories.account(here, name="B"), factories.account(here, name="A")
    other = factories.account(there, name="C")
    begin, end = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
    prepared = PreparedRows(rows, organization=-1, since=dt.datetime(1, 2, 3, tzinfo=dt.UTC), keys=[-2])
    every = [one.pk, two.pk, other.pk]
    for organization, since, keys in (
        (here.pk, begin, every), (there.pk, begin, every), (here.pk, end, every), (here.pk, begin, [one.pk]),
        (here.pk, begin, []),
    ):  # fmt: skip
        with CaptureQueriesContext(connection) as asked:
            found = prepared.read(organization=organization, since=since, keys=keys)
        assert (found, len(asked)) == (list(rows(organization, since, keys)), 1)
    assert [row[0] for row in prepared.read(organization=here.pk, since=begin, keys=every)] == ["A", "B"]


def test_a_value_the_statement_does_not_ask_for_is_a_mistake():
    prepared = PreparedRows(
        lambda organization, since: rows(organization, dt.datetime.now(dt.UTC)), organization=-1, since=-2
    )
    with pytest.raises(ValueError, match="says nothing of since"):
        prepared.read(organization=1, since=2)


def test_what_never_changes_is_written_out_as_it_is():
    odd = "100 % of 'it' \\ %s %% \N{GREEK SMALL LETTER OMEGA}"
    organization = factories.organization()
    wanted = factories.account(organization, name=odd)
    factories.account(organization, name="another")
    prepared = PreparedRows(
        lambda organization: Account.objects.filter(organization=organization, name__contains=odd).values_list("pk"),
        organization=-1,
    )
    assert prepared.read(organization=organization.pk) == [(wanted.pk,)]
    assert prepared.read(organization=-5) == []
    assert prepared._compiled is not None
    assert prepared._compiled.open_names == ("organization",)
