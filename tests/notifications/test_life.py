"""Mails about the life of a subscription: who hears of what, in which words."""

from typing import Any

import pytest

from catalog.models import ProductType
from core.events import Event, EventState, emit
from notifications.models import OutgoingMail
from notifications.services import events
from notifications.services.life import LIFE
from orders.services import giveback
from resellers.models import Contact, Site
from subscriptions.models import CancellationRequest, ScheduledChange, Subscription
from subscriptions.periods import renews_on
from subscriptions.services.life import event_payload
from subscriptions.services.requests import reject_request
from tests import factories
from tests.bss.running import running
from tests.shop import Shop, fill_basket, place

pytestmark = pytest.mark.django_db
NEWS = {
    "subscription.suspended": ("subscription_suspended", "{name} is suspended"),
    "subscription.reactivated": ("subscription_reactivated", "{name} runs again"),
    "subscription.ending": ("subscription_ending", "{name} ends on {end:%Y-%m-%d}"),
    "subscription.cancelled": ("subscription_cancelled", "{name} is cancelled"),
    "subscription.renewed": ("subscription_renewed", "{name} is renewed"),
    "subscription.schedule_applied": ("schedule_applied", "The scheduled change of {name} is made"),
}


@pytest.fixture
def row(shop: Shop) -> Subscription:
    made = running(shop)
    Event.objects.all().delete()
    return made


def tell(row: Subscription, name: str, **extra: Any) -> list[OutgoingMail]:
    """Process one event of the subscription; the mails that were written for it."""
    event = emit(name, event_payload(row) | extra, organization_id=row.organization_id, account_id=row.account_id)
    before = set(OutgoingMail.objects.values_list("pk", flat=True))
    events.process_event(event.pk)
    assert Event.objects.get(pk=event.pk).state == EventState.PROCESSED
    return list(OutgoingMail.objects.exclude(pk__in=before).order_by("id"))


def contact_of(account: Any) -> str:
    return Contact.objects.get(account=account, is_primary=True).email


@pytest.mark.parametrize("name", sorted(NEWS))
def test_account_hears_what_happened(shop, row, name):
    template, subject = NEWS[name]
    (mail,) = tell(row, name)
    assert (mail.template, mail.recipient) == (template, contact_of(shop.customer))
    assert mail.subject == subject.format(name=row.name, end=renews_on(row))
    for text in (mail.text, mail.html):
        assert (row.name in text, shop.customer.name in text, f"/services/{row.public_id}/" in text) == (True,) * 3
    assert ("Hello Ada," in mail.text, "\n\n\n" in mail.text, "&amp;" in mail.text) == (True, False, False)


@pytest.mark.parametrize("days", [30, 7])
def test_renewal_is_announced(row, days):
    (mail,) = tell(row, "subscription.renewing", days=days, term_ends_at="2031-01-01")
    assert mail.subject == f"{row.name} renews in {days} days"
    assert "5 licences, 1 year, billed monthly" in mail.text


@pytest.mark.parametrize(
    ("purpose", "before", "after", "words"),
    [
        ("licences", {"quantity": 5}, {"quantity": 8}, "now has 8 licences; before it was 5."),
        ("reduce", {"quantity": 5}, {"quantity": 1}, "now has 1 licence; before it was 5."),
        ("auto_renew", {}, {"auto_renew": True}, "renews by itself when its term ends"),
        ("auto_renew", {}, {"auto_renew": False}, "does not renew any more"),
        ("addon", {}, {}, "has a new add-on"),
        ("addon_cancel", {}, {}, "less of an add-on"),
        ("addon_reduce", {}, {}, "less of an add-on"),
        ("upgrade", {}, {}, "The upgrade is done"),
        ("revoke_cancel", {}, {}, "goes on after all"),
        ("revoke_schedule", {}, {}, "was taken back"),
        ("something_new", {}, {}, "was changed."),
    ],
)
def test_change_is_told_by_what_it_was(row, purpose, before, after, words):
    (mail,) = tell(row, "subscription.changed", purpose=purpose, before=before, after=after)
    assert (mail.subject, words in mail.text, words in mail.html) == (f"{row.name} was changed", True, True)


def test_reseller_hears_of_his_customers_services_too(shop):
    order = place(shop.reseller_admin, fill_basket(shop, shop.reseller_admin, mode="end_customer",
                                                   target=shop.end_customer, mpn_id="1234567"))  # fmt: skip
    row = Subscription.objects.get(order_number=order.number)
    site = Site.objects.create(organization=shop.organization, account=shop.reseller, name="Cedar", host="cedar.test")
    own, payer = tell(row, "subscription.suspended")
    assert (own.recipient, payer.recipient) == (contact_of(shop.end_customer), contact_of(shop.reseller))
    assert (own.site, "//cedar.test" in own.text, shop.organization.name in own.text) == (site, True, False)
    assert (payer.site, f"//{shop.site.host}" in payer.text) == (shop.site, True)


def test_one_address_hears_once(shop):
    order = place(shop.reseller_admin, fill_basket(shop, shop.reseller_admin, mode="end_customer",
                                                   target=shop.end_customer, mpn_id="1234567"))  # fmt: skip
    Contact.objects.filter(account=shop.end_customer).update(email=contact_of(shop.reseller).upper())
    assert len(tell(Subscription.objects.get(order_number=order.number), "subscription.suspended")) == 1


def test_account_without_contact_hears_at_its_own_address(shop, row):
    Contact.objects.filter(account=shop.customer).delete()
    (mail,) = tell(row, "subscription.suspended")
    assert (mail.recipient, "Hello," in mail.text) == (shop.customer.email, True)


def test_schedule_is_told_when_set_and_when_it_fails(shop, row):
    ScheduledChange.objects.create(
        organization=shop.organization,
        subscription=row,
        plan=row.plan,
        quantity=8,
        due_at=row.term_ends_at,
        requested_by="Ada",
    )
    (mail,) = tell(row, "subscription.scheduled")
    assert "has 8 licences, 1 year, billed monthly." in mail.text
    own, staff = tell(row, "subscription.schedule_failed", message="Microsoft 800060: tenant 7f3a is locked")
    assert (own.recipient, staff.recipient) == (contact_of(shop.customer), shop.organization.email)
    assert ("800060" in own.text, "7f3a" in own.html, "7f3a" in staff.text) == (False, False, True)


def test_refused_change_is_cleaned_for_the_account_and_full_for_staff(shop, row):
    words = {"message": "Tenant 7f3a: too many (Microsoft 800060: x)", "code": "quantity_limit", "purpose": "licences"}
    own, staff = tell(row, "subscription.change_refused", **words)
    assert (own.template, staff.template) == ("change_refused", "change_refused_staff")
    assert "The vendor does not allow that number of licences." in own.text
    assert [word in own.text + own.html for word in ("7f3a", "800060", "quantity_limit")] == [False] * 3
    assert ("Tenant 7f3a: too many" in staff.text, f"/bss/subscriptions/{row.public_id}/" in staff.text) == (True, True)


def test_refusal_that_is_ours_gives_the_account_no_reason(row):
    words = {"message": "Our credit at the vendor is used up", "code": "credit_limit", "purpose": "licences"}
    own, _staff = tell(row, "subscription.change_refused", **words)
    assert ("credit" in own.text, "Our team looks into it." in own.text, "\n\n\n" in own.text) == (False, True, False)


def test_refused_schedule_is_not_told_twice(shop, row):
    found = tell(row, "subscription.change_refused", message="No", code="x", purpose="schedule")
    assert [mail.recipient for mail in found] == [shop.organization.email]


class TestRequests:
    """Notifications 3, 6 and 9."""

    @pytest.fixture
    def request_(self, shop, row) -> CancellationRequest:
        ProductType.objects.update(auto_cancel_limit=1)
        given = giveback.reduce(shop.customer_admin, subscription=row, quantity=2, reason="Fewer <people>")
        assert isinstance(given, CancellationRequest)
        return given

    def last(self) -> Event:
        return Event.objects.latest("id")

    def test_submitted_goes_to_the_account_manager_or_to_the_desk(self, shop, row, request_):
        events.process_event(self.last().pk)
        mail = OutgoingMail.objects.get()
        assert (mail.template, mail.recipient) == ("request_submitted", shop.organization.email)
        assert (f"/bss/requests/{request_.public_id}/" in mail.text, "Fewer <people>" in mail.text) == (True, True)
        assert ("<people>" in mail.html, request_.requested_by in mail.text) == (False, True)
        manager = factories.user(shop.organization)
        type(shop.customer).objects.filter(pk=shop.customer.pk).update(account_manager=manager)
        (mail,) = tell(row, "cancellation_request.submitted", request=str(request_.public_id), kind="reduce", count=3)
        assert mail.recipient == manager.email

    def test_rejected_tells_the_requester_why(self, shop, request_):
        reject_request(shop.staff, request=request_, reason="The contract says a year")
        events.process_event(self.last().pk)
        mail = OutgoingMail.objects.get()
        assert (mail.template, mail.recipient) == ("request_rejected", shop.customer_admin.email)
        assert "Reason: The contract says a year" in mail.text

    def test_completed_tells_the_requester(self, shop, row, request_):
        (mail,) = tell(row, "cancellation_request.completed", request=str(request_.public_id), kind="reduce", count=3)
        assert (mail.template, mail.recipient) == ("request_completed", shop.customer_admin.email)
        assert "Reduce licences" in mail.text

    def test_request_of_nobody_tells_nobody(self, row, request_):
        CancellationRequest.objects.update(requested_by_user=None)
        assert tell(row, "cancellation_request.completed", request=str(request_.public_id), kind="x", count=3) == []


def test_every_mail_of_a_life_is_written_in_the_recipients_language(shop, row):
    shop.organization.language = "el"
    shop.organization.save()
    for name in LIFE:
        for mail in tell(row, name, purpose="licences", before={"quantity": 5}, after={"quantity": 8}, days=7,
                         kind="reduce", count=2):  # fmt: skip
            assert 'lang="el"' in mail.html


def test_subscription_of_another_organization_is_not_there(shop, row):
    other = factories.organization()
    for name in LIFE:
        events.process_event(emit(name, event_payload(row), organization_id=other.pk).pk)
    assert OutgoingMail.objects.count() == 0
