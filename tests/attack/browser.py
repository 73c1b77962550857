"""Browsers of the attack tests: signed in at a shop, without CSRF exemption where it matters."""

from django.test import Client

from resellers.models import Account
from tests import factories
from tests.shop import Shop
from users.models import User


def signed_in(shop: Shop, user: User, *, csrf: bool = False) -> Client:
    """A browser at the shop's host in which ``user`` is signed in; ``csrf`` makes it check tokens."""
    client = Client(headers={"host": shop.site.host}, enforce_csrf_checks=csrf)
    client.force_login(user, backend="sso.backends.RealmBackend")
    return client


def user_of(shop: Shop, account: Account, *roles: str) -> tuple[User, Client]:
    """A new user of ``account`` and his browser."""
    user = factories.user(shop.organization, of=account, roles=list(roles) or None)
    return user, signed_in(shop, user)
