"""Browsers of the attack tests: signed in at a shop, without CSRF exemption where it matters."""

from django.test import Client

from resellers.models import Account, Site
from tests import factories
from tests.shop import Shop
from users.models import User


def signed_in(shop: Shop, user: User, *, csrf: bool = False) -> Client:
    """A browser in which ``user`` is signed in, at the host where he is at home; ``csrf`` makes it check tokens."""
    own = Site.objects.filter(public_id=user.realm).first() or shop.site
    client = Client(headers={"host": own.host}, enforce_csrf_checks=csrf)
    client.force_login(user, backend="sso.backends.RealmBackend")
    return client


def user_of(shop: Shop, account: Account, *roles: str) -> tuple[User, Client]:
    """A new user of ``account`` and his browser."""
    user = factories.user(shop.organization, of=account, roles=list(roles) or None)
    return user, signed_in(shop, user)
