"""My Account > Microsoft Cloud Services, and the same tool in the BSS: type, check, preview, confirm, watch."""

import pytest
from django.test import Client
from django.urls import reverse

from core.audit import AuditEntry
from core.events import Event
from core.jobs import Job, JobState
from notifications.models import OutgoingMail
from notifications.services import events
from orders.services.basket import set_target
from provisioning.services.checkout import start_details_check
from provisioning.services.stamps import CHECK
from resellers.enums import AccountKind, PurchaseMode
from subscriptions.enums import StampRowState
from subscriptions.models import StampRun
from subscriptions.services import stamps
from tests import factories
from tests.bss.staff import said, staff_client
from tests.shop import Shop, fill_basket, make_shop
from tests.storefront.services import browser, running
from users.permissions import StaffRole, StorefrontRole
from vendors.models import AccountLink
from vendors.services.links import set_mpn_id

pytestmark = pytest.mark.django_db
OLD, NEW = "4100001", "4100002"
HOME = reverse("storefront:partner_home")


@pytest.fixture(scope="module")
def made_shop(module_rows: None) -> Shop:
    made = make_shop(settings={"partner_type": "indirect"})
    set_mpn_id(made.staff, account=made.reseller, instance=made.instance, mpn_id=OLD)
    return made


@pytest.fixture
def service(shop: Shop):
    return running(shop, shop.reseller_admin, mode=PurchaseMode.END_CUSTOMER, target=shop.end_customer)


def asked(shop: Shop, client: Client, number: str = NEW, **result: object) -> str:
    """The address of a check that has ended with this result."""
    url = reverse("storefront:partner_change", args=[shop.instance.public_id])
    assert client.get(url).context["form"].initial == {"mpn_id": OLD}
    answer = client.post(url, {"mpn_id": number})
    job = Job.objects.get(kind=CHECK)
    assert "hx-get" in client.get(answer["Location"]).content.decode()
    Job.objects.filter(pk=job.pk).update(state=JobState.DONE, result={"ok": True, "tenant_id": "t"} | result)
    return str(answer["Location"])


def test_home_shows_the_id_and_the_way_to_change_it(shop):
    page = browser(shop, shop.reseller, StorefrontRole.CLOUD_ADMINISTRATOR.value).get(HOME).content.decode()
    assert OLD in page
    assert reverse("storefront:partner_change", args=[shop.instance.public_id]) in page
    assert browser(shop, shop.reseller, StorefrontRole.BUYER.value).get(HOME).status_code == 403
    assert browser(shop, shop.customer).get(HOME).status_code == 403
    assert browser(shop, shop.end_customer).get(HOME).status_code == 403


def test_preview_counts_and_confirm_starts_one_run(shop, service):
    client = browser(shop, shop.reseller)
    url = asked(shop, client)
    page = client.get(url).content.decode()
    assert "1 service changes, with its add-ons. End customers: 1." in page
    answer = client.post(url)
    run = StampRun.objects.get()
    assert answer["Location"] == reverse("storefront:stamp_detail", args=[run.public_id])
    shown = client.get(answer["Location"]).content.decode()
    assert service.name in shown
    assert f"{OLD} → {NEW}" in shown
    assert AccountLink.objects.get(account=shop.reseller).mpn_id == NEW
    assert said(client.post(url, follow=True)) == ["A run is already in progress. Wait until it has ended."]
    foreign = browser(shop, factories.account(shop.organization, AccountKind.RESELLER))
    assert [foreign.get(address).status_code for address in (url, answer["Location"])] == [404, 404]


def test_refused_id_changes_nothing_and_says_why(shop, service):
    client = browser(shop, shop.reseller)
    url = asked(shop, client, ok=False, message="Microsoft does not know this MPN ID.")
    assert "Microsoft does not know this MPN ID." in client.get(url).content.decode()
    assert said(client.post(url, follow=True)) == ["Microsoft does not know this MPN ID."]
    assert (StampRun.objects.count(), AccountLink.objects.get(account=shop.reseller).mpn_id) == (0, OLD)


def test_malformed_id_is_refused_at_its_field(shop):
    url = reverse("storefront:partner_change", args=[shop.instance.public_id])
    answer = browser(shop, shop.reseller).post(url, {"mpn_id": "12"})
    assert answer.context["form"].errors["mpn_id"] == ["An MPN ID has 4 to 10 digits."]


def test_run_with_failures_offers_retry_and_tells_the_reseller(shop, service):
    client = browser(shop, shop.reseller)
    client.post(asked(shop, client))
    run = StampRun.objects.get()
    run.rows.update(state=StampRowState.FAILED, note="The partner id is not valid.")
    stamps.settle_run(shop.staff, run)
    url = reverse("storefront:stamp_detail", args=[run.public_id])
    page = client.get(url).content.decode()
    assert "The partner id is not valid." in page
    assert 'value="retry"' in page
    events.process_event(Event.objects.get(name="stamp.finished").pk)
    mail = OutgoingMail.objects.get(template="stamp_finished")
    assert mail.subject == "The change of your MPN ID is partly done"
    assert run.requested_by_user is not None
    assert mail.recipient == run.requested_by_user.email
    assert "Services done: 0, failed: 1, left out: 0." in mail.text


def test_bss_tool_is_the_administrators(shop, service):
    url = reverse("bss:partner_change", args=[shop.reseller.public_id, shop.instance.public_id])
    assert staff_client(shop.organization, StaffRole.SALES).get(url).status_code == 403
    client = staff_client(shop.organization)
    check = client.post(url, {"mpn_id": NEW})["Location"]
    Job.objects.filter(kind=CHECK).update(state=JobState.DONE, result={"ok": True, "tenant_id": ""})
    run_url = client.post(check)["Location"]
    assert run_url == reverse("bss:stamp_detail", args=[StampRun.objects.get().public_id])
    assert client.get(reverse("bss:stamp_list")).status_code == 200
    assert staff_client(shop.organization, StaffRole.SALES).post(run_url, {"deed": "cancel"}).status_code == 403
    client.post(run_url, {"deed": "cancel"})
    assert StampRun.objects.get().state == "cancelled"
    assert staff_client(factories.organization()).get(run_url).status_code == 404


def test_relationship_page_shows_what_changes(shop, service):
    link = AccountLink.objects.get(account=shop.end_customer)
    AccountLink.objects.filter(pk=link.pk).update(state="synchronized", external_id="tenant-1")
    page = reverse("bss:account_relationship", args=[shop.end_customer.public_id])
    client = staff_client(shop.organization)
    shown = client.get(page).content.decode()
    assert f"1 service loses the MPN ID: {service.name}." in shown
    type(service).objects.filter(pk=service.pk).update(sync_status="failed")
    assert "Not synchronized with the vendor." in client.post(page).content.decode()
    assert StampRun.objects.count() == 0
    assert staff_client(shop.organization, StaffRole.SALES).get(page).status_code == 403


def test_posted_id_for_an_affiliate_is_dropped_and_audited(shop):
    for mode, target in ((PurchaseMode.AFFILIATE, shop.affiliate), (PurchaseMode.PERSONAL_USE, shop.reseller)):
        basket = fill_basket(shop, shop.reseller_admin, mode=mode, target=target)
        set_target(shop.reseller_admin, basket=basket, mode=mode, account=target)
        basket.refresh_from_db()
        values = {"username": "admin", "mpn_id": "4100009"}
        job = start_details_check(shop.reseller_admin, basket=basket, instance=shop.instance, values=values)
        assert job.params["values"] == {"username": "admin"}
        entry = AuditEntry.objects.get(action="order.mpn_dropped", account=target)
        assert entry.after == {"mpn_id": "4100009"}
