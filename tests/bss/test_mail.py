"""Outgoing mail in the BSS."""

import pytest
from django.urls import reverse

from notifications.models import MailState, OutgoingMail
from tests import factories
from tests.bss.staff import count_queries, rows_of, staff_client
from users.permissions import StaffRole

pytestmark = pytest.mark.django_db
LIST = reverse("bss:mail_list")


@pytest.fixture
def here():
    return factories.organization()


def mail(row, **values) -> OutgoingMail:
    defaults = {
        "template": "order_placed",
        "recipient": "ada@account.test",
        "sender": "shop@distributor.test",
        "subject": "Your order",
        "text": "Thank you, https://shop.test/link/abc",
        "html": "<p>Thank you</p>",
        "dedupe_key": f"key-{OutgoingMail.objects.count()}",
    }
    return OutgoingMail.objects.create(organization=row, **(defaults | values))


def page(row: OutgoingMail) -> str:
    return reverse("bss:mail_detail", args=[row.public_id])


def test_list_shows_and_filters(here):
    first = mail(here, state=MailState.SENT)
    second = mail(here, template="user_invited", subject="Welcome", state=MailState.FAILED)
    mail(factories.organization())
    client = staff_client(here, StaffRole.SUPPORT)
    assert rows_of(client.get(LIST)) == [second, first]
    assert rows_of(client.get(LIST, {"state": "failed"})) == [second]
    assert rows_of(client.get(LIST, {"template": "order_placed"})) == [first]
    assert rows_of(client.get(LIST, {"q": "welcome"})) == [second]
    assert staff_client(here, StaffRole.SALES).get(LIST).status_code == 403


def test_list_needs_as_many_queries_for_three_rows(here):
    client = staff_client(here)
    mail(here, account=factories.account(here))
    few = count_queries(client, LIST)
    mail(here, account=factories.account(here))
    mail(here, account=factories.account(here))
    assert count_queries(client, LIST) == few


def test_detail_shows_the_text_but_never_a_personal_link(here):
    open_one = mail(here, last_error="Mailbox full")
    secret = mail(here, is_secret=True)
    client = staff_client(here)
    shown = client.get(page(open_one)).content.decode()
    assert "https://shop.test/link/abc" in shown
    assert "Mailbox full" in shown
    hidden = client.get(page(secret)).content.decode()
    assert "link/abc" not in hidden
    assert "Only its recipient may read it." in hidden
    assert staff_client(factories.organization()).get(page(open_one)).status_code == 404
    assert staff_client(here, StaffRole.BILLING).get(page(open_one)).status_code == 403


def test_csv_holds_no_text(here):
    mail(here, is_secret=True)
    response = staff_client(here).get(LIST, {"format": "csv"})
    assert "link/abc" not in b"".join(response.streaming_content).decode()
