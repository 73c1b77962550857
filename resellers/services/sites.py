"""A reseller's storefront from his plan's first order to the day its data is erased (``channel.md`` 3.3 to 3.6).

Aliases are claims: one row each, so that two can never have the same. All functions may be called again and then
change nothing; the plan's connector repeats them after a crash.
"""

import datetime as dt
import uuid

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from core import audit, clock
from core.errors import BusinessError, Conflict, PermissionRefused
from core.events import emit
from core.tenancy import Actor, TenantQuerySet, system_actor
from resellers.aliases import clean_alias
from resellers.editions import EDITION_RANKS, Capability, has_capability
from resellers.enums import SITE_MACHINE, AccountKind, AccountStatus, AliasState, Edition, SiteEvent, SiteStatus
from resellers.models import Account, Site, StorefrontAlias
from resellers.routing import site_of_reseller
from resellers.services.site_end import erase_site, forget_mail, unbind_domain
from users.permissions import Perm

KEPT_FOR = dt.timedelta(days=90)
ALIAS_EVERY = dt.timedelta(days=30)
REDIRECTS_FOR = dt.timedelta(days=90)
REMIND_DAYS = (14, 2)
OWN_STATES = (AliasState.LIVE, AliasState.KEPT)


def alias_taken() -> BusinessError:
    """The refusal of an alias somebody else has; never whose it is."""
    return BusinessError("alias_taken", _("This address is in use. Choose another."), field="alias")


def check_alias(
    organization_id: int, text: str, *, account_id: int | None = None, holder: uuid.UUID | None = None
) -> str:
    """The alias in its kept form if it is free, or the account's own; else BusinessError with the field ``alias``."""
    alias = clean_alias(text)
    row = _claims(organization_id).filter(alias=alias).first()
    if row is not None and not _is_own(row, account_id, holder):
        raise alias_taken()
    return alias


def _claims(organization_id: int) -> TenantQuerySet[StorefrontAlias]:
    rows = StorefrontAlias.objects.filter(organization_id=organization_id)
    return rows.filter(Q(until=None) | Q(until__gt=clock.now()))


def _is_own(row: StorefrontAlias, account_id: int | None, holder: uuid.UUID | None) -> bool:
    if account_id is None or row.account_id != account_id:
        return False
    return (
        row.state in OWN_STATES or row.state == AliasState.REDIRECT or (row.holder is not None and row.holder == holder)
    )


@transaction.atomic
def hold_alias(account: Account, text: str, *, holder: uuid.UUID) -> str:
    """Keep an alias for a placed order until it is executed or cancelled; the caller's transaction places the order.

    Of two orders that want it at once exactly one gets it: the other is refused with ``alias_taken``.
    """
    alias = check_alias(account.organization_id, text, account_id=account.pk, holder=holder)
    StorefrontAlias.objects.filter(organization_id=account.organization_id, until__lte=clock.now()).delete()
    free_alias(holder)
    known = StorefrontAlias.objects.filter(organization_id=account.organization_id, alias=alias, account=account)
    if known.exists():
        return alias
    try:
        with transaction.atomic():
            StorefrontAlias.objects.create(
                organization_id=account.organization_id,
                account=account,
                alias=alias,
                state=AliasState.HELD,
                holder=holder,
            )
    except IntegrityError as error:
        raise alias_taken() from error
    return alias


def free_alias(holder: uuid.UUID) -> int:
    """Let go what an order held: it was cancelled, or wants another alias. Returns how many rows went."""
    return StorefrontAlias.objects.filter(state=AliasState.HELD, holder=holder).delete()[0]


def _locked(account_id: int) -> Account:
    # Not the key: whoever holds one of the account's services writes rows that refer to it meanwhile.
    rows = Account.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("organization").get(pk=account_id)


@transaction.atomic
def prepare_site(account_id: int, text: str) -> Site:
    """Make the reseller's site with its alias, not yet open; the one he has already if there is one.

    Raises BusinessError ``alias_taken`` if somebody else got the alias, or those of :func:`clean_alias`.
    """
    account = _locked(account_id)
    site = site_of_reseller(account.pk)
    if site is not None:
        return site
    alias = clean_alias(text)
    site = Site.objects.create(
        organization_id=account.organization_id,
        account=account,
        name=account.name,
        alias=alias,
        status=SiteStatus.PREPARING,
        support_email=account.email,
        support_phone=account.phone,
        anonymous_access=False,
    )
    _claim(account, alias, AliasState.LIVE)
    return site


def _claim(account: Account, alias: str, state: str, until: dt.datetime | None = None) -> None:
    """Make the alias the account's in this state, or raise ``alias_taken``."""
    rows = StorefrontAlias.objects.filter(organization_id=account.organization_id, alias=alias)
    rows.filter(until__lte=clock.now()).delete()
    if rows.filter(account=account).update(state=state, holder=None, until=until):
        return
    try:
        with transaction.atomic():
            StorefrontAlias.objects.create(
                organization_id=account.organization_id, account=account, alias=alias, state=state, until=until
            )
    except IntegrityError as error:
        raise alias_taken() from error


@transaction.atomic
def open_plan(account_id: int, *, plan_id: uuid.UUID, edition: str, ends_at: dt.datetime) -> Site:
    """The plan runs: the site is Live and the reseller has the edition; restores what a closed site kept.

    ``ends_at`` is the end of the plan's first term; a repeated call keeps the first one.

    Raises Conflict ``account_not_reseller`` if the account is no reseller any more, ``site_missing`` without a site.
    """
    account = _locked(account_id)
    site = site_of_reseller(account.pk)
    if account.kind != AccountKind.RESELLER or account.edition == Edition.PROFESSIONAL:
        raise Conflict("account_not_reseller", _("Only a reseller without an organization of his own has a plan."))
    if site is None:
        raise Conflict("site_missing", _("The storefront was not prepared."))
    if site.plan_id == plan_id and site.status != SiteStatus.CLOSED and account.edition == edition:
        extend_plan(account_id, plan_id=plan_id, ends_at=ends_at)
        return site_of_reseller(account_id) or site
    was_closed = site.status == SiteStatus.CLOSED
    if site.status in (SiteStatus.PREPARING, SiteStatus.CLOSED):
        SITE_MACHINE.fire(site, SiteEvent.OPEN, kept_until=None, reminded_days=None)
        _claim(account, site.alias, AliasState.LIVE)
    written = {"plan_id": plan_id, "plan_ends_at": ends_at, "next_plan_id": None, "next_edition": ""}
    Site.objects.filter(pk=site.pk).update(**written)
    site.plan_id, site.plan_ends_at = plan_id, ends_at
    if not has_capability(edition, Capability.CUSTOM_DOMAIN):
        unbind_domain(site)
    before, account.edition = account.edition, edition
    account.save(update_fields=["edition", "updated_at"])
    system = system_actor(account.organization_id)
    after = {"edition": edition, "restored": was_closed}
    audit.record(system, "site.opened", site, before={"edition": before}, after=after, account=account)
    payload = {"site": str(site.public_id), "edition": edition, "subscription": str(plan_id)}
    emit("plan.activated", payload, organization_id=account.organization_id, account_id=account.pk)
    return site


@transaction.atomic
def queue_plan(account_id: int, *, plan_id: uuid.UUID, edition: str) -> dt.datetime | None:
    """Let a smaller plan wait for the end of the present one; returns that end, or None if nothing is in its way."""
    account = _locked(account_id)
    site = site_of_reseller(account.pk)
    is_free = site is None or site.plan_id in (None, plan_id) or site.plan_ends_at is None
    if site is None or is_free or EDITION_RANKS.get(account.edition, 0) <= EDITION_RANKS[edition]:
        return None
    Site.objects.filter(pk=site.pk).update(next_plan_id=plan_id, next_edition=edition)
    return site.plan_ends_at


@transaction.atomic
def extend_plan(account_id: int, *, plan_id: uuid.UUID, ends_at: dt.datetime) -> None:
    """The plan was renewed; an earlier end than the one known changes nothing."""
    account = _locked(account_id)
    site = site_of_reseller(account.pk)
    if site is not None and site.plan_id == plan_id and site.plan_ends_at and site.plan_ends_at < ends_at:
        Site.objects.filter(pk=site.pk).update(plan_ends_at=ends_at)


@transaction.atomic
def suspend_site(account_id: int, *, plan_id: uuid.UUID) -> None:
    """The plan is suspended, so is the site; a plan that is not the site's changes nothing."""
    _fire_if(account_id, plan_id, SiteStatus.LIVE, SiteEvent.SUSPEND)


@transaction.atomic
def resume_site(account_id: int, *, plan_id: uuid.UUID) -> None:
    """The plan runs again, so does the site."""
    _fire_if(account_id, plan_id, SiteStatus.SUSPENDED, SiteEvent.RESUME)


def _fire_if(account_id: int, plan_id: uuid.UUID, state: str, event: str) -> None:
    account = _locked(account_id)
    site = site_of_reseller(account.pk)
    if site is None or site.plan_id != plan_id or site.status != state:
        return
    before = SITE_MACHINE.fire(site, event)
    audit.record(
        system_actor(account.organization_id),
        "site.status",
        site,
        before={"status": before},
        after={"status": site.status},
        account=account,
    )


@transaction.atomic
def close_plan(account_id: int, *, plan_id: uuid.UUID, edition: str = Edition.BASIC) -> None:
    """The plan has ended: the site closes, its data and alias are kept 90 days, the reseller falls to Basic.

    A plan that another one replaced meanwhile closes nothing, and a smaller one that waits takes over at once.
    """
    account = _locked(account_id)
    site = site_of_reseller(account.pk)
    if site is None or site.plan_id != plan_id:
        return
    now = clock.now()
    if site.next_plan_id is not None:
        # The plan that waited takes over without the site being closed; its own run finds that it has.
        open_plan(account_id, plan_id=site.next_plan_id, edition=site.next_edition, ends_at=now)
        return
    until = now + KEPT_FOR
    unbind_domain(site)
    forget_mail(site)
    if site.status in (SiteStatus.LIVE, SiteStatus.SUSPENDED):
        SITE_MACHINE.fire(
            site, SiteEvent.CLOSE, closed_at=now, kept_until=until, host="", plan_id=None, plan_ends_at=None
        )
        _claim(account, site.alias, AliasState.KEPT, until)
    before, account.edition = account.edition, edition
    account.save(update_fields=["edition", "updated_at"])
    system = system_actor(account.organization_id)
    audit.record(system, "site.closed", site, before={"edition": before}, after={"edition": edition}, account=account)
    payload = {"site": str(site.public_id), "edition": before, "subscription": str(plan_id)}
    emit("plan.ended", payload, organization_id=account.organization_id, account_id=account.pk)


@transaction.atomic
def change_alias(actor: Actor, *, site: Site, text: str) -> Site:
    """Give a site another alias, once in 30 days; the old one leads there for 90 days and stays the reseller's.

    Raises ``alias_too_soon`` besides the refusals of :func:`check_alias`.
    """
    if site.account_id is None:
        raise PermissionRefused("alias_of_organization", _("This storefront has no alias."))
    account = _locked(site.account_id)
    actor.require(Perm.ACCOUNT_EDIT if actor.is_staff else Perm.SHOP_PLAN_ORDER, account)
    row = Site.objects.select_for_update(of=("self",)).get(pk=site.pk)
    alias = check_alias(account.organization_id, text, account_id=account.pk)
    if alias == row.alias:
        return row
    now = clock.now()
    if row.alias_changed_at is not None and now < row.alias_changed_at + ALIAS_EVERY:
        day = (row.alias_changed_at + ALIAS_EVERY).date().isoformat()
        words = _("The alias can be changed once in 30 days: again from %(day)s on.") % {"day": day}
        raise Conflict("alias_too_soon", words)
    _claim(account, row.alias, AliasState.REDIRECT, now + REDIRECTS_FOR)
    _claim(account, alias, AliasState.LIVE)
    before, row.alias, row.alias_changed_at = row.alias, alias, now
    row.save(update_fields=["alias", "alias_changed_at", "updated_at"])
    audit.record(actor, "site.alias", row, before={"alias": before}, after={"alias": alias}, account=account)
    return row


def kept_sites() -> list[Site]:
    """Closed sites whose data goes away within the days of the first reminder, or should be gone already."""
    limit = clock.now() + dt.timedelta(days=REMIND_DAYS[0])
    return list(Site.objects.filter(status=SiteStatus.CLOSED, kept_until__lte=limit).order_by("pk"))


@transaction.atomic
def age_site(site_id: int) -> bool:
    """Remind of, or do, the erasing of a closed site's data; returns whether it is deleted now.

    Reminders go out 14 and 2 days before, once each; on the last day the site is Deleted and its alias free.
    """
    site = Site.objects.select_for_update(of=("self",)).select_related("account").get(pk=site_id)
    if site.status != SiteStatus.CLOSED or site.kept_until is None or site.account is None:
        return False
    left = site.kept_until - clock.now()
    if left <= dt.timedelta(0):
        erase_site(site)
        return True
    due = [days for days in REMIND_DAYS if left <= dt.timedelta(days=days)]
    if due and (site.reminded_days is None or due[-1] < site.reminded_days):
        Site.objects.filter(pk=site.pk).update(reminded_days=due[-1])
        payload = {"site": str(site.public_id), "until": site.kept_until.isoformat(), "subscription": ""}
        emit("plan.erasing", payload, organization_id=site.organization_id, account_id=site.account_id)
    return False


def demand_plan(account: Account, *, has_price_list: bool, plans_enabled: bool = True) -> None:
    """Raise Conflict ``plan_not_possible`` with what is missing unless the account can take a reseller plan."""
    missing = [
        words
        for is_there, words in (
            (account.kind == AccountKind.RESELLER, _("reselling")),
            (account.status == AccountStatus.ACTIVE, _("an active account")),
            (bool(account.currency), _("a currency")),
            (has_price_list, _("a price list")),
            (account.edition != Edition.PROFESSIONAL, _("an edition below Professional")),
            (plans_enabled, _("reseller plans switched on in the System Options")),
        )
        if not is_there
    ]
    if missing:
        words = _("This account cannot take a plan: %(missing)s.") % {"missing": ", ".join(missing)}
        raise Conflict("plan_not_possible", words)
