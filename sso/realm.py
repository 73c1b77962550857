"""The realm of a request: the e-mail address is unique within it, and a session counts only there."""

import uuid

from django.http import HttpRequest

from resellers.models import Site, realm_of
from resellers.selectors import has_membership_at
from users.models import User

INSTALLATION = uuid.UUID(int=0)


def sign_in_realms(request: HttpRequest | None) -> tuple[uuid.UUID, ...]:
    """The realms whose users may be at home at the request's site, the site's own first.

    A reseller's people have one login, the organization's, for its storefront and for their own site.
    """
    site: Site | None = getattr(request, "site", None)
    if site is None:
        return (INSTALLATION,)
    own = realm_of(site, site.organization)
    return (own, site.organization.public_id) if site.account_id is not None else (own,)


def is_at_home(user: User, site: Site | None) -> bool:
    """Whether the user belongs to the site: by its realm, or, at a reseller's, as one of the reseller's people.

    Elsewhere his password is a wrong password (``channel.md`` 1).
    """
    if site is None:
        return user.realm == INSTALLATION
    if site.account_id is None:
        return bool(user.realm == site.organization.public_id)
    if user.realm == site.public_id:
        return True
    return user.realm == site.organization.public_id and has_membership_at(user, site)


def request_realm(request: HttpRequest | None) -> uuid.UUID:
    """The realm of the request's site; the installation's own (superusers only) without a site."""
    site: Site | None = getattr(request, "site", None)
    return realm_of(site, site.organization) if site else INSTALLATION
