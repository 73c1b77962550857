"""The proof that nothing is lost: it is silent when all is well, and names each kind of damage."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from billing.models import Charge
from core import clock
from orders.models import OrderLine
from orders.services import giveback
from subscriptions.models import Operation, Subscription
from tests.drain import drain
from tests.provisioning.life import active, connected_shop, ledger_problems

pytestmark = pytest.mark.django_db(transaction=True)

Damage = Callable[[Subscription], object]
DAMAGES: dict[str, tuple[Damage, str]] = {
    "quantity": (lambda row: _set(row, quantity=9), "licences here and 3 at the vendor"),
    "status": (lambda row: _set(row, status="suspended"), "suspended here and active at the vendor"),
    "orphan": (lambda row: _set(row, external_id="somewhere-else"), "which is not known here"),
    "lost": (lambda row: _set(row, external_id="somewhere-else"), "does not exist at the vendor"),
    "no id": (lambda row: _set(row, external_id=""), "without the vendor's id"),
    "failed in silence": (lambda row: _set(row, sync_status="failed"), "the desk is silent"),
    "unbilled": (lambda row: _set(row, period_ends_at=clock.now() - dt.timedelta(days=9)), "was not billed since"),
    "charge gone": (lambda row: Charge.objects.filter(source__startswith="order-line").delete(), "its charge is None"),
    "charge reserved": (
        lambda row: Charge.objects.filter(source__startswith="order-line").update(state="reserved"),
        "its charge is reserved",
    ),
    "credit gone": (lambda row: Charge.objects.filter(kind="credit").delete(), "was not posted"),
    "credit of nothing": (
        lambda row: Charge.objects.filter(kind="credit").update(source="operation:nobody"),
        "for no operation",
    ),
    "credit too high": (
        lambda row: Charge.objects.filter(kind="credit").update(gross=Decimal(-900), net=Decimal(-900), tax=0),
        "given back of",
    ),
    "line forgotten": (lambda row: OrderLine.objects.update(delivery_status="in_progress"), "nobody works on it"),
    "worker lost": (
        lambda row: Operation.objects.filter(subscription=row, verb="change").update(
            state="running", claimed_until=clock.real_now() - dt.timedelta(hours=1)
        ),
        "lost its worker",
    ),
}


def _set(row: Subscription, **values: object) -> None:
    Subscription.objects.filter(pk=row.pk).update(**values)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_named(twins, damage):
    shop = connected_shop(twins)
    row = active(shop, twins)
    giveback.reduce(shop.staff, subscription=row, quantity=3)
    drain(twins)
    assert ledger_problems(twins) == []
    harm, words = DAMAGES[damage]
    harm(row)
    assert any(words in problem for problem in ledger_problems(twins))


def test_the_command_exits_with_1_and_lists_what_does_not_hold(twins):
    shop = connected_shop(twins)
    row = active(shop, twins)
    out = StringIO()
    call_command("check_ledger", stdout=out)
    assert "All holds" in out.getvalue()
    _set(row, quantity=9)
    errors = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("check_ledger", stderr=errors)
    assert caught.value.returncode == 1
    assert "9 licences here and 5 at the vendor" in errors.getvalue()
    call_command("check_ledger", "--database-only", stdout=out)
