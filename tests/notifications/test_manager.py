"""The account manager hears of his accounts (``channel.md`` 12); without one, mails go where they went before."""

import pytest

from notifications.models import OutgoingMail
from notifications.services import events
from resellers.models import Membership
from resellers.services.rules import assign_rule, save_rule, set_account_manager
from tests import factories
from tests.notifications.test_events import mails, order, service, told  # noqa: F401
from users.permissions import StaffRole

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(shop):
    user = factories.user(shop.organization, roles=[StaffRole.SALES.value])
    set_account_manager(shop.staff, account=shop.customer, manager=user)
    return user


def staff_mails(shop):
    return [mail for mail in mails() if mail[1] != shop.customer_admin.email]


def test_manager_reads_of_placed_and_cancelled_orders(shop, order, manager):  # noqa: F811
    events.process_event(told(shop, "order.placed", order).pk)
    events.process_event(told(shop, "order.cancelled", order, reason="Typed twice").pk)
    assert staff_mails(shop) == [("order_for_manager", manager.email)] * 2
    first, second = OutgoingMail.objects.filter(recipient=manager.email).order_by("id")
    assert first.subject == f"New order {order.number} of {shop.customer.name}"
    assert (f"/bss/orders/{order.public_id}/" in first.text, "Typed twice" in second.text) == (True, True)


def test_manager_is_told_of_no_credit_instead_of_the_desk(shop, order, manager):  # noqa: F811
    events.process_event(told(shop, "order.waiting", order, reason="no_credit", message="9.00 too much").pk)
    assert staff_mails(shop) == [("order_no_credit", manager.email)]


def test_manager_is_told_what_the_vendor_refused(shop, service, manager):  # noqa: F811
    row = service.order_lines.get().order
    events.process_event(told(shop, "subscription.refused", row, service, reason="No", cleaned="No").pk)
    assert ("provisioning_refused", manager.email) in staff_mails(shop)


@pytest.mark.parametrize("gone", ["inactive", "left", "may not see"])
def test_somebody_who_is_gone_or_may_not_see_is_told_nothing(shop, order, manager, gone):  # noqa: F811
    if gone == "inactive":
        manager.is_active = False
        manager.save()
    elif gone == "left":
        Membership.objects.filter(user=manager).delete()
    else:
        assign_rule(shop.staff, account=shop.customer, rule=save_rule(shop.staff, rule=None, name="Others"))
    events.process_event(told(shop, "order.placed", order).pk)
    events.process_event(told(shop, "order.waiting", order, reason="no_credit", message="").pk)
    assert staff_mails(shop) == [("order_no_credit", shop.organization.email)]


def test_own_order_is_no_news(shop, order, manager):  # noqa: F811
    order.buyer = manager
    order.save()
    events.process_event(told(shop, "order.placed", order).pk)
    assert ("order_for_manager", manager.email) not in mails()
