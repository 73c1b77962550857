"""Which storefront a request is for: a custom domain, else an alias as the first path segment, else the host's own.

At most one indexed look-up per request beyond the host's, and none for addresses whose first segment cannot be an
alias; both are kept in the process for ``BRIEF_SECONDS``. A host name counts only as far as we know it: unknown ones
get the first organization's site (``channel.md`` 1, 4.1).
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Case, Q, QuerySet, When

from core import clock
from core.brief import briefly
from core.prepared import PreparedObjects
from resellers.aliases import may_be_alias
from resellers.enums import AliasState, SiteStatus
from resellers.models import Site, StorefrontAlias

SHOWN = (SiteStatus.LIVE, SiteStatus.SUSPENDED, SiteStatus.CLOSED, SiteStatus.PREPARING)


@dataclass(frozen=True, slots=True)
class Route:
    """The site, the part of the path that names it (``/cedar`` or nothing), and where to go instead, if anywhere.

    ``moved`` is an address without the rest of the path: the site's own host, or its new alias.
    """

    site: Site | None
    prefix: str = ""
    moved: str = ""


def route(found: Site | None, path: str) -> Route:
    """Find the storefront of a request; ``found`` is the site of its host, ``path`` as it was asked for."""
    if found is None or found.account_id is not None:
        return Route(found)
    segment = path[1:].partition("/")[0]
    alias = segment.lower()
    if not may_be_alias(alias):
        return Route(found)
    site = site_for_alias(found.organization_id, alias)
    if site is None:
        return Route(found)
    if site.host:
        return Route(site, f"/{segment}", site_address(site))
    if site.alias != segment:
        return Route(site, f"/{segment}", f"/{site.alias}")
    return Route(site, f"/{segment}")


def site_address(site: Site | None) -> str:
    """Where a site is reached from outside, without a slash at the end: scheme, host, port, and its alias if any."""
    public = urlsplit(settings.PUBLIC_URL)
    own = site_host(site)
    if not own:
        base = f"{public.scheme}://{public.netloc}"
    else:
        port = f":{public.port}" if public.port else ""
        base = f"{public.scheme}://{own}{port}"
    uses_alias = site is not None and site.account_id is not None and not site.host and site.alias
    return f"{base}/{site.alias}" if uses_alias and site is not None else base


def site_host(site: Site | None) -> str:
    """The host of a site: its custom domain, else that of its organization's own storefront; empty for the default."""
    if site is None or site.host or site.account_id is None:
        return site.host if site is not None else ""
    own = organization_site(site.organization_id)
    return own.host if own is not None else ""


@briefly
def organization_site(organization_id: int) -> Site | None:
    """The organization's own storefront."""
    return Site.objects.select_related("organization").filter(organization_id=organization_id, account=None).first()


@briefly
def site_for_host(host: str) -> Site | None:
    """The site of a host name; a host that belongs to nobody gets the first organization's own site. One statement.

    A change of the site shows after ``BRIEF_SECONDS``.
    """
    return next(iter(_SITES.read(name=host.lower())), None)


def _nearest_site(name: str) -> QuerySet[Site]:
    own = Q(host=name) & ~Q(host="") & ~Q(status=SiteStatus.DELETED)
    default = Q(account=None, status=SiteStatus.LIVE)
    nearest = Case(When(host=name, then=0), When(host="", then=1), default=2)
    return Site.objects.filter(own | default).order_by(nearest, "id")[:1]


_SITES = PreparedObjects(_nearest_site, "organization", "account", name="the host that is asked for")


@briefly
def site_for_alias(organization_id: int, alias: str) -> Site | None:
    """The reseller's site that an alias leads to; None for an alias that is free, only held, or whose time is over."""
    claims = StorefrontAlias.objects.filter(Q(until=None) | Q(until__gt=clock.now())).exclude(state=AliasState.HELD)
    claims = claims.filter(organization_id=organization_id, alias=alias)
    sites = Site.objects.select_related("organization", "account")
    return sites.filter(account__in=claims.values("account"), status__in=SHOWN).first()


def site_of_reseller(account_id: int) -> Site | None:
    """The reseller's site that is not deleted, whatever its state."""
    rows = Site.objects.select_related("organization", "account").exclude(status=SiteStatus.DELETED)
    return rows.filter(account_id=account_id).first()
