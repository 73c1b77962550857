"""Employees at the BSS's door, for tests."""

import html
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from resellers.models import Account, Organization
from tests import factories

BACKEND = "sso.backends.RealmBackend"


def staff_client(row: Organization, *roles: str) -> Client:
    """A browser with an employee signed in: an Administrator unless roles are named."""
    return _client(row, factories.user(row, roles=list(roles) or None))


def customer_client(row: Organization, account: Account) -> Client:
    """A browser with a customer's Admin signed in."""
    return _client(row, factories.user(row, of=account), account)


def _client(row: Organization, user: Any, account: Account | None = None) -> Client:
    client = Client(headers={"host": factories.home_of(row, account).host})
    client.force_login(user, BACKEND)
    # The first page of a session writes when it began; later pages only read.
    client.get("/healthz")
    return client


def rows_of(response: Any) -> list[Any]:
    """The rows of a list page, in the order shown."""
    return [line["row"] for line in response.context["lines"]]


def actions_of(response: Any) -> dict[str, str]:
    """The actions above a detail page, by label, with the reason why one is not possible now."""
    return {str(action.label): action.reason for action in response.context["actions"]}


def said(response: Any) -> list[str]:
    """The messages of a page."""
    return [str(message) for message in response.context["messages"]]


def count_queries(client: Client, url: str) -> int:
    """How many statements a page needs; asked twice, so that the session's and cache's first time does not count."""
    assert client.get(url).status_code == 200
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert client.get(url).status_code == 200
    # Where the clock can be moved it is read anew every few seconds.
    return sum("core_clockoffset" not in query["sql"] for query in found.captured_queries)


def last_cell(cells: str) -> str:
    """The words of the last cell of a list's row, as the page draws it."""
    return html.unescape(strip_tags(cells.rpartition("<td")[2].partition(">")[2])).strip()
