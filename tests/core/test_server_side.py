"""Reads that stand in the code are planned once for each connection, and go on where nothing can be kept."""

import os
from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from core import server_side
from core.prepared import PreparedRows
from resellers.models import Account
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def switch() -> Iterator[None]:
    yield
    server_side.is_off = False
    server_side._names.pop(connection.connection, None)


@pytest.fixture
def names() -> PreparedRows:
    return PreparedRows(
        lambda organization: (
            Account.objects.filter(organization=organization).exclude(name="100 %").order_by("name").values_list("name")
        ),
        organization=-1,
    )


def asked(read: PreparedRows, organization: int) -> tuple[list[str], list[str]]:
    with CaptureQueriesContext(connection) as captured:
        found = [row[0] for row in read.read(organization=organization)]
    return found, [query["sql"].split(" ")[0] for query in captured.captured_queries]


def kept() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements WHERE name LIKE 'cloudbss_%'")
        return [row[0] for row in cursor.fetchall()]


def test_names_are_of_this_process_alone(names: PreparedRows):
    """Processes that were forked after the first import prepare other statements under their numbers."""
    names.read(organization=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements WHERE name LIKE %s", [f"cloudbss_%_{os.getpid()}_%"])
        assert cursor.fetchall()


def test_a_statement_is_planned_once_for_a_connection(names: PreparedRows):
    here, there = factories.organization(), factories.organization()
    for organization, name in ((here, "B"), (here, "A"), (here, "100 %"), (there, "C")):
        factories.account(organization, name=name)
    before = len(kept())

    assert asked(names, here.pk) == (["A", "B"], ["PREPARE"])
    assert asked(names, there.pk) == (["C"], ["EXECUTE"])
    factories.account(there, name="D")
    assert asked(names, there.pk) == (["C", "D"], ["EXECUTE"])

    assert len(kept()) == before + 1
    assert "100 %" in kept()[-1]

    connection.close()
    assert asked(names, here.pk) == (["A", "B"], ["PREPARE"])


def test_two_statements_have_two_names(names: PreparedRows):
    here = factories.organization()
    row = factories.account(here, name="A")
    keys = PreparedRows(
        lambda organization: Account.objects.filter(organization=organization).values_list("pk"), organization=-1
    )
    for _again in range(2):
        assert keys.read(organization=here.pk) == [(row.pk,)]
        assert names.read(organization=here.pk) == [("A",)]


def lose_all() -> None:
    """What a pooler does that gives the next transaction another connection."""
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")


def test_behind_a_pooler_every_read_is_planned_anew(names: PreparedRows):
    here = factories.organization()
    factories.account(here, name="A")
    names.read(organization=here.pk)
    lose_all()

    assert asked(names, here.pk)[0] == ["A"]
    assert server_side.is_off
    assert asked(names, here.pk) == (["A"], ["SELECT"])


def test_inside_a_transaction_the_loss_fails_once(names: PreparedRows):
    here = factories.organization()
    factories.account(here, name="A")
    names.read(organization=here.pk)
    lose_all()

    with pytest.raises(DatabaseError), transaction.atomic():
        names.read(organization=here.pk)
    with transaction.atomic():
        assert asked(names, here.pk) == (["A"], ["SELECT"])


def test_a_column_that_became_another_is_read_again(names: PreparedRows):
    here = factories.organization()
    factories.account(here, name="A")
    names.read(organization=here.pk)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE resellers_account RENAME name TO former")
        cursor.execute("ALTER TABLE resellers_account ADD name text NOT NULL DEFAULT 'of another type'")
    try:
        assert asked(names, here.pk)[0] == ["of another type"]
        assert not server_side.is_off
        assert asked(names, here.pk)[1] == ["PREPARE"]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE resellers_account DROP name")
            cursor.execute("ALTER TABLE resellers_account RENAME former TO name")


def test_other_failures_are_told(names: PreparedRows):
    with pytest.raises(DatabaseError):
        names.read(organization="not a number")
    assert not server_side.is_off
