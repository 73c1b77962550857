"""No statement of a page or a call may hold a connection for good; workers and commands may take their time."""

from collections.abc import Sequence
from importlib import reload
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse

import cloudbss.wsgi
from api.views.subscriptions import SubscriptionList
from bss import widgets
from bss.views.orders import OrderList
from core.statement_limit import limit_statements, was_stopped
from tests.api.caller import program
from tests.bss.staff import staff_client
from tests.shop import make_shop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def limited():
    """A process with a limit of a tenth of a second, on a new connection."""
    limit_statements(0.1)
    connection.close()
    yield
    limit_statements(0)
    connection.close()


def limit_of_the_connection() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return str(cursor.fetchone()[0])


def sleep(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


def slow(*args: object, **kwargs: object) -> HttpResponse:
    sleep(5)
    return HttpResponse("never")


def test_the_limit_is_on_every_new_connection(limited):
    assert limit_of_the_connection() == "100ms"
    connection.close()
    assert limit_of_the_connection() == "100ms"


def test_nought_means_no_limit(limited):
    limit_statements(0)
    connection.close()
    assert limit_of_the_connection() == "0"


def test_what_was_stopped_is_told_from_other_failures(limited):
    with pytest.raises(OperationalError) as stopped:
        sleep(5)
    assert was_stopped(stopped.value)
    assert not was_stopped(OperationalError("gone"))


def test_the_web_process_sets_the_limit_of_the_settings(limited, settings):
    settings.WEB_STATEMENT_SECONDS = 7
    reload(cloudbss.wsgi)
    connection.close()
    assert limit_of_the_connection() == "7s"


def test_a_page_that_takes_too_long_says_so(limited, monkeypatch):
    client = staff_client(make_shop().organization)
    monkeypatch.setattr(OrderList, "_page", slow)
    response = client.get(reverse("bss:order_list"))
    assert (response.status_code, response["Retry-After"]) == (503, "30")
    assert "This took too long and was stopped." in response.content.decode()
    monkeypatch.undo()
    assert client.get(reverse("bss:order_list")).status_code == 200


def test_an_overview_whose_counts_take_too_long_does_not_count_each_alone(limited, monkeypatch):
    client, tried = staff_client(make_shop().organization), []

    def count(lists: Sequence[QuerySet[Any]]) -> list[int]:
        tried.append(len(lists))
        sleep(5)
        return []

    monkeypatch.setattr(widgets, "count_many", count)
    assert client.get(reverse("bss:dashboard")).status_code == 503
    assert len(tried) == 1


def test_a_call_of_the_api_that_takes_too_long_may_be_repeated(limited, monkeypatch):
    distributor = program(make_shop())
    monkeypatch.setattr(SubscriptionList, "get", slow)
    response = distributor.get("/api/subscriptions")
    assert (response.status_code, response["Retry-After"]) == (503, "30")
    assert response.json()["code"] == "took_too_long"
    assert "too long" in response.content.decode()
