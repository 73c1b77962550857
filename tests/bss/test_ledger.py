"""The ledger's lists, the rules of product types, and the price that is set by hand."""

from decimal import Decimal

import pytest
from django.urls import reverse

from billing.models import Charge
from catalog.models import ProductType, RefundPolicy
from core.audit import AuditEntry
from core.tenancy import system_actor
from orders.services import renew
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import Subscription
from tests import factories
from tests.bss.running import running
from tests.bss.staff import count_queries, rows_of, staff_client
from tests.shop import Shop, fill_basket, place
from users.permissions import StaffRole

pytestmark = pytest.mark.django_db
LEDGER = reverse("bss:charge_list")
TYPES = reverse("bss:type_list")


class TestLedger:
    """Charges and credits."""

    def test_of_everybody_and_of_one_account(self, shop):
        running(shop)
        place(shop.reseller_admin, fill_basket(shop, shop.reseller_admin, quantity=2))
        first, second = Charge.objects.order_by("id")
        client = staff_client(shop.organization, StaffRole.READ_ONLY)
        assert rows_of(client.get(LEDGER)) == [second, first]
        assert rows_of(client.get(LEDGER, {"state": "due"})) == [first]
        assert rows_of(client.get(LEDGER, {"kind": "credit"})) == []
        assert rows_of(client.get(LEDGER, {"subscription": first.subscription.name, "state": "due"})) == [first]
        page = reverse("bss:account_ledger", args=[shop.reseller.public_id])
        found = client.get(page)
        assert (rows_of(found), found.context["heading"]) == ([second], f"Ledger of {shop.reseller.name}")
        lines = b"".join(client.get(page, {"format": "csv"}).streaming_content).decode().splitlines()
        assert (len(lines), second.description in lines[1]) == (2, True)

    def test_is_of_the_own_organization(self, shop):
        running(shop)
        stranger = staff_client(factories.organization())
        assert rows_of(stranger.get(LEDGER)) == []
        page = reverse("bss:account_ledger", args=[shop.customer.public_id])
        assert stranger.get(page).status_code == 404

    def test_needs_as_many_queries_for_more_rows(self, shop):
        client = staff_client(shop.organization)
        running(shop)
        few = count_queries(client, LEDGER)
        running(shop)
        running(shop)
        assert count_queries(client, LEDGER) == few


class TestProductTypes:
    """Rules for refunds and requests."""

    def page(self, shop: Shop) -> str:
        return reverse("bss:type_edit", args=[shop.product.product_type.public_id])

    def test_rules_are_changed_and_written_down(self, shop):
        client = staff_client(shop.organization)
        assert rows_of(client.get(TYPES)) == [shop.product.product_type]
        values = {"refund_policy": "none", "auto_cancel_addons": "on", "auto_cancel_limit": 5}
        assert client.post(self.page(shop), values).url == TYPES
        row = ProductType.objects.get()
        assert (row.refund_policy, row.auto_cancel_limit) == (RefundPolicy.NONE, 5)
        assert (row.auto_cancel_subscriptions, row.auto_cancel_addons) == (False, True)
        entry = AuditEntry.objects.get(action="product_type.updated")
        assert entry.after == {
            "refund_policy": "none",
            "auto_cancel_subscriptions": False,
            "auto_cancel_limit": 5,
            "allow_multiple_subscriptions": False,
        }
        client.post(self.page(shop), values)
        assert AuditEntry.objects.filter(action="product_type.updated").count() == 1

    @pytest.mark.parametrize(
        ("values", "field"),
        [({"refund_policy": "weeks"}, "refund_policy"), ({"refund_policy": "days", "auto_cancel_limit": 0},
          "auto_cancel_limit")],
    )  # fmt: skip
    def test_nonsense_is_refused(self, shop, values, field):
        found = staff_client(shop.organization).post(self.page(shop), values)
        assert (found.status_code, list(found.context["form"].errors)) == (400, [field])
        assert ProductType.objects.get().refund_policy == RefundPolicy.DAYS

    def test_only_who_manages_the_catalogue(self, shop):
        assert staff_client(shop.organization, StaffRole.SALES).get(TYPES).status_code == 403
        assert staff_client(factories.organization()).get(self.page(shop)).status_code == 404


class TestPrice:
    """Edit Pricing Info."""

    def set_price(self, shop: Shop, row: Subscription, price: str, role: StaffRole = StaffRole.BILLING):
        page = reverse("bss:subscription_price", args=[row.public_id])
        client = staff_client(shop.organization, role)
        asked = client.post(page, {"unit_price": price, "preview": "1"})
        seen = asked.context["seen"] if asked.status_code == 200 else ""
        return client.post(page, {"unit_price": price, "reason": "Agreed by phone", "seen": seen})

    def test_holds_from_the_next_period_on_and_leaves_this_one(self, shop):
        row = running(shop)
        assert self.set_price(shop, row, "9.50").status_code == 302
        row.refresh_from_db()
        assert (row.unit_price, row.next_unit_price) == (Decimal("12.00"), Decimal("9.50"))
        entry = AuditEntry.objects.get(action="subscription.price_set")
        assert (entry.before, entry.reason) == ({"unit_price": "12.0000"}, "Agreed by phone")
        renew.next_period(system_actor(shop.organization.pk), row)
        row.refresh_from_db()
        assert (row.unit_price, row.next_unit_price) == (Decimal("9.50"), None)
        assert Charge.objects.order_by("-id")[0].net == Decimal("47.50")

    def test_goes_before_the_price_list_at_a_renewal_of_the_same_plan(self, shop):
        row = running(shop)
        self.set_price(shop, row, "9.50")
        row.refresh_from_db()
        assert renew.renewal_price(row, row.plan)[0] == Decimal("9.50")
        other = factories.product(shop.instance).plans.get()
        assert renew.renewal_price(row, other)[0] == Decimal("12.00")

    def test_same_price_as_now_takes_it_back(self, shop):
        row = running(shop)
        self.set_price(shop, row, "9.50")
        self.set_price(shop, row, "12.00")
        row.refresh_from_db()
        assert row.next_unit_price is None

    def test_only_billing_and_only_while_it_runs_in_order(self, shop):
        row = running(shop)
        assert self.set_price(shop, row, "9.50", StaffRole.BILLING).status_code == 302
        page = reverse("bss:subscription_price", args=[row.public_id])
        for role in (StaffRole.SALES, StaffRole.SUPPORT, StaffRole.READ_ONLY):
            assert staff_client(shop.organization, role).post(page, {"unit_price": "1"}).status_code == 403
        for change in (
            {"status": SubscriptionStatus.SUSPENDED},
            {"status": SubscriptionStatus.PENDING_CANCEL},
            {"status": SubscriptionStatus.ACTIVE, "sync_status": "failed"},
        ):
            Subscription.objects.filter(pk=row.pk).update(**change)
            assert self.set_price(shop, row, "8.00").status_code == 400
        row.refresh_from_db()
        assert row.next_unit_price == Decimal("9.50")

    @pytest.mark.parametrize("price", ["-1", "12.00", "1.00001", "words"])
    def test_nonsense_is_refused(self, shop, price):
        row = running(shop)
        assert self.set_price(shop, row, price).status_code == 400
        row.refresh_from_db()
        assert row.next_unit_price is None
