"""Random walks through the life of subscriptions: what anybody may try, in any order, with the clock moving.

After every step everything comes to rest, and the ledger must hold: nothing lost, nothing doubled, here and there.
A refusal is a good answer; anything else that is raised is not.
"""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.errors import BusinessError
from core.tenancy import Actor
from orders.services import giveback, more
from provisioning.services import desk, renewals
from subscriptions.enums import Execution, OperationState
from subscriptions.models import Operation, Subscription
from subscriptions.services import schedule, switch
from tests.drain import drain
from tests.provisioning.life import connected_shop, fresh, ledger_problems, move
from tests.shop import fill_basket, place
from tests.twins import Twins

quantities = st.integers(min_value=1, max_value=12)
services = st.integers(min_value=0, max_value=3)
people = st.sampled_from(["customer", "staff"])
CALLS = ["update_subscription", "checkout_cart", "create_cart"]
DAYS = [1, 3, 8, 31, 120, 366]
FAULTS = ["timeout_after", "reset_after", "http_500_after", "http_500_before", "malformed", "bom", "auth_401"]


def walk(twins: Twins, seed_faults: bool = True) -> type[RuleBasedStateMachine]:
    """The machine over these twins; with ``seed_faults`` the vendor stumbles now and then."""

    class Life(RuleBasedStateMachine):
        """Each walk has a shop of its own; the vendor's state and the database grow from walk to walk."""

        @initialize()
        def begin(self) -> None:
            self.shop = connected_shop(twins)
            self.rows: list[Subscription] = []

        def _who(self, name: str) -> Actor:
            return self.shop.staff if name == "staff" else self.shop.customer_admin

        def _try(self, number: int, call: Callable[[Subscription], Any]) -> None:
            row = fresh(self.rows[number % len(self.rows)])
            try:
                call(row)
            except BusinessError:
                return
            drain(twins, patience=dt.timedelta(hours=3))

        @precondition(lambda self: len(self.rows) < 4)
        @rule(quantity=quantities)
        def order(self, quantity: int) -> None:
            actor = self.shop.customer_admin
            placed = place(actor, fill_basket(self.shop, actor, quantity=quantity))
            drain(twins, patience=dt.timedelta(hours=3))
            self.rows += list(Subscription.objects.filter(order_number=placed.number, account=self.shop.customer))

        @precondition(lambda self: self.rows)
        @rule(number=services, quantity=quantities, who=people)
        def licences(self, number: int, quantity: int, who: str) -> None:
            def change(row: Subscription) -> None:
                if quantity > row.quantity:
                    total = more.wish_licences(row, quantity=quantity).preview.amount.gross
                    more.buy_licences(
                        self._who(who), subscription=row, quantity=quantity, key=uuid.uuid4(), seen_total=total
                    )
                else:
                    giveback.reduce(self._who(who), subscription=row, quantity=quantity)

            self._try(number, change)

        @precondition(lambda self: self.rows)
        @rule(number=services, who=people, execution=st.sampled_from(list(Execution)))
        def cancel(self, number: int, who: str, execution: Execution) -> None:
            self._try(number, lambda row: giveback.cancel(self._who(who), subscription=row, execution=execution))

        @precondition(lambda self: self.rows)
        @rule(number=services, who=people)
        def keep(self, number: int, who: str) -> None:
            self._try(number, lambda row: switch.revoke_cancel(self._who(who), subscription=row))

        @precondition(lambda self: self.rows)
        @rule(number=services, on=st.booleans())
        def auto_renew(self, number: int, on: bool) -> None:
            self._try(number, lambda row: switch.set_auto_renew(self.shop.staff, subscription=row, auto_renew=on))

        @precondition(lambda self: self.rows)
        @rule(number=services)
        def suspend(self, number: int) -> None:
            self._try(number, lambda row: switch.suspend(self.shop.staff, subscription=row, reason="walking"))

        @precondition(lambda self: self.rows)
        @rule(number=services)
        def activate(self, number: int) -> None:
            self._try(number, lambda row: switch.activate(self.shop.staff, subscription=row))

        @precondition(lambda self: self.rows)
        @rule(number=services, quantity=quantities)
        def plan_ahead(self, number: int, quantity: int) -> None:
            self._try(
                number,
                lambda row: schedule.schedule_change(
                    self.shop.customer_admin, subscription=row, quantity=quantity, plan=row.plan
                ),
            )

        @precondition(lambda self: self.rows)
        @rule(number=services)
        def revoke_plan(self, number: int) -> None:
            self._try(number, lambda row: schedule.revoke_schedule(self.shop.customer_admin, subscription=row))

        @precondition(lambda self: self.rows)
        @rule(number=services)
        def set_aside(self, number: int) -> None:
            self._try(number, lambda row: desk.dismiss(self.shop.customer_admin, subscription=row))

        @rule(days=st.sampled_from(DAYS))
        def time_passes(self, days: int) -> None:
            move(twins, dt.timedelta(days=days))
            while renewals.run_clock():
                drain(twins, patience=dt.timedelta(hours=3))

        @precondition(lambda self: seed_faults)
        @rule(
            kind=st.sampled_from(FAULTS), call=st.sampled_from(["update_subscription", "checkout_cart", "create_cart"])
        )
        def vendor_stumbles(self, kind: str, call: str) -> None:
            twins.fault(call, kind)

        @invariant()
        def nothing_lost_nothing_doubled(self) -> None:
            if not hasattr(self, "rows"):
                return
            assert ledger_problems(twins) == []
            for row in Subscription.objects.filter(account=self.shop.customer, status="active"):
                assert row.first_activated_at is not None
            stuck = Operation.objects.filter(account=self.shop.customer, state=OperationState.ATTENTION)
            assert not stuck.exclude(code="outcome_unknown").values_list("code", "message").exists()

        def teardown(self) -> None:
            twins.no_faults()

    return Life
