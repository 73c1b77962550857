"""The life of a service in the storefront, page by page: what is shown, what is refused and how, and who may."""

import uuid
from decimal import Decimal

import pytest
from django.urls import reverse

from catalog.models import AddOnRelation, Plan, ProductType, UpgradeRelation
from orders.models import Order
from resellers.enums import AccountStatus, PurchaseMode
from resellers.models import Account
from subscriptions.enums import OperationState, Purpose, SubscriptionStatus
from subscriptions.models import CancellationRequest, Operation, ScheduledChange, Subscription
from subscriptions.periods import renewal_at
from tests import factories
from tests.bss.staff import count_queries
from tests.shop import Shop
from tests.storefront.services import address, browser, confirm, key_of, preview, running, text_of
from users.permissions import StorefrontRole
from vendors.models import SyncStatus

pytestmark = pytest.mark.django_db
PAGES = ("licences", "renewal", "auto_renew", "cancel")
ALL_PAGES = (
    "licences",
    "addon",
    "upgrade",
    "renewal",
    "auto_renew",
    "revoke",
    "cancel",
    "keep",
    "suspend",
    "activate",
    "withdraw",
    "dismiss",
    "refresh",
)


@pytest.fixture
def row(shop: Shop) -> Subscription:
    """Five running licences of the direct customer."""
    return running(shop)


@pytest.fixture
def client(shop: Shop):
    """The direct customer's Admin."""
    return browser(shop, shop.customer)


def only_operation(row: Subscription) -> Operation:
    """The one change that was asked for since the service runs."""
    return Operation.objects.get(subscription=row, state=OperationState.QUEUED)


def nothing_asked(row: Subscription) -> bool:
    """Whether nothing was asked of the vendor, ordered or requested since the service runs."""
    asked = Operation.objects.filter(subscription=row).exclude(purpose=Purpose.PROVISION).exists()
    ordered = Order.objects.exclude(lines__kind="new").exists()
    return not (asked or ordered or CancellationRequest.objects.exists())


def addon_of(shop: Shop, **values) -> Plan:
    """An add-on of the shop's product, 6.00 EUR a month."""
    product = factories.product(shop.instance, cost="5.00", is_addon=True, name="Extra storage", **values)
    AddOnRelation.objects.create(organization=shop.organization, parent=shop.product, addon=product)
    return product.plans.get()


def upgrade_of(shop: Shop) -> Plan:
    """A better product at 24.00 EUR a month."""
    product = factories.product(shop.instance, cost="20.00", name="Business Premium")
    UpgradeRelation.objects.create(organization=shop.organization, source=shop.product, target=product)
    return product.plans.get()


class TestDetail:
    """A service's own page."""

    def test_figures_and_deeds(self, client, row):
        response = client.get(address("detail", row))
        text = text_of(response)
        assert "12.00 EUR" in text
        assert "60.00 EUR" in text
        assert [(deed.label, deed.reason) for deed in response.context["deeds"]] == [
            ("Change the number of licences", ""),
            ("Plan the renewal", ""),
            ("Turn automatic renewal off", ""),
            ("Cancel the service", ""),
        ]
        assert [order.number for order in response.context["orders"]] == [row.order_number]
        assert "Service ordered" in text

    def test_without_the_right_there_are_no_buttons(self, shop, row):
        client = browser(shop, shop.customer, StorefrontRole.CLOUD_ADMINISTRATOR)
        response = client.get(address("detail", row))
        assert (response.status_code, response.context["deeds"], response.context["orders"]) == (200, [], [])
        assert [client.get(address(name, row)).status_code for name in ALL_PAGES] == [403] * len(ALL_PAGES)

    def test_a_change_under_way_is_told_and_switches_the_deeds_off(self, client, row):
        confirm(client, address("licences", row), quantity=3)
        response = client.get(address("detail", row))
        assert "Licences are being given back." in text_of(response)
        assert {deed.reason for deed in response.context["deeds"]} == {
            "Another change of this subscription is in progress."
        }
        part = client.get(address("detail", row), headers={"HX-Request": "true", "HX-Target": "change"})
        assert part.templates[0].name == "storefront/_subscription_progress.html"
        assert "HX-Trigger-After-Settle" not in part.headers

    def test_the_part_says_when_it_is_over(self, client, row):
        confirm(client, address("licences", row), quantity=3)
        Operation.objects.filter(subscription=row).update(state=OperationState.DONE, finished_at=row.starts_at)
        part = client.get(address("detail", row), headers={"HX-Request": "true", "HX-Target": "change"})
        assert part["HX-Trigger-After-Settle"] == "service-changed"
        assert "The licences are given back." in text_of(part)

    def test_a_refusal_is_told_without_the_vendors_secrets(self, client, row):
        confirm(client, address("licences", row), quantity=3)
        Operation.objects.filter(state=OperationState.QUEUED).update(
            state=OperationState.REFUSED, code="decrease_not_allowed", message="Microsoft 800090: rpn 4711"
        )
        Subscription.objects.filter(pk=row.pk).update(sync_status=SyncStatus.FAILED, sync_note="Microsoft 800090")
        text = text_of(client.get(address("detail", row)))
        assert "The vendor takes licences back only at the next renewal." in text
        assert "4711" not in text
        assert "Set it aside" in text
        assert confirm(client, address("dismiss", row)).status_code == 302
        row.refresh_from_db()
        assert row.sync_status == SyncStatus.SYNCHRONIZED
        assert client.get(address("licences", row)).context["stop"] is None

    def test_needs_as_many_statements_with_more_around_it(self, shop, client, row):
        few = count_queries(client, address("detail", row))
        running(shop)
        for plan in (addon_of(shop), addon_of(shop)):
            row.addons.create(
                organization=shop.organization, product=plan.product, plan=plan, name="A", quantity=1, status="active",
                first_activated_at=row.starts_at,
            )  # fmt: skip
        few = count_queries(client, address("detail", row))
        plan = addon_of(shop)
        row.addons.create(
            organization=shop.organization, product=plan.product, plan=plan, name="B", quantity=1, status="active",
            first_activated_at=row.starts_at,
        )  # fmt: skip
        assert count_queries(client, address("detail", row)) == few
        assert few <= 25


class TestLicences:
    """More and fewer on one page."""

    def test_the_page_asks_for_a_number_first(self, client, row):
        response = client.get(address("licences", row))
        assert (response.context["preview"], response.context["stop"]) == (None, None)
        assert b"without-script" in response.content

    def test_more_is_an_order(self, client, row):
        shown = preview(client, address("licences", row), quantity=8)
        assert shown.templates[0].name == "storefront/_subscription_preview.html"
        assert "36.00 EUR" in text_of(shown)
        assert "Order 3 licences" in text_of(shown)
        assert nothing_asked(row)
        done = confirm(client, address("licences", row), quantity=8)
        order = Order.objects.latest("id")
        assert done["Location"] == reverse("storefront:order_detail", args=[order.public_id])
        assert (order.net, only_operation(row).desired) == (Decimal(36), {"quantity": 8})

    def test_sent_twice_it_is_one_order(self, client, row):
        url = address("licences", row)
        shown = client.post(url, {"quantity": 8, "preview": 1, "key": str(uuid.uuid4())})
        values = {"quantity": 8, "seen": shown.context["seen"], "key": key_of(shown)}
        first, second = client.post(url, values), client.post(url, values)
        assert first["Location"] == second["Location"]
        assert Order.objects.count() == 2
        assert only_operation(row).desired == {"quantity": 8}

    def test_what_was_not_seen_is_not_done(self, client, row):
        url = address("licences", row)
        shown = client.post(url, {"quantity": 8, "preview": 1})
        other = client.post(url, {"quantity": 9, "seen": shown.context["seen"], "key": key_of(shown)})
        assert (other.status_code, other.context["is_changed"]) == (200, True)
        assert nothing_asked(row)

    def test_fewer_are_given_back(self, client, row):
        shown = preview(client, address("licences", row), quantity=3)
        assert "You get back now" in text_of(shown)
        assert "6 days 23 hours left" in text_of(shown)
        assert confirm(client, address("licences", row), quantity=3).status_code == 302
        assert only_operation(row).purpose == Purpose.REDUCE

    def test_outside_of_the_window_it_can_be_planned(self, client, row):
        Subscription.objects.filter(pk=row.pk).update(cancel_until=row.starts_at)
        url = address("licences", row)
        shown = preview(client, url, quantity=3)
        assert shown.status_code == 200
        assert "The vendor takes no licences back any more" in text_of(shown)
        assert f"{address('renewal', row)}?quantity=3" in shown.content.decode()
        assert client.post(url, {"quantity": 3}).status_code == 400
        planned = client.get(f"{address('renewal', row)}?quantity=3")
        assert planned.context["preview"].next_net == Decimal(36)
        assert nothing_asked(row)

    @pytest.mark.parametrize("quantity", ["0", "301", "", "many"])
    def test_impossible_numbers_are_explained(self, client, row, quantity):
        shown = preview(client, address("licences", row), quantity=quantity)
        assert shown.status_code == 200
        assert b'role="alert"' in shown.content
        assert client.post(address("licences", row), {"quantity": quantity}).status_code == 400
        assert nothing_asked(row)

    def test_over_the_credit_it_says_so_and_waits(self, shop, client, row):
        Account.objects.filter(pk=shop.customer.pk).update(credit_limit=Decimal(60))
        url = address("licences", row)
        assert "more than the available credit" in text_of(preview(client, url, quantity=8))
        done = confirm(client, url, quantity=8)
        assert "waits for credit" in text_of(client.get(done["Location"]))
        assert not Operation.objects.filter(state=OperationState.QUEUED, subscription=row).exists()

    def test_an_account_on_hold_gives_back_but_buys_nothing(self, shop, client, row):
        Account.objects.filter(pk=shop.customer.pk).update(status=AccountStatus.SUSPENDED)
        url = address("licences", row)
        assert "This account is on hold." in text_of(preview(client, url, quantity=8))
        assert preview(client, url, quantity=3).context["preview"] is not None

    def test_somebody_was_quicker(self, client, row):
        url = address("licences", row)
        seen = client.post(url, {"quantity": 3, "preview": 1}).context["seen"]
        confirm(client, address("auto_renew", row))
        late = client.post(url, {"quantity": 3, "seen": seen})
        assert late.status_code == 409
        assert "Another change of this subscription is in progress." in text_of(late)
        assert only_operation(row).purpose == Purpose.AUTO_RENEW


class TestAddOnsAndUpgrades:
    """What can be chosen, its price, and its order."""

    def test_an_add_on_is_ordered(self, shop, client, row):
        plan = addon_of(shop)
        response = client.get(address("addon", row))
        assert [offer.plan for offer in response.context["offers"]] == [plan]
        assert "30.00 EUR" in text_of(response)
        assert confirm(client, address("addon", row), plan=plan.public_id, quantity=2).status_code == 302
        assert only_operation(row).purpose == Purpose.ADDON
        assert Order.objects.latest("id").net == Decimal(12)

    def test_nothing_offered_is_said(self, client, row):
        assert client.get(address("addon", row)).context["stop"].code == "nothing_offered"
        assert client.get(address("upgrade", row)).context["stop"].code == "nothing_offered"

    def test_a_plan_that_is_not_offered_is_refused(self, shop, client, row):
        addon_of(shop)
        other = factories.product(shop.instance).plans.get()
        for plan in (other.public_id, uuid.uuid4(), "nonsense", ""):
            assert client.post(address("addon", row), {"plan": plan, "quantity": 1}).status_code == 400
        assert nothing_asked(row)

    def test_an_add_on_is_changed_and_cancelled(self, shop, client, row):
        plan = addon_of(shop)
        addon = row.addons.create(
            organization=shop.organization, product=plan.product, plan=plan, name="Extra storage", quantity=4,
            unit_price=Decimal(6), status="active", first_activated_at=row.starts_at,
        )  # fmt: skip
        url = address("addon_change", row, addon.public_id)
        assert url in client.get(address("detail", row)).content.decode()
        assert "Order 2 more" in text_of(preview(client, url, quantity=6))
        assert "Change the add-on" in text_of(preview(client, url, quantity=1))
        assert "Cancel the add-on" in text_of(preview(client, url, quantity=0))
        confirm(client, url, quantity=0)
        assert only_operation(row).purpose == Purpose.ADDON_CANCEL
        assert client.get(address("addon_change", row, uuid.uuid4())).status_code == 404

    def test_an_add_on_ends_with_the_period_or_is_kept(self, shop, client, row):
        plan = addon_of(shop)
        addon = row.addons.create(
            organization=shop.organization, product=plan.product, plan=plan, name="Extra storage", quantity=4,
            unit_price=Decimal(6), status="active", first_activated_at=row.starts_at,
        )  # fmt: skip
        url = address("addon_end", row, addon.public_id)
        assert url in client.get(address("addon_change", row, addon.public_id)).content.decode()
        confirm(client, url)
        assert url in client.get(address("detail", row)).content.decode()
        assert client.get(address("addon_change", row, addon.public_id)).status_code == 404
        assert "Keep Extra storage" in text_of(client.get(url))
        confirm(client, url)
        addon.refresh_from_db()
        assert (addon.status, nothing_asked(row)) == ("active", True)

    def test_an_upgrade_shows_the_difference(self, shop, client, row):
        plan = upgrade_of(shop)
        response = client.get(address("upgrade", row))
        assert [(offer.price, offer.difference, offer.is_chosen) for offer in response.context["offers"]] == [
            (Decimal(24), Decimal(12), True)
        ]
        assert "Upgrade 5 licences" in text_of(response)
        confirm(client, address("upgrade", row), plan=plan.public_id, quantity=2)
        assert only_operation(row).desired["upgrade"]["quantity"] == 2


class TestRenewal:
    """What holds after the term, and whether there is an after."""

    def test_scheduled_then_revoked(self, client, row):
        url = address("renewal", row)
        assert client.get(url).context["preview"] is None
        confirm(client, url, quantity=8, plan=row.plan.public_id)
        assert ScheduledChange.objects.get().quantity == 8
        Operation.objects.filter(subscription=row).update(state=OperationState.DONE)
        text = text_of(client.get(address("detail", row)))
        assert "8 licences, 1 year, billed monthly" in text
        blocked = client.get(address("licences", row))
        assert blocked.context["stop"].code == "scheduled_change_pending"
        assert address("revoke", row) in blocked.content.decode()
        confirm(client, address("revoke", row))
        assert only_operation(row).purpose == Purpose.REVOKE_SCHEDULE

    def test_nothing_new_is_refused(self, client, row):
        shown = preview(client, address("renewal", row), quantity=5, plan=row.plan.public_id)
        assert "Change the number of licences or the plan." in text_of(shown)

    def test_automatic_renewal_off_then_it_ends(self, client, row):
        confirm(client, address("auto_renew", row))
        assert only_operation(row).desired == {"auto_renew": False}
        Operation.objects.filter(subscription=row).update(state=OperationState.DONE)
        Subscription.objects.filter(pk=row.pk).update(auto_renew=False)
        response = client.get(address("detail", row))
        assert "Does not renew" in text_of(response)
        assert client.get(address("renewal", row)).context["stop"].code == "auto_renew_off"

    def test_the_last_period_of_a_term_that_ends_has_no_next_charge(self, client, row):
        Subscription.objects.filter(pk=row.pk).update(auto_renew=False, period_ends_at=renewal_at(row.term_ends_at))
        assert "nothing more is charged" in text_of(client.get(address("detail", row)))


class TestEnd:
    """Cancel, keep, request, withdraw."""

    def test_now_or_with_the_term(self, client, row):
        response = client.get(address("cancel", row))
        assert [(way.value, way.reason, way.is_chosen) for way in response.context["ways"]] == [
            ("now", "", False),
            ("period_end", "", True),
        ]
        shown = preview(client, address("cancel", row), execution="now")
        assert "You get back now" in text_of(shown)
        assert "the vendor deletes its data" in text_of(shown)
        confirm(client, address("cancel", row), execution="now", reason="We move")
        assert (only_operation(row).purpose, only_operation(row).desired["reason"]) == (Purpose.CANCEL, "We move")

    def test_after_the_window_only_with_the_term(self, client, row):
        Subscription.objects.filter(pk=row.pk).update(cancel_until=row.starts_at)
        response = client.get(address("cancel", row))
        assert [bool(way.reason) for way in response.context["ways"]] == [True, False]
        assert client.post(address("cancel", row), {"execution": "now"}).status_code == 400
        assert nothing_asked(row)

    def test_what_ends_can_be_kept(self, client, row):
        Subscription.objects.filter(pk=row.pk).update(status=SubscriptionStatus.PENDING_CANCEL, auto_renew=False)
        response = client.get(address("detail", row))
        assert "Ends on" in text_of(response)
        assert [deed.label for deed in response.context["deeds"] if not deed.reason] == [
            "Keep it",
            "Cancel the service",
        ]
        confirm(client, address("keep", row))
        assert only_operation(row).purpose == Purpose.REVOKE_CANCEL

    def test_above_the_limit_it_is_a_request_that_can_be_withdrawn(self, client, row):
        ProductType.objects.update(auto_cancel_limit=2)
        shown = preview(client, address("cancel", row), execution="period_end")
        assert "Your provider decides about it." in text_of(shown)
        done = confirm(client, address("cancel", row), execution="period_end", reason="Too dear")
        assert CancellationRequest.objects.get().comment == "Too dear"
        text = text_of(client.get(done["Location"]))
        assert "Your request waits for your provider" in text
        assert client.get(address("licences", row)).context["stop"].code == "cancellation_pending"
        assert client.get(address("cancel", row)).context["stop"].code == "request_waits"
        assert client.post(address("cancel", row), {"execution": "now"}).status_code == 409
        confirm(client, address("withdraw", row))
        assert CancellationRequest.objects.get().status == "withdrawn"
        assert client.get(address("withdraw", row)).context["stop"].code == "nothing_requested"
        assert client.get(address("licences", row)).context["stop"] is None

    def test_a_cancelled_service_only_shows_what_was(self, client, row):
        Subscription.objects.filter(pk=row.pk).update(
            status=SubscriptionStatus.CANCELLED, cancelled_at=row.starts_at, cancel_reason="x"
        )
        response = client.get(address("detail", row))
        assert (response.context["deeds"], response.context["charge"]) == ([], None)
        assert [client.get(address(name, row)).context["stop"].code for name in PAGES] == ["not_active"] * len(PAGES)


class TestReseller:
    """A reseller for his customers, and nobody else's."""

    @pytest.fixture
    def theirs(self, shop) -> Subscription:
        """Five running licences of the reseller's end customer."""
        return running(shop, shop.reseller_admin, mode=PurchaseMode.END_CUSTOMER, target=shop.end_customer)

    def test_he_changes_and_suspends_his_customers_service(self, shop, theirs):
        client = browser(shop, shop.reseller)
        response = client.get(address("detail", theirs))
        assert shop.end_customer.name in text_of(response)
        assert "Suspend" in [deed.label for deed in response.context["deeds"]]
        url = address("suspend", theirs)
        assert client.post(url, {"reason": "", "seen": client.get(url).context["seen"]}).status_code == 400
        assert nothing_asked(theirs)
        confirm(client, url, reason="Does not pay")
        assert (only_operation(theirs).purpose, only_operation(theirs).desired) == (
            Purpose.SUSPEND,
            {"reason": "Does not pay", "by": "customer"},
        )

    def test_he_reactivates_it(self, shop, theirs):
        Subscription.objects.filter(pk=theirs.pk).update(status=SubscriptionStatus.SUSPENDED)
        client = browser(shop, shop.reseller)
        assert "Reactivate" in [deed.label for deed in client.get(address("detail", theirs)).context["deeds"]]
        confirm(client, address("activate", theirs))
        assert only_operation(theirs).purpose == Purpose.ACTIVATE

    def test_nobody_suspends_his_own(self, shop, client, row):
        assert [client.get(address(name, row)).status_code for name in ("suspend", "activate")] == [403, 403]
        assert client.post(address("suspend", row), {"reason": "Why not"}).status_code == 403
        own = running(shop, shop.reseller_admin)
        assert browser(shop, shop.reseller).get(address("suspend", own)).status_code == 403
        assert nothing_asked(row)

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_foreign_services_are_not_there(self, shop, row, theirs, method):
        stranger = browser(shop, factories.account(shop.organization, "reseller"))
        customer = browser(shop, factories.account(shop.organization))
        reseller = browser(shop, shop.reseller)
        for client, foreign in ((stranger, theirs), (customer, theirs), (reseller, row), (stranger, row)):
            found = [getattr(client, method)(address(name, foreign)).status_code for name in ALL_PAGES]
            assert found == [404] * len(ALL_PAGES)
        assert nothing_asked(row)
        assert nothing_asked(theirs)

    @pytest.mark.parametrize("account", ["end_customer", "affiliate"])
    def test_people_of_sub_accounts_look_only(self, shop, theirs, account):
        Subscription.objects.filter(pk=theirs.pk).update(account=getattr(shop, account))
        client = browser(shop, getattr(shop, account))
        response = client.get(address("detail", theirs))
        assert (response.status_code, response.context["deeds"]) == (200, [])
        assert "12.00" not in text_of(response)
        assert [client.get(address(name, theirs)).status_code for name in ALL_PAGES] == [403] * len(ALL_PAGES)

    def test_without_the_right_to_cost_there_are_no_amounts_and_it_works(self, shop, theirs):
        client = browser(shop, shop.reseller, StorefrontRole.SUBSCRIPTIONS_MANAGER)
        for url in (address("detail", theirs), address("licences", theirs), address("renewal", theirs)):
            assert "EUR" not in text_of(client.get(url))
        shown = preview(client, address("licences", theirs), quantity=8)
        assert "3 licences are added" in text_of(shown)
        assert "EUR" not in text_of(shown)
        assert "36" not in text_of(shown)
        done = confirm(client, address("licences", theirs), quantity=8)
        assert "EUR" not in text_of(client.get(done["Location"]))
        assert Order.objects.latest("id").net == Decimal(36)
        assert only_operation(theirs).desired == {"quantity": 8}


class TestWindow:
    """The vendor's window, read anew."""

    def test_old_figures_ask_anew_by_themselves_and_by_a_button(self, client, row):
        Subscription.objects.filter(pk=row.pk).update(vendor_read_at=None)
        page = client.get(address("cancel", row)).content.decode()
        assert f'hx-post="{address("refresh", row)}" hx-trigger="load"' in page
        part = client.post(address("refresh", row), headers={"HX-Request": "true"})
        assert "Being read at the vendor" in text_of(part)
        assert 'hx-trigger="every 2s"' in part.content.decode()
        again = client.post(address("refresh", row))
        assert again["Location"] == address("detail", row)

    def test_a_part_that_has_been_read_asks_no_more(self, client, row):
        part = client.get(address("refresh", row), headers={"HX-Request": "true"})
        assert part["HX-Trigger-After-Settle"] == "window-read"
        assert "every 2s" not in part.content.decode()

    def test_get_reads_nothing(self, client, row):
        assert client.get(address("refresh", row)).status_code == 302
        assert nothing_asked(row)
