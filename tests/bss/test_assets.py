"""Assets and their returns in the BSS: lists, page, key, deeds, decisions, desk and ledger."""

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from billing.models import Charge, ChargeKind, ChargeState
from core.audit import AuditEntry
from core.jobs import Job
from resellers.models import Account
from subscriptions.asset_enums import AssetStatus, DeliveryNote
from subscriptions.enums import OperationState, Purpose, RequestStatus, Verb
from subscriptions.models import Asset, AssetReturn, Operation
from subscriptions.services.returns import submit_return
from tests import factories
from tests.bss.staff import actions_of, count_queries, rows_of, said, staff_client
from tests.shop import Shop, make_shop
from tests.storefront.services import HTMX, text_of
from users.permissions import StaffRole
from vendors.models import SyncStatus

pytestmark = pytest.mark.django_db
KEY = "W269N-WFGWX-YVC9B-4J6C9-T83GX"
LIST = "bss:asset_list"


@pytest.fixture
def row(shop: Shop) -> Asset:
    made = factories.asset(shop.product, account=shop.customer, key=KEY)
    charged(made)
    return made


def charged(row: Asset) -> Charge:
    """What the asset was charged with."""
    return Charge.objects.create(
        organization_id=row.organization_id,
        payer=row.bill_to,
        account=row.account,
        asset=row,
        source=f"order-line:{row.public_id}",
        order_number=row.order_number,
        state=ChargeState.DUE,
        description=row.name,
        currency="EUR",
        net=Decimal("149.00"),
        tax_percent=Decimal(19),
        tax=Decimal("28.31"),
        gross=Decimal("177.31"),
    )


def failed(shop: Shop, *, order_number: str = "A-1", state: str = OperationState.ATTENTION) -> Asset:
    """A licence whose purchase needs a person."""
    row = factories.asset(
        shop.product,
        account=shop.customer,
        key="",
        sync_status=SyncStatus.FAILED,
        sync_note="The vendor's own words",
        order_number=order_number,
    )
    Operation.objects.create(
        organization_id=row.organization_id,
        asset=row,
        account=row.account,
        instance=row.instance,
        verb=Verb.ASSET_CREATE,
        purpose=Purpose.PROVISION,
        state=state,
        code="misconfigured",
        message="The vendor's own words",
        order_number=order_number,
        requested_by="Ada",
    )
    return row


def url(row: Any, name: str = "detail", kind: str = "asset") -> str:
    return reverse(f"bss:{kind}_{name}", args=[row.public_id])


def test_list_shows_the_organizations_licences_only(shop, row):
    other = make_shop()
    factories.asset(other.product, account=other.customer)
    assert rows_of(staff_client(shop.organization).get(reverse(LIST))) == [row]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "active"}, True),
        ({"status": "cancelled"}, False),
        ({"token": "activated"}, True),
        ({"token": "redeemed"}, False),
        ({"sync": "synchronized"}, True),
        ({"sync": "failed"}, False),
        ({"mail": "failed"}, False),
        ({"account": "nobody"}, False),
        ({"q": "T83GX"}, False),
        ({"q": KEY}, False),
    ],
)
def test_list_filters(shop, row, query, found):
    assert rows_of(staff_client(shop.organization).get(reverse(LIST), query)) == ([row] if found else [])


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_files_have_no_key(shop, row, kind):
    response = staff_client(shop.organization).get(reverse(LIST), {"format": kind})
    body = b"".join(response) if response.streaming else response.content
    assert (response.status_code, KEY.encode() in body, b"T83GX" in body) == (200, False, False)


@pytest.mark.parametrize("page", [LIST, "bss:return_list"])
def test_lists_need_as_many_statements_for_many_rows(shop, row, page):
    client = staff_client(shop.organization)
    submit_return(shop.customer_admin, asset=row)
    few = count_queries(client, reverse(page))
    for _number in range(3):
        submit_return(shop.customer_admin, asset=factories.asset(shop.product, account=shop.customer))
    assert count_queries(client, reverse(page)) == few


def test_page_says_what_staff_must_know(shop, row):
    Asset.objects.filter(pk=row.pk).update(warning="Compare it", delivery_note=DeliveryNote.FAILED)
    text = text_of(staff_client(shop.organization).get(url(row)))
    for words in (row.external_id, row.transaction_id, "Compare it", "Mail not delivered", "•••••-T83GX", "177.31"):
        assert words in text
    assert KEY not in text


def test_reveal_is_for_support_and_administrators(shop, row):
    for role, status in ((StaffRole.SALES, 403), (StaffRole.READ_ONLY, 403), (StaffRole.SUPPORT, 200)):
        client = staff_client(shop.organization, role.value)
        answer = client.post(url(row, "key"), headers=HTMX)
        assert (answer.status_code, KEY in answer.content.decode()) == (status, status == 200)
        assert ("Reveal" in client.get(url(row)).content.decode()) == (status == 200)
    whole = staff_client(shop.organization).post(url(row, "key"))
    assert (KEY in whole.content.decode(), "no-store" in whole["Cache-Control"]) == (True, True)
    assert AuditEntry.objects.filter(object_id=row.public_id, action="asset.key_revealed").count() == 2


def test_foreign_assets_and_requests_are_not_there(shop, row):
    request = submit_return(shop.customer_admin, asset=row)
    client = staff_client(make_shop().organization)
    for name in ("detail", "key", "refresh", "resend", "cancel", "retry", "give_up"):
        assert client.get(url(row, name)).status_code == 404
        if name != "detail":
            assert client.post(url(row, name), {"reason": "Because of it"}).status_code == 404
    for name in ("accept", "reject"):
        assert client.post(url(request, name, "return"), {"reason": "Because of it"}).status_code == 404
    request.refresh_from_db()
    assert request.status == RequestStatus.SUBMITTED


def test_actions_say_why_they_are_closed(shop, row):
    client = staff_client(shop.organization)
    assert actions_of(client.get(url(row))) == {"Refresh status": "", "Resend e-mail": "", "Cancel": ""}
    found = actions_of(client.get(url(failed(shop))))
    assert (found["Retry"], found["Give up"]) == ("", "")
    assert found["Cancel"] == "Wait until the licence is ready, or ask for the order line to be given up."
    assert actions_of(staff_client(shop.organization, StaffRole.READ_ONLY.value).get(url(row))) == {}


def test_staff_cancel_at_once(shop, row):
    answer = staff_client(shop.organization).post(url(row, "cancel"), {"comment": "Wrong order"})
    assert answer.url == url(row)
    request = AssetReturn.objects.get()
    assert (request.status, request.comment) == (RequestStatus.ACCEPTED, "Wrong order")
    assert request.operation.verb == Verb.ASSET_CANCEL
    assert staff_client(shop.organization).post(url(row, "cancel"), {"comment": ""}).status_code == 400


def test_refresh_is_a_job(shop, row):
    client = staff_client(shop.organization)
    assert client.post(url(row, "refresh")).url == url(row)
    assert [job.kind for job in Job.objects.all()] == ["provisioning.refresh_asset"]
    assert "Being read at the vendor" in text_of(client.get(url(row)))


def test_mail_goes_to_another_address_of_the_account(shop, row):
    person = factories.user(shop.organization, of=shop.customer)
    client = staff_client(shop.organization)
    assert client.post(url(row, "resend"), {"email": person.email}).url == url(row)
    assert client.post(url(row, "resend"), {"email": shop.organization.email}).status_code == 400
    assert AuditEntry.objects.get(action="asset.resent").after == {"email": person.email}


def test_request_is_accepted_with_what_it_credits(shop, row):
    request = submit_return(shop.customer_admin, asset=row, comment="Not needed")
    client = staff_client(shop.organization)
    page = text_of(client.get(url(request, kind="return")))
    assert ("Not needed" in page, "177.31" in page) == (True, True)
    assert client.post(url(request, "accept", "return")).url == url(request, kind="return")
    request.refresh_from_db()
    assert (request.status, request.operation.desired["credit"]["gross"]) == ("accepted", "-177.3100")
    assert "decided already" in text_of(client.post(url(request, "accept", "return")))


def test_request_is_rejected_with_a_reason(shop, row):
    request = submit_return(shop.customer_admin, asset=row)
    client = staff_client(shop.organization)
    assert client.post(url(request, "reject", "return"), {"reason": ""}).status_code == 400
    assert client.post(url(request, "reject", "return"), {"reason": "Used already"}).status_code == 302
    request.refresh_from_db()
    assert (request.status, request.reason) == (RequestStatus.REJECTED, "Used already")
    assert Charge.objects.filter(kind=ChargeKind.CREDIT).count() == 0
    assert (
        staff_client(shop.organization, StaffRole.READ_ONLY.value).post(url(request, "reject", "return")).status_code
        == 403
    )


def test_requests_stand_beside_their_name_and_on_the_overview(shop, row):
    client = staff_client(shop.organization)
    request = submit_return(shop.customer_admin, asset=row)
    widget = next(item for item in client.get(reverse("bss:dashboard")).context["busy"] if item.name == "returns")
    assert (widget.count, widget.lines[0].url) == (1, url(request, kind="return"))


def test_failed_purchase_is_tried_again_or_given_up(shop):
    row, other = failed(shop), failed(shop)
    client = staff_client(shop.organization)
    assert client.post(url(row, "retry")).url == url(row)
    row.refresh_from_db()
    assert Operation.objects.get(asset=row).state == OperationState.QUEUED
    assert client.post(url(other, "give_up"), {"reason": "Customer left"}).url == url(other)
    other.refresh_from_db()
    assert other.status == AssetStatus.CANCELLED
    assert "Only a licence that was not provisioned" in text_of(client.post(url(other, "retry")))


def test_failed_ones_are_tried_again_together(shop, row):
    rows = [failed(shop), failed(shop)]
    answer = staff_client(shop.organization).post(
        reverse(LIST), {"action": "retry", "row": [str(item.public_id) for item in [*rows, row]]}, follow=True
    )
    assert said(answer) == [
        f"{row.name}: Only a licence that was not provisioned can be tried again.",
        "Retry: 2 rows done.",
    ]


def test_desk_names_and_links_the_licence(shop):
    row = failed(shop)
    client = staff_client(shop.organization)
    assert row.name in text_of(client.get(reverse("bss:operation_list")))
    page = client.get(reverse("bss:operation_detail", args=[Operation.objects.get(asset=row).public_id]))
    assert url(row) in page.content.decode()


def test_ledger_leads_to_the_licence(shop, row):
    assert url(row) in staff_client(shop.organization).get(reverse("bss:charge_list")).content.decode()


def test_reseller_wishes_are_part_of_his_account(shop):
    client = staff_client(shop.organization)
    page = reverse("bss:account_edit", args=[shop.reseller.public_id])
    assert "Mail licences to my customers" in text_of(client.get(page))
    values = {"name": shop.reseller.name, "country": shop.reseller.country or "DE"}
    assert client.post(page, values).status_code == 302
    assert Account.objects.get(pk=shop.reseller.pk).mail_licences is False
    assert client.post(page, values | {"mail_licences": "on"}).status_code == 302
    assert Account.objects.get(pk=shop.reseller.pk).mail_licences is True
    assert "Mail licences" not in text_of(client.get(reverse("bss:account_edit", args=[shop.customer.public_id])))


@pytest.mark.parametrize("page", [LIST, "bss:return_list"])
def test_lists_sort_and_filter_by_everything_they_declare(shop, row, page):
    submit_return(shop.customer_admin, asset=row)
    client = staff_client(shop.organization)
    shown = client.get(reverse(page))
    sorts = [head["column"].sort for head in shown.context["heads"] if head["column"].sort]
    assert sorts
    for sort in sorts:
        assert len(rows_of(client.get(reverse(page), {"sort": sort}))) == 1
        assert len(rows_of(client.get(reverse(page), {"sort": f"-{sort}"}))) == 1
    for name in shown.context["form"].fields:
        assert client.get(reverse(page), {name: "a"}).status_code == 200
