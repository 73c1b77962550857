"""What staff change of a subscription: first what it means, then one confirmation, under their own name."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import AddOnRelation, RefundPolicy, UpgradeRelation
from core import clock
from core.audit import AuditEntry
from orders.enums import OrderStatus
from orders.models import Order
from resellers.models import Account
from subscriptions.enums import OperationState, Purpose, ScheduleStatus, SubscriptionStatus, SuspendReason
from subscriptions.models import Operation, ScheduledChange, Subscription, SubscriptionAddOn
from subscriptions.periods import renews_on
from tests import factories
from tests.bss.running import DAY, running
from tests.bss.staff import count_queries, customer_client, said, staff_client
from tests.shop import Shop
from users.permissions import StaffRole
from vendors.models import SyncStatus

pytestmark = pytest.mark.django_db
PAGES = (
    "buy", "buy_addon", "upgrade", "reduce", "cancel", "suspend", "activate", "auto_renew", "renewal", "revoke",
    "keep", "price",
)  # fmt: skip


@pytest.fixture
def row(shop: Shop) -> Subscription:
    return running(shop)


@pytest.fixture
def client(shop: Shop) -> Client:
    return staff_client(shop.organization)


def url(row: Subscription, name: str, *more: Any) -> str:
    return reverse(f"bss:subscription_{name}", args=[row.public_id, *more])


def text_of(response: Any) -> str:
    """The words of a page, one space between them."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.content.decode()))


def confirm(client: Client, page: str, values: dict[str, Any]) -> Any:
    """Look at what it means, then confirm exactly that."""
    asked = preview(client, page, values)
    assert asked.status_code == 200, asked.context["form"].errors
    hidden = {name: asked.context["form"][name].value() for name in asked.context["form"].fields if name == "key"}
    return client.post(page, values | hidden | {"seen": asked.context["seen"]})


def preview(client: Client, page: str, values: dict[str, Any], **headers: Any) -> Any:
    """What the page says that these values mean."""
    form = client.get(page).context["form"]
    hidden = {name: form[name].value() for name in form.fields if name == "key"}
    return client.post(page, values | hidden | {"preview": "1"}, **headers)


def operation(row: Subscription) -> Operation:
    return Operation.objects.filter(subscription=row).order_by("-id")[0]


def deeds(response: Any) -> dict[str, str]:
    return {str(action.label): action.reason for group in response.context["deeds"] for action in group.actions}


class TestDetail:
    """The page a subscription has."""

    def test_offers_everything_that_makes_sense(self, client, row):
        assert deeds(client.get(url(row, "detail"))) == {
            "Buy licences": "",
            "Reduce licences": "",
            "Buy an add-on": "",
            "Upgrade": "",
            "Turn automatic renewal off": "",
            "Change at the renewal": "",
            "Edit pricing info": "",
            "Suspend": "",
            "Cancel": "",
        }

    def test_every_role_sees_its_own_deeds(self, shop, row):
        found = {
            role: set(deeds(staff_client(shop.organization, role).get(url(row, "detail"))))
            for role in (StaffRole.SALES, StaffRole.BILLING, StaffRole.SUPPORT, StaffRole.READ_ONLY)
        }
        assert found[StaffRole.BILLING] == {"Edit pricing info", "Suspend"}
        assert found[StaffRole.READ_ONLY] == set()
        assert found[StaffRole.SUPPORT] - found[StaffRole.SALES] == {"Suspend"}
        assert "Edit pricing info" not in found[StaffRole.SALES] | found[StaffRole.SUPPORT]

    def test_closed_deeds_say_why(self, client, row):
        Operation.objects.filter(subscription=row).update(state=OperationState.RUNNING)
        found = client.get(url(row, "detail"))
        assert set(deeds(found).values()) == {"Another change of this subscription is in progress."}
        assert ("In progress: Provision" in text_of(found), "hx-trigger" in found.content.decode()) == (True, True)

    def test_ribbons_tell_what_waits(self, shop, client, row):
        ScheduledChange.objects.create(
            organization=shop.organization,
            subscription=row,
            plan=row.plan,
            quantity=8,
            due_at=row.term_ends_at,
            requested_by="Ada",
        )
        Subscription.objects.filter(pk=row.pk).update(next_unit_price=Decimal("9.50"))
        found = text_of(client.get(url(row, "detail")))
        assert f"At the renewal on {renews_on(row)}: 8 licences" in found
        assert "9.50 EUR" in found
        Subscription.objects.filter(pk=row.pk).update(status=SubscriptionStatus.PENDING_CANCEL)
        assert f"Ends on {renews_on(row)}" in text_of(client.get(url(row, "detail")))

    def test_shows_charges_with_what_they_are_for(self, client, row):
        found = client.get(url(row, "detail"))
        assert [(charge.net, charge.state) for charge in found.context["charges"]] == [(Decimal("60.00"), "due")]
        assert found.context["next_net"] == Decimal("60.00")

    def test_progress_follows_and_then_brings_the_page(self, client, row):
        Operation.objects.filter(subscription=row).update(state=OperationState.RUNNING)
        part = client.get(url(row, "detail"), headers={"HX-Request": "true"})
        assert ("<html" in part.content.decode(), "every 3s" in part.content.decode()) == (False, True)
        Operation.objects.filter(subscription=row).update(state=OperationState.DONE)
        assert client.get(url(row, "detail"), headers={"HX-Request": "true"})["HX-Refresh"] == "true"

    def test_needs_as_many_queries_with_more_of_everything(self, shop, client, row):
        counts = []
        for number in range(3):
            SubscriptionAddOn.objects.create(
                organization=shop.organization,
                subscription=row,
                product=shop.product,
                plan=shop.plan,
                name=f"Add-on {number}",
                quantity=2,
                status=SubscriptionStatus.ACTIVE,
            )
            counts.append(count_queries(client, url(row, "detail")))
        assert counts[0] == counts[2] < 26

    def test_refused_change_can_be_retried_or_set_aside(self, shop, client, row):
        client.post(url(row, "auto_renew"))
        confirm(client, url(row, "auto_renew"), {})
        change = operation(row)
        Operation.objects.filter(pk=change.pk).update(state=OperationState.REFUSED, message="Not allowed (800060)")
        Subscription.objects.filter(pk=row.pk).update(sync_status=SyncStatus.FAILED, sync_note="Not allowed")
        found = client.get(url(row, "detail"))
        assert deeds(found)["Retry synchronization"] == deeds(found)["Set the refused change aside"] == ""
        assert reverse("bss:operation_retry", args=[change.public_id]) in found.content.decode()
        assert "Not allowed (800060)" in text_of(found)
        assert client.post(url(row, "set_aside")).status_code == 302
        row.refresh_from_db()
        assert (row.sync_status, operation(row).state) == (SyncStatus.SYNCHRONIZED, OperationState.GIVEN_UP)


class TestPages:
    """What all changes have in common."""

    @pytest.mark.parametrize("name", PAGES)
    def test_get_changes_nothing_and_foreigners_find_nothing(self, shop, client, row, name):
        before = Operation.objects.count(), Order.objects.count(), AuditEntry.objects.count()
        assert client.get(url(row, name)).status_code == 200
        assert staff_client(factories.organization()).get(url(row, name)).status_code == 404
        assert staff_client(shop.organization, StaffRole.READ_ONLY).post(url(row, name)).status_code == 403
        assert customer_client(shop.organization, shop.customer).post(url(row, name)).status_code == 403
        assert (Operation.objects.count(), Order.objects.count(), AuditEntry.objects.count()) == before

    def test_says_why_it_is_closed_instead_of_asking(self, client, row):
        Subscription.objects.filter(pk=row.pk).update(status=SubscriptionStatus.SUSPENDED)
        found = text_of(client.get(url(row, "buy")))
        assert ("'Suspended'" in found or "&#x27;Suspended&#x27;" in found, "New number" in found) == (True, False)

    def test_nothing_is_done_that_was_not_seen(self, client, row):
        seen = client.post(url(row, "reduce"), {"quantity": 4, "preview": "1"}).context["seen"]
        found = client.post(url(row, "reduce"), {"quantity": 3, "seen": seen, "reason": "Fewer people"})
        assert (found.status_code, found.context["is_stale"]) == (200, True)
        assert "4 licences" not in text_of(found)
        assert operation(row).purpose == Purpose.PROVISION

    def test_preview_needs_no_reason_yet_but_the_deed_does(self, client, row):
        seen = client.post(url(row, "reduce"), {"quantity": 4, "preview": "1"}).context["seen"]
        found = client.post(url(row, "reduce"), {"quantity": 4, "seen": seen})
        assert (found.status_code, list(found.context["form"].errors)) == (400, ["reason"])

    def test_part_says_what_is_wrong(self, client, row):
        found = preview(client, url(row, "buy"), {"quantity": 2}, headers={"HX-Request": "true"})
        assert (found.status_code, "Type more than 5." in text_of(found)) == (200, True)
        assert preview(client, url(row, "buy"), {"quantity": 2}).status_code == 400


class TestMore:
    """Licences, add-ons, upgrades."""

    def test_licences_are_ordered_once_under_the_employees_name(self, client, row):
        page = url(row, "buy")
        first = client.get(page)
        assert first.context["preview"].what == "1 licence is added: 5 become 6."
        asked = preview(client, page, {"quantity": 8})
        # 21 of 30 days of 3 x 12.00: the tenth day is charged.
        assert asked.context["preview"].amount.net == Decimal("25.20")
        values = {"quantity": 8, "seen": asked.context["seen"], "key": "7a9f5ab6-0d53-4a0b-8b3b-5b3c7f6a2a11"}
        done = client.post(page, values)
        order = Order.objects.order_by("-id")[0]
        assert done.url == reverse("bss:order_detail", args=[order.public_id])
        assert (order.status, order.net, order.buyer_label != "") == (OrderStatus.EXECUTED, Decimal("25.20"), True)
        again = client.post(page, values)
        assert (again.status_code, Order.objects.filter(lines__subscription=row).count()) == (302, 2)
        assert operation(row).purpose == Purpose.LICENCES

    def test_over_the_credit_it_waits_and_says_so(self, shop, client, row):
        Account.objects.filter(pk=shop.customer.pk).update(credit_limit=Decimal(61))
        done = confirm(client, url(row, "buy"), {"quantity": 8})
        assert said(client.get(done.url)) == [
            f"Order {Order.objects.order_by('-id')[0].number} is above the credit. It is stored and waits; "
            "nothing was changed."
        ]
        assert operation(row).purpose == Purpose.PROVISION

    def test_addon_is_chosen_with_its_price(self, shop, client, row):
        page = url(row, "buy_addon")
        assert "No add-on of this product has a price" in text_of(client.get(page))
        addon = factories.product(shop.instance, is_addon=True, name="Audio Conferencing")
        AddOnRelation.objects.create(organization=shop.organization, parent=shop.product, addon=addon)
        found = client.get(page)
        assert [label for _id, label in found.context["form"].fields["plan"].choices] == [
            "Audio Conferencing, 1 year, billed monthly: 12.00\u00a0EUR"
        ]
        done = confirm(client, page, {"plan": str(addon.plans.get().public_id), "quantity": 2})
        assert (done.status_code, operation(row).purpose) == (302, Purpose.ADDON)

    def test_upgrade_only_to_what_fits(self, shop, client, row):
        page = url(row, "upgrade")
        assert "No upgrade with the same term" in text_of(client.get(page))
        larger = factories.product(shop.instance, cost="20.00", name="Business Premium")
        UpgradeRelation.objects.create(organization=shop.organization, source=shop.product, target=larger)
        values = {"plan": str(larger.plans.get().public_id), "quantity": 5}
        asked = preview(client, page, values)
        # The difference of 24.00 and 12.00 for 21 of 30 days and 5 licences.
        assert asked.context["preview"].amount.net == Decimal("42.00")
        assert (confirm(client, page, values).status_code, operation(row).purpose) == (302, Purpose.UPGRADE)


class TestLess:
    """Giving back."""

    def test_reduce_shows_credit_arithmetic_and_deadline(self, client, row):
        found = client.get(url(row, "reduce"))
        preview = found.context["preview"]
        assert (preview.amount.net, preview.trace) == (Decimal("-8.00"), ("20 of 30 days of 12.00 EUR = 8.00 EUR",))
        assert f"until {row.cancel_until:%Y-%m-%d %H:%M} UTC" in text_of(found)
        assert "1 day 23 hours left" in text_of(found)
        done = confirm(client, url(row, "reduce"), {"quantity": 3, "reason": "Fewer people"})
        assert (done.url, operation(row).purpose) == (url(row, "detail"), Purpose.REDUCE)
        assert operation(row).desired["credit"]["net"] == "-16.00"

    def test_window_that_is_over_refuses(self, client, row):
        Subscription.objects.filter(pk=row.pk).update(cancel_until=clock.now() - DAY)
        found = client.post(url(row, "reduce"), {"quantity": 3, "preview": "1"})
        assert (found.status_code, "takes no licences back any more" in text_of(found)) == (400, True)

    def test_cancel_counts_from_an_earlier_day_of_the_period(self, client, row):
        Subscription.objects.filter(pk=row.pk).update(quantity=1, unit_price=Decimal("30.00"))
        page = url(row, "cancel")
        today = clock.now().date()
        now = client.post(page, {"execution": "now", "preview": "1"}).context["preview"]
        # The tenth day of thirty counts as used: 20.00 of 30.00 go back.
        assert now.amount.net == Decimal("-20.00")
        early = {"execution": "day", "effective_on": str(today - 4 * dt.timedelta(days=1))}
        assert client.post(page, early | {"preview": "1"}).context["preview"].amount.net == Decimal("-24.00")
        for bad in (today + DAY, today - 20 * DAY):
            found = client.post(page, {"execution": "day", "effective_on": str(bad), "preview": "1"})
            assert (found.status_code, list(found.context["form"].errors)) == (400, ["effective_on"])
        missing = client.post(page, {"execution": "day", "preview": "1"})
        assert list(missing.context["form"].errors) == ["effective_on"]
        assert confirm(client, page, early | {"reason": "Told us late"}).status_code == 302
        assert (operation(row).purpose, operation(row).desired["credit"]["net"]) == (Purpose.CANCEL, "-24.00")

    def test_product_type_that_refunds_nothing_refunds_nothing_for_an_earlier_day(self, client, row):
        kind = row.product.product_type
        type(kind).objects.filter(pk=kind.pk).update(refund_policy=RefundPolicy.NONE)
        early = {"execution": "day", "effective_on": str(clock.now().date() - 4 * DAY), "preview": "1"}
        assert client.post(url(row, "cancel"), early).context["preview"].amount.net == 0

    def test_cancel_at_the_end_is_offered_first(self, client, row):
        assert "ends with its term" in client.get(url(row, "cancel")).context["preview"].what
        confirm(client, url(row, "cancel"), {"execution": "period_end", "reason": "Moves away"})
        assert operation(row).purpose == Purpose.CANCEL_AT_END

    def test_suspended_service_can_only_end_now(self, client, row):
        Subscription.objects.filter(pk=row.pk).update(status=SubscriptionStatus.SUSPENDED)
        found = client.get(url(row, "cancel"))
        assert [value for value, _label in found.context["form"].fields["execution"].choices] == ["now", "day"]

    def test_addon_is_cancelled_or_reduced(self, shop, client, row):
        addon = SubscriptionAddOn.objects.create(
            organization=shop.organization,
            subscription=row,
            product=shop.product,
            plan=shop.plan,
            name="Audio",
            quantity=3,
            unit_price=Decimal("3.00"),
            status=SubscriptionStatus.ACTIVE,
            first_activated_at=clock.now(),
        )
        page = url(row, "reduce_addon", addon.public_id)
        assert page in client.get(url(row, "detail")).content.decode()
        assert client.get(page).context["preview"].amount.net == Decimal("-6.00")
        confirm(client, page, {"quantity": 1, "reason": "Fewer rooms"})
        assert operation(row).desired["addons"] == {str(addon.public_id): 1}
        other = running(shop)
        assert client.get(url(other, "reduce_addon", addon.public_id)).status_code == 404

    def test_addon_ends_with_the_period_or_is_kept(self, shop, client, row):
        addon = SubscriptionAddOn.objects.create(
            organization=shop.organization,
            subscription=row,
            product=shop.product,
            plan=shop.plan,
            name="Audio",
            quantity=3,
            unit_price=Decimal("3.00"),
            status=SubscriptionStatus.ACTIVE,
            first_activated_at=clock.now(),
        )
        page = url(row, "end_addon", addon.public_id)
        for words, net, status in (("End Audio", 60, "pending_cancel"), ("Keep Audio", 69, "active")):
            assert page in client.get(url(row, "detail")).content.decode()
            shown = client.get(page)
            assert words in shown.content.decode()
            assert (shown.context["preview"].amount.net, shown.context["preview"].next_net) == (0, net)
            confirm(client, page, {})
            addon.refresh_from_db()
            assert addon.status == status
        assert not Operation.objects.filter(subscription=row, purpose=Purpose.ADDON_CANCEL).exists()
        assert client.get(url(running(shop), "end_addon", addon.public_id)).status_code == 404


class TestSwitches:
    """Suspension, renewal, price."""

    def test_suspend_and_reactivate_are_for_billing_and_support(self, shop, row):
        assert staff_client(shop.organization, StaffRole.SALES).get(url(row, "suspend")).status_code == 403
        client = staff_client(shop.organization, StaffRole.BILLING)
        confirm(client, url(row, "suspend"), {"reason": "Has not paid"})
        asked = {"reason": "Has not paid", "by": SuspendReason.NON_PAYMENT}
        assert (operation(row).purpose, operation(row).desired) == (Purpose.SUSPEND, asked)
        Operation.objects.filter(subscription=row).update(state=OperationState.DONE)
        values = {"status": SubscriptionStatus.SUSPENDED, "suspend_reason": asked["by"]}
        Subscription.objects.filter(pk=row.pk).update(**values)
        assert "Not paid" in client.get(url(row, "detail")).content.decode()
        confirm(client, url(row, "activate"), {})
        assert operation(row).purpose == Purpose.ACTIVATE

    def test_auto_renew_is_turned_off_and_on(self, client, row):
        assert "ends on" in client.get(url(row, "auto_renew")).context["preview"].what
        confirm(client, url(row, "auto_renew"), {})
        assert operation(row).desired == {"auto_renew": False}

    def test_renewal_is_scheduled_and_revoked(self, shop, client, row):
        page = url(row, "renewal")
        nothing = confirm(client, page, {"quantity": 5, "plan": str(row.plan.public_id)})
        assert nothing.context["form"].errors == {"quantity": ["Change the quantity or the plan."]}
        done = confirm(client, page, {"quantity": 8, "plan": str(row.plan.public_id)})
        found = ScheduledChange.objects.get()
        assert (done.status_code, found.quantity, found.status) == (302, 8, ScheduleStatus.PENDING)
        assert found.requested_by != ""
        Operation.objects.filter(subscription=row).update(state=OperationState.DONE)
        Subscription.objects.filter(pk=row.pk).update(sync_status=SyncStatus.SYNCHRONIZED)
        assert deeds(client.get(url(row, "detail")))["Revoke the scheduled change"] == ""
        confirm(client, url(row, "revoke"), {})
        assert operation(row).purpose == Purpose.REVOKE_SCHEDULE

    def test_service_that_ends_is_kept(self, client, row):
        Subscription.objects.filter(pk=row.pk).update(status=SubscriptionStatus.PENDING_CANCEL, resumes_as="active")
        confirm(client, url(row, "keep"), {})
        assert operation(row).purpose == Purpose.REVOKE_CANCEL

    def test_refresh_starts_one_reading_and_follows_it(self, client, row):
        page = url(row, "refresh")
        assert client.get(page).url == url(row, "detail")
        part = client.post(page, headers={"HX-Request": "true"})
        assert ("Being read at the vendor" in text_of(part), "?job=" in part.content.decode()) == (True, True)
        again = client.post(page, headers={"HX-Request": "true"})
        assert "Being read at the vendor" in text_of(again)
        assert client.post(page).url == url(row, "detail")
