"""The audit log in the BSS: the list with its filters, one entry, and who may read what of it."""

import pytest
from django.urls import reverse

from core import audit
from core.audit import AuditEntry
from resellers.models import Organization
from tests import factories
from tests.bss.staff import count_queries, customer_client, rows_of, staff_client
from tests.shop import fill_basket, place
from users.permissions import StaffRole

pytestmark = pytest.mark.django_db
LIST = reverse("bss:audit_list")


@pytest.fixture
def here() -> Organization:
    return factories.organization()


def detail(entry: AuditEntry) -> str:
    return reverse("bss:audit_detail", args=[entry.public_id])


def test_list_shows_own_entries_in_words_newest_first(shop):
    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    audit.record(factories.actor(factories.organization()), "order.placed", factories.organization())
    response = staff_client(shop.organization).get(LIST)
    rows = rows_of(response)
    assert {row.organization for row in rows} == {shop.organization}
    assert [row.pk for row in rows] == sorted((row.pk for row in rows), reverse=True)
    text = response.content.decode()
    for words in ("Order placed", order.number, reverse("bss:order_detail", args=[order.public_id])):
        assert words in text


@pytest.mark.parametrize(
    ("role", "status"),
    [(StaffRole.READ_ONLY, 200), (StaffRole.SALES, 403), (StaffRole.BILLING, 403), (StaffRole.SUPPORT, 403)],
)
def test_log_is_for_administrators_and_readers(shop, role, status):
    entry = audit.record(shop.staff, "order.placed", shop.customer, account=shop.customer)
    client = staff_client(shop.organization, role)
    assert [client.get(url).status_code for url in (LIST, detail(entry))] == [status, status]
    assert staff_client(factories.organization()).get(detail(entry)).status_code == 404
    assert customer_client(shop.organization, shop.customer).get(LIST).status_code == 403


def test_links_lead_only_where_the_reader_may_go(shop):
    entry = audit.record(shop.staff, "instance.saved", shop.instance)
    url = reverse("bss:instance_detail", args=[shop.instance.public_id])
    for page in (LIST, detail(entry)):
        assert url in staff_client(shop.organization).get(page).content.decode()
        assert url not in staff_client(shop.organization, StaffRole.READ_ONLY).get(page).content.decode()


def test_object_without_a_page_leads_to_its_account(shop):
    contact = shop.customer.contacts.get()
    entry = audit.record(shop.staff, "contact.saved", contact)
    page = staff_client(shop.organization).get(detail(entry)).content.decode()
    assert reverse("bss:account_detail", args=[shop.customer.public_id]) in page


def test_list_is_filtered_and_searched(shop):
    client = staff_client(shop.organization)
    first = audit.record(shop.customer_admin, "order.placed", shop.customer, account=shop.customer)
    other = audit.record(shop.staff, "contact.saved", shop.reseller, account=shop.reseller)
    asked = {
        "what": "order.placed",
        "by": "customer",
        "who": shop.customer_admin.label,
        "account": shop.customer.name,
    }
    for name, value in asked.items():
        rows = rows_of(client.get(LIST, {name: value}))
        assert first in rows
        assert other not in rows
    assert rows_of(client.get(LIST, {"kind": "resellers.account", "what": "contact.saved"})) == [other]
    day = f"{first.at:%Y-%m-%d}"
    assert first in rows_of(client.get(LIST, {"day_from": day, "day_to": day, "what": "order.placed"}))
    assert rows_of(client.get(LIST, {"day_to": "2000-01-01"})) == []
    assert set(rows_of(client.get(LIST, {"q": str(shop.reseller.public_id), "what": "contact.saved"}))) == {other}
    assert rows_of(client.get(LIST, {"q": "no-such-request"})) == []


def test_entry_is_found_by_its_request(shop):
    client = staff_client(shop.organization)
    client.post(reverse("bss:account_edit", args=[shop.customer.public_id]), {})
    response = client.post(reverse("bss:account_hold", args=[shop.customer.public_id]), {"reason": "Late payment"})
    assert response.status_code == 302
    entry = AuditEntry.objects.get(action="account.status")
    assert entry.request_id
    page = client.get(detail(entry)).content.decode()
    assert f"{LIST}?q={entry.request_id}" in page
    assert entry in rows_of(client.get(LIST, {"q": entry.request_id}))


def test_detail_shows_the_difference(shop):
    client = staff_client(shop.organization)
    client.post(reverse("bss:account_hold", args=[shop.customer.public_id]), {"reason": "Late payment"})
    entry = AuditEntry.objects.get(action="account.status")
    response = client.get(detail(entry))
    text = response.content.decode()
    assert [(item.label, item.before, item.after) for item in response.context["difference"]] == [
        ("Status", "Active", "On hold")
    ]
    for words in ("<del>Active</del>", "<ins>On hold</ins>", "Late payment", "Account status changed", "127.0.0.1"):
        assert words in text


def test_secrets_and_scripts_stay_what_they_are(shop):
    entry = audit.record(
        shop.staff, "instance.saved", shop.instance, after={"client_secret": "hunter2", "name": "<script>x</script>"}
    )
    text = staff_client(shop.organization).get(detail(entry)).content.decode()
    assert "hunter2" not in text
    assert "<script>x" not in text
    assert "•••" in text


def test_reader_without_cost_does_not_see_prices_being_set(shop):
    entry = audit.record(shop.staff, "price.set", shop.customer, after={"rule": "markup", "value": "17.5"})
    assert "17.5" not in staff_client(shop.organization, StaffRole.READ_ONLY).get(detail(entry)).content.decode()
    assert "17.5" in staff_client(shop.organization).get(detail(entry)).content.decode()


def test_list_is_downloaded_without_markup(shop):
    audit.record(shop.customer_admin, "order.placed", shop.customer, account=shop.customer, on_behalf_of="Somebody")
    sent = b"".join(staff_client(shop.organization).get(LIST, {"format": "csv"}).streaming_content).decode()
    assert "Order placed" in sent
    assert "Somebody" in sent
    assert "<a " not in sent


def test_list_needs_as_many_queries_for_many_rows(here):
    client = staff_client(here)
    actor = factories.actor(here)
    for _round in range(2):
        row = factories.account(here)
        audit.record(actor, "account.updated", row, account=row)
    few = count_queries(client, LIST)
    for _round in range(5):
        row = factories.account(here)
        audit.record(actor, "account.updated", row, account=row)
    assert count_queries(client, LIST) == few


def test_nobody_writes_here(shop):
    entry = audit.record(shop.staff, "order.placed", shop.customer)
    client = staff_client(shop.organization)
    before = AuditEntry.objects.count()
    assert [client.post(url).status_code for url in (LIST, detail(entry))] == [405, 405]
    assert AuditEntry.objects.count() == before
