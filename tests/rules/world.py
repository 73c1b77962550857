"""A distributor with two resellers' worlds: one open to everybody, one kept by a permission rule."""

from dataclasses import dataclass

from core.tenancy import Actor
from orders.models import Order
from resellers.models import Account, PermissionRule
from resellers.selectors import actor_for
from resellers.services.rules import assign_rule, save_rule
from tests import factories
from tests.shop import Shop, fill_basket, make_shop, place
from users.models import User
from users.permissions import StaffRole

# Everything an employee can do without being an Administrator.
ROLES = [role.value for role in StaffRole if role != StaffRole.ADMINISTRATOR]


@dataclass
class World:
    """``hidden`` has the rule; ``open`` has none. ``order`` and ``other`` are an order of each."""

    shop: Shop
    rule: PermissionRule
    open: Account
    hidden: Account
    order: Order
    other: Order

    def actor(self, user: User) -> Actor:
        """The employee as he acts now."""
        return actor_for(user, self.shop.site, as_staff=True)

    def employee(self, level: str = "", roles: list[str] | None = None) -> User:
        """An employee with all roles but the Administrator's, to whom the rule gives ``level``."""
        user = factories.user(self.shop.organization, roles=roles or ROLES)
        if level:
            give(self, user, level)
        return user


def give(world: World, user: User, level: str) -> None:
    """Let the rule give ``level`` to one more employee."""
    users = dict(world.rule.grants.exclude(user=None).values_list("user_id", "level")) | {user.pk: level}
    save_rule(world.shop.staff, rule=world.rule, name=world.rule.name, users=users)  # type: ignore[arg-type]


def make_world() -> World:
    """Both accounts with an order, services, operations, charges and mails."""
    shop = make_shop()
    # A name that is no part of any other one.
    Account.objects.filter(pk=shop.customer.pk).update(name="Hidden Harbour", email="harbour@hidden.example")
    shop.customer.refresh_from_db()
    rule = save_rule(shop.staff, rule=None, name="Key accounts")
    other = factories.account(shop.organization)
    factories.price_list(shop.organization, to=other)
    orders = []
    for account in (shop.customer, other):
        buyer = factories.actor(shop.organization, of=account)
        orders.append(place(buyer, fill_basket(shop, buyer, target=account)))
    assign_rule(shop.staff, account=shop.customer, rule=rule)
    shop.customer.refresh_from_db()
    return World(shop=shop, rule=rule, open=other, hidden=shop.customer, order=orders[0], other=orders[1])
