"""The realm of a request: the e-mail address is unique within it, and a session counts only there."""

import uuid

from django.http import HttpRequest

from resellers.models import Site, realm_of

INSTALLATION = uuid.UUID(int=0)


def request_realm(request: HttpRequest | None) -> uuid.UUID:
    """The realm of the request's site; the installation's own (superusers only) without a site."""
    site: Site | None = getattr(request, "site", None)
    return realm_of(site, site.organization) if site else INSTALLATION
