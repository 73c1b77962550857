"""A reseller's own host name for his site: asked for, proved by the DNS, certified, bound (``channel.md`` 4.1).

The DNS and the proxy are asked outside any transaction; what they said is written with a compare-and-set, so that an
answer that comes late changes nothing any more.
"""

import datetime as dt
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit, clock, dns, outbox
from core.errors import BusinessError, Conflict, NotVisible
from core.events import emit
from core.tenancy import Actor, TenantQuerySet, system_actor
from core.tls import Shown, certificate_shown
from resellers.domain_rules import (
    CHECK_EVERY,
    DOMAIN_MACHINE,
    LOOK_AGAIN,
    RECORD,
    TIME_LIMIT,
    DomainEvent,
    DomainStatus,
    clean_host,
)
from resellers.editions import Capability, require_capability
from resellers.models import Account, Site
from resellers.routing import site_of_reseller
from resellers.site_models import SiteDomain
from users.permissions import Perm

CHECK_TASK = "resellers.check_domain"
BATCH = 100
WARN_DAYS = (14, 7, 1)
WAITING = (DomainStatus.REQUESTED, DomainStatus.VERIFYING, DomainStatus.CERTIFYING, DomainStatus.LIVE)


def cname_target() -> str:
    """The host a custom domain is to be an alias of."""
    return str(settings.STOREFRONT_CNAME or urlsplit(settings.PUBLIC_URL).hostname or "").rstrip(".").lower()


def accepted_addresses() -> list[str]:
    """The IPv4 addresses a custom domain may have instead of being an alias."""
    return list(settings.STOREFRONT_ADDRESSES)


def own_hosts() -> set[str]:
    """The hosts of this installation, which nobody may take."""
    hosts = set(Site.objects.filter(account=None).exclude(host="").values_list("host", flat=True))
    return hosts | {cname_target(), (urlsplit(settings.PUBLIC_URL).hostname or "").lower()}


def domains_of(actor: Actor) -> TenantQuerySet[SiteDomain]:
    """The custom domains the actor may see that were not removed."""
    return SiteDomain.objects.visible_to(actor).exclude(status=DomainStatus.REMOVED).select_related("site")


def own_domain(actor: Actor) -> SiteDomain | None:
    """The custom domain of the actor's own site."""
    return domains_of(actor).filter(site__account=actor.account_id).first() if actor.account_id else None


def site_for_domain(actor: Actor) -> Site:
    """The actor's own site, its account locked; raises without the right, the plan or the site."""
    account = Account.objects.select_for_update(of=("self",)).filter(pk=actor.account_id or 0).first()
    actor.require(Perm.SHOP_SITE_MANAGE, account)
    site = site_of_reseller(actor.account_id) if actor.account_id else None
    if account is None or site is None:
        raise NotVisible("site_missing", _("There is no storefront yet. Order a reseller plan first."))
    require_capability(account, Capability.CUSTOM_DOMAIN)
    return site


def taken() -> BusinessError:
    """The refusal of a host name that another site has; never whose."""
    return BusinessError("domain_taken", _("This domain is already connected."), field="host")


@transaction.atomic
def request_domain(actor: Actor, *, host: str) -> SiteDomain:
    """Ask for a host name; the records that prove it are on its page. Nothing leads to the site yet.

    Raises BusinessError with the field ``host``; ``edition_required`` if the plan has no custom domain.
    """
    site = site_for_domain(actor)
    name = clean_host(host, own_hosts=own_hosts())
    rows = SiteDomain.objects.exclude(status=DomainStatus.REMOVED)
    if rows.filter(site=site).exists():
        words = _("Your storefront has a domain already. Remove it first.")
        raise BusinessError("domain_exists", words, field="host")
    if rows.filter(host=name).exists() or Site.objects.filter(host=name).exists():
        raise taken()
    now = clock.now()
    try:
        with transaction.atomic():
            row = SiteDomain.objects.create(
                site=site,
                organization_id=site.organization_id,
                host=name,
                token=secrets.token_urlsafe(24),
                deadline=now + TIME_LIMIT,
                next_check_at=now + CHECK_EVERY,
            )
    except IntegrityError as error:
        raise taken() from error
    audit.record(actor, "site.domain_requested", site, after={"host": name}, account=site.account)
    return row


def locked_domain(actor: Actor, domain: SiteDomain) -> SiteDomain:
    """The domain of the actor's own site, locked; raises NotVisible ``domain_missing``, and as the site's does."""
    site = site_for_domain(actor)
    row = SiteDomain.objects.select_for_update(of=("self",)).filter(pk=domain.pk, site=site).first()
    if row is None or row.status == DomainStatus.REMOVED:
        raise NotVisible("domain_missing", _("This domain does not exist."))
    return row


@transaction.atomic
def check_now(actor: Actor, *, domain: SiteDomain) -> SiteDomain:
    """Have the DNS asked at once, by a worker; a failed domain gets another 72 hours."""
    row = locked_domain(actor, domain)
    now = clock.now()
    if row.status == DomainStatus.FAILED:
        DOMAIN_MACHINE.fire(row, DomainEvent.RETRY, deadline=now + TIME_LIMIT, lost_since=None)
    elif row.checked_at is not None and now < row.checked_at + dt.timedelta(seconds=15):
        raise Conflict("just_checked", _("It was checked seconds ago. DNS changes take some minutes to be seen."))
    SiteDomain.objects.filter(pk=row.pk).update(next_check_at=now)
    row.next_check_at = now
    outbox.dispatch(CHECK_TASK, row.pk)
    return row


@transaction.atomic
def remove_domain(actor: Actor, *, domain: SiteDomain) -> None:
    """Give the host name up; the storefront is reached by its alias again."""
    row = locked_domain(actor, domain)
    DOMAIN_MACHINE.fire(row, DomainEvent.REMOVE, own_chain="", own_key_cipher="", own_until=None)
    Site.objects.filter(pk=row.site_id, host=row.host).update(host="")
    after = {"host": row.host, "reason": "owner"}
    audit.record(actor, "site.domain_removed", row.site, after=after, account=row.site.account)


def check_due() -> int:
    """Look at the domains whose turn it is, at most 100 in a run, those that wait longest first; returns how many."""
    rows = SiteDomain.objects.filter(status__in=WAITING, next_check_at__lte=clock.now())
    ids = list(rows.order_by("next_check_at", "id").values_list("pk", flat=True)[:BATCH])
    for pk in ids:
        check_domain(pk)
    return len(ids)


@dataclass(frozen=True, slots=True)
class Proof:
    """What the DNS says about a name: whether each record is right, whether it could be asked, and words."""

    txt: bool
    points: bool
    is_known: bool
    words: str

    @property
    def is_complete(self) -> bool:
        """Whether both records are right."""
        return self.txt and self.points


def ask_dns(host: str, token: str) -> Proof:
    """Ask for the TXT record and for where the name points to."""
    text = dns.lookup_txt(f"{RECORD}.{host}")
    alias = dns.lookup_cname(host)
    points, where = alias.target == cname_target(), alias
    if not alias.target and settings.STOREFRONT_ADDRESSES:
        where = dns.lookup_addresses(host)
        points = bool(where.values) and set(where.values) <= set(settings.STOREFRONT_ADDRESSES)
    said = [
        _("TXT: %(found)s") % {"found": ", ".join(text.values)[:300] or text.message},
        _("CNAME or A: %(found)s") % {"found": ", ".join(where.values)[:300] or where.message},
    ]
    is_known = dns.Found.ERROR not in (text.found, alias.found, where.found)
    return Proof(token in text.values, points, is_known, "\n".join(said))


def check_domain(domain_id: int) -> None:
    """Ask the DNS, and the proxy once it is proved; then go on, wait, or give up. May run as often as it likes."""
    row = SiteDomain.objects.filter(pk=domain_id, status__in=WAITING).first()
    if row is None:
        return
    if row.status == DomainStatus.REQUESTED:
        DOMAIN_MACHINE.fire(row, DomainEvent.VERIFY)
    proof = ask_dns(row.host, row.token)
    shown = _certificate(row.host, row.status) if proof.is_complete else None
    _write_down(domain_id, row.status, proof, shown)


def _certificate(host: str, status: str) -> Shown | None:
    """What our proxy shows for the name; asking makes a proxy with certificates on demand fetch one.

    None as long as the name was not proved: until then the proxy may not have one.
    """
    if not settings.STOREFRONT_TLS_PROXY:
        return Shown(True)
    if status not in (DomainStatus.CERTIFYING, DomainStatus.LIVE):
        return None
    return certificate_shown(settings.STOREFRONT_TLS_PROXY, host)


@transaction.atomic
def _write_down(domain_id: int, seen: str, proof: Proof, shown: Shown | None) -> None:
    """What was found, and what follows from it; nothing if the domain went on meanwhile."""
    rows = SiteDomain.objects.select_for_update(of=("self",)).select_related("site__account")
    row = rows.filter(pk=domain_id, status=seen).first()
    if row is None:
        return
    now = clock.now()
    row.checked_at, row.txt_found, row.points_here, row.found = now, proof.txt, proof.points, proof.words
    row.next_check_at = now + (LOOK_AGAIN if row.status == DomainStatus.LIVE else CHECK_EVERY)
    if shown is not None and shown.message:
        row.found = f"{row.found}\n{shown.message}"
    if shown is not None and shown.valid_to is not None:
        row.certificate_until = shown.valid_to
    row.save()
    if row.status == DomainStatus.LIVE:
        _keep_live(row, proof, now)
        return
    if proof.is_complete and row.status == DomainStatus.VERIFYING:
        _move(row, DomainEvent.PROVE, deadline=now + TIME_LIMIT)
        if shown is None:
            outbox.dispatch(CHECK_TASK, row.pk)
    if row.status == DomainStatus.CERTIFYING and proof.is_complete and shown is not None and shown.is_good:
        _bind(row, now)
    elif now >= row.deadline:
        _move(row, DomainEvent.FAIL)


def _move(row: SiteDomain, event: str, **changes: object) -> None:
    before = DOMAIN_MACHINE.fire(row, event, **changes)
    after = {"host": row.host, "status": row.status}
    system = system_actor(row.organization_id)
    audit.record(
        system, "site.domain_status", row.site, before={"status": before}, after=after, account=row.site.account
    )
    if row.status in (DomainStatus.LIVE, DomainStatus.FAILED):
        payload = {"domain": str(row.public_id), "host": row.host, "status": row.status}
        emit(f"domain.{row.status}", payload, organization_id=row.organization_id, account_id=row.site.account_id)


def _bind(row: SiteDomain, now: dt.datetime) -> None:
    """From now on the host leads to the site, and its alias leads there."""
    _move(row, DomainEvent.CERTIFY, live_since=now, lost_since=None, next_check_at=now + LOOK_AGAIN, warned_days=None)
    Site.objects.filter(pk=row.site_id).update(host=row.host)


def _keep_live(row: SiteDomain, proof: Proof, now: dt.datetime) -> None:
    """A name that is no longer proved is let go after three days; an error of the DNS proves nothing."""
    if proof.is_complete:
        SiteDomain.objects.filter(pk=row.pk).update(lost_since=None)
        _warn_of_expiry(row, now)
        return
    if not proof.is_known:
        return
    since = row.lost_since or now
    SiteDomain.objects.filter(pk=row.pk).update(lost_since=since)
    if now >= since + TIME_LIMIT:
        Site.objects.filter(pk=row.site_id, host=row.host).update(host="")
        _move(row, DomainEvent.FAIL)


def _warn_of_expiry(row: SiteDomain, now: dt.datetime) -> None:
    """Say 14, 7 and 1 days before that the certificate was not renewed, once each."""
    if row.certificate_until is None:
        return
    left = row.certificate_until - now
    if left > dt.timedelta(days=WARN_DAYS[0]):
        SiteDomain.objects.filter(pk=row.pk).update(warned_days=None)
        return
    due = [days for days in WARN_DAYS if left <= dt.timedelta(days=days)]
    if row.warned_days is None or due[-1] < row.warned_days:
        SiteDomain.objects.filter(pk=row.pk).update(warned_days=due[-1])
        payload = {"domain": str(row.public_id), "host": row.host, "days": max(left.days, 0)} | {
            "own": row.own_until is not None
        }
        emit("domain.expiring", payload, organization_id=row.organization_id, account_id=row.site.account_id)


def may_have_certificate(host: str) -> bool:
    """Whether a proxy may fetch a certificate for this name: it was proved and not given up."""
    states = (DomainStatus.CERTIFYING, DomainStatus.LIVE)
    return SiteDomain.objects.filter(host=host.strip().rstrip(".").lower(), status__in=states).exists()
