"""A reseller who pays by card: the switch is on and locked, and approving takes a stored card (``channel.md`` 4.4)."""

import pytest

from billing.models import Charge
from billing.ports import NoVault
from core.audit import AuditEntry
from core.errors import BusinessError, Conflict
from orders.enums import OrderStatus
from orders.services.approve import approve_order, cost_today
from resellers.enums import AccountKind, PaymentMethod
from resellers.models import Account
from resellers.selectors import customers_with_approval
from resellers.services.accounts import set_credit
from resellers.services.approval import set_all_order_approvals, set_order_approval
from subscriptions.models import Operation
from tests import factories
from tests.legs.test_pages import browser, page, status_of, text_of
from tests.legs.world import World, actor_of, make_world, order_of
from users.permissions import StorefrontRole

pytestmark = pytest.mark.django_db


class Full(NoVault):
    """A gateway that knows everybody's card."""

    def has_token(self, account: Account) -> bool:
        """Yes."""
        return True


@pytest.fixture
def world() -> World:
    return make_world()


def pay_by(world: World, method: PaymentMethod) -> None:
    set_credit(world.shop.staff, account=world.shop.reseller, values={"payment_method": method})


def needing(world: World) -> set[str]:
    return {row.name for row in customers_with_approval(world.decider).filter(needs_approval=True)}


def test_card_turns_all_on_and_giving_it_up_restores_the_former_positions(world):
    factories.account(world.shop.organization, AccountKind.AFFILIATE, bill_to=world.shop.reseller, name="Gull Ltd")
    set_order_approval(world.decider, account=world.customer, needed=False)
    assert needing(world) == {"Fir Florist"}
    pay_by(world, PaymentMethod.CARD)
    assert needing(world) == {"Elm Bakery", "Fir Florist"}
    pay_by(world, PaymentMethod.INVOICE)
    assert needing(world) == {"Fir Florist"}


def test_customers_order_waits_whatever_his_switch_said(world):
    set_order_approval(world.decider, account=world.customer, needed=False)
    pay_by(world, PaymentMethod.CARD)
    assert order_of(world, actor_of(world.shop, world.customer)).status == OrderStatus.SUSPENDED
    assert not Operation.objects.exists()


@pytest.mark.parametrize("needed", [True, False])
def test_locked_switch_is_refused_one_by_one_and_for_all(world, needed):
    pay_by(world, PaymentMethod.CARD)
    before = list(Account.objects.order_by("pk").values_list("order_approval", "updated_at"))
    for turn in (
        lambda: set_order_approval(world.decider, account=world.customer, needed=needed),
        lambda: set_all_order_approvals(world.decider, needed=needed),
    ):
        with pytest.raises(Conflict) as refused:
            turn()
        assert refused.value.code == "approval_locked"
    assert list(Account.objects.order_by("pk").values_list("order_approval", "updated_at")) == before
    assert not AuditEntry.objects.filter(action="account.order_approval").exists()


def test_locked_switch_on_the_pages(world):
    pay_by(world, PaymentMethod.CARD)
    client = browser(world)
    for name in ("approval_switches", "customer_list"):
        answer = client.get(page(name))
        assert 'name="row"' not in answer.content.decode()
        client.post(page(name), {"action": "off", "row": [str(world.customer.public_id)]})
    assert "You pay by card" in text_of(client.get(page("approval_switches")))
    detail = text_of(client.get(page("customer_detail", world.customer.public_id)))
    assert "You pay by card" in detail
    assert "Order without approval" not in detail
    for address in (page("customer_approval", world.customer.public_id), page("approval_switch_all", "off")):
        assert client.post(address).status_code == 400
    assert not Account.objects.filter(order_approval=False).exists()


def test_switch_of_one_customer_on_his_page_and_in_my_customers(world):
    client = browser(world)
    address = page("customer_approval", world.customer.public_id)
    assert "Order without approval" in text_of(client.get(page("customer_detail", world.customer.public_id)))
    client.post(address)
    assert list(Account.objects.filter(order_approval=False)) == [world.customer]
    assert "is bought at once" in text_of(client.get(page("customer_detail", world.customer.public_id)))
    client.post(page("customer_list"), {"action": "on", "row": [str(world.customer.public_id)]})
    assert not Account.objects.filter(order_approval=False).exists()
    assert status_of(browser(world, None, StorefrontRole.BUYER), address) == 403


def test_only_who_turns_the_switch_reads_it_in_my_customers(world):
    assert "Needs approval" in text_of(browser(world).get(page("customer_list")))
    assert "Needs approval" not in text_of(browser(world, None, StorefrontRole.BUYER).get(page("customer_list")))


def test_approving_without_a_stored_card_is_refused_and_nothing_happens(world):
    order = order_of(world)
    pay_by(world, PaymentMethod.CARD)
    with pytest.raises(BusinessError) as refused:
        approve_order(world.decider, order=order, seen_total=cost_today(order).gross)
    assert (refused.value.code, str(refused.value.message)) == ("card_token_missing", "Store a card first.")
    order.refresh_from_db()
    assert order.status == OrderStatus.SUSPENDED
    assert not Charge.objects.exists()
    client = browser(world)
    shown = text_of(client.get(page("approval_decide", order.public_id)))
    assert "Store a card first." in shown
    assert "obligation to pay" not in shown
    answer = {"deed": "approve", "seen_total": str(order.gross)}
    assert client.post(page("approval_decide", order.public_id), answer).status_code == 400


def test_approving_with_a_stored_card_goes_its_way(world, settings):
    settings.CARD_VAULT = f"{__name__}.Full"
    order = order_of(world)
    pay_by(world, PaymentMethod.CARD)
    found = approve_order(world.decider, order=order, seen_total=cost_today(order).gross)
    assert found.status == OrderStatus.EXECUTED


def test_rejecting_needs_no_card(world):
    order = order_of(world)
    pay_by(world, PaymentMethod.CARD)
    answer = {"deed": "reject", "seen_total": "0", "reason": "Over your budget"}
    browser(world).post(page("approval_decide", order.public_id), answer)
    order.refresh_from_db()
    assert order.status == OrderStatus.CANCELLED
