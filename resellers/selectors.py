"""Reads of the channel: sites, actors, accounts."""

import hashlib
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import (
    BooleanField,
    Count,
    Exists,
    ExpressionWrapper,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from core import clock
from core.jobs import Job
from core.tenancy import LEVELS, Actor, ActorKind, TenantQuerySet
from resellers.editions import shop_perms
from resellers.enums import ORDERING_KINDS, SUB_KINDS, AccountKind, AccountStatus, PaymentMethod, PurchaseMode
from resellers.models import (
    Account,
    Contact,
    Membership,
    Organization,
    PermissionGrant,
    PermissionRule,
    Site,
    StaffGroup,
    ViewAsSession,
)
from users.models import User
from users.permissions import BSS_PERMS, STAFF_ROLE_PERMS, Perm, StaffRole, StorefrontRole, staff_perms, viewing_perms


def actor_for(
    user: User | AnonymousUser,
    site: Site | None,
    *,
    as_staff: bool,
    chosen_account: str = "",
    ip: str = "",
    request_id: str = "",
) -> Actor:
    """Who ``user`` is at ``site``: an employee, the user of an account, or nobody.

    A superuser acts below ``/bss/`` with every permission. A user whose account is closed, or who has no membership in
    the site's organization, is nobody here.
    """
    base = {"site_id": site.pk if site else None, "ip": ip, "request_id": request_id}
    organization_id = site.organization_id if site else None
    if not isinstance(user, User) or site is None or organization_id is None:
        return Actor(ActorKind.ANONYMOUS, organization_id, **base)  # type: ignore[arg-type]
    who: dict[str, object] = {"user_id": user.pk, "label": str(user), "email": user.email, **base}
    if as_staff and user.is_superuser:
        return Actor(ActorKind.STAFF, organization_id, perms=frozenset(BSS_PERMS), **who)  # type: ignore[arg-type]
    memberships = [row for row in _memberships_at(user, organization_id) if belongs_to_site(row, site)]
    staff = next((row for row in memberships if row.account_id is None), None)
    if as_staff:
        if staff is None:
            return Actor(ActorKind.ANONYMOUS, organization_id, **who)  # type: ignore[arg-type]
        return _staff_actor(staff, who)
    shops = [row for row in memberships if row.account is not None and row.account.status != AccountStatus.CLOSED]
    chosen = next((row for row in shops if str(row.account.public_id) == chosen_account), None)  # type: ignore[union-attr]
    membership = chosen or (shops[0] if shops else None)
    if membership is not None and membership.account is not None:
        account = membership.account
        sells = account.kind == AccountKind.RESELLER
        return Actor(
            ActorKind.CUSTOMER,
            organization_id,
            account_id=account.pk,
            sells=sells,
            pays=account.bill_to_id is None,
            roles=frozenset(membership.roles),
            perms=shop_perms(membership.roles, account),
            **who,  # type: ignore[arg-type]
        )
    if staff is not None:
        return _staff_actor(staff, who)
    return Actor(ActorKind.ANONYMOUS, organization_id, **who)  # type: ignore[arg-type]


def actor_of_job(job: Job, site: Site | None) -> Actor | None:
    """Who started a job, as he would act now at ``site``, of the account he acted for; None if he no longer may."""
    user, account = job.user, job.account
    if not isinstance(user, User) or not user.is_active:
        return None
    chosen = str(account.public_id) if account is not None else ""
    found = actor_for(user, site, as_staff=account is None, chosen_account=chosen)
    return found if found.account_id == job.account_id else None


def belongs_to_site(membership: Membership, site: Site) -> bool:
    """Whether what a membership gives can be used at a site.

    The organization's storefront is for employees, direct customers, resellers and affiliates; a reseller's site for
    his own people, his end customers and his affiliates (``channel.md`` 2.1).
    """
    account = membership.account
    if site.account_id is None:
        return account is None or account.kind != AccountKind.END_CUSTOMER
    return account is not None and site.account_id in (account.pk, account.bill_to_id)


def has_membership_at(user: User, site: Site) -> bool:
    """Whether any membership of the user can be used at the site."""
    return any(belongs_to_site(row, site) for row in _memberships_at(user, site.organization_id))


def signed_in_user(user_id: int | str) -> User | None:
    """The user of a session with all his memberships, in one statement; ``actor_for`` and others use what was read.

    Only for the time of a request: what changes meanwhile does not show in this object.
    """
    rows = list(_memberships().select_related("user").filter(user_id=user_id))
    user = rows[0].user if rows else User.objects.filter(pk=user_id).first()
    if user is not None:
        user.read_memberships = rows
    return user


def _memberships() -> TenantQuerySet[Membership]:
    """Memberships with their accounts, oldest first.

    Whether the organization has rules is told along, so that one without rules needs no statement for them.
    """
    rules = PermissionRule.objects.filter(organization_id=OuterRef("organization_id"))
    return Membership.objects.select_related("account__bill_to").annotate(uses_rules=Exists(rules)).order_by("id")


def _memberships_at(user: User, organization_id: int) -> list[Membership]:
    if user.read_memberships is not None:
        return [row for row in user.read_memberships if row.organization_id == organization_id]
    return list(_memberships().filter(user=user, organization_id=organization_id))


def token_digest(token: str) -> str:
    """What is stored of the token of a viewing."""
    return hashlib.sha256(token.encode()).hexdigest()


def viewing_for(
    user: User | AnonymousUser, site: Site | None, token: str, *, ip: str = "", request_id: str = ""
) -> tuple[Actor, ViewAsSession] | None:
    """The employee as the account he looks at the storefront as, if he still may; asked anew with every request.

    None once the time is over, the role or the login is gone, or the account is closed or not his to see any more.
    The actor only reads: he has no right that could change something, whatever the employee or the customer has.
    """
    staff = actor_for(user, site, as_staff=True, ip=ip, request_id=request_id)
    if not staff.has(Perm.VIEW_AS):
        return None
    rows = ViewAsSession.objects.visible_to(staff).select_related("account").filter(user_id=staff.user_id or 0)
    row = rows.filter(
        token_hash=token_digest(token),
        ended_at=None,
        ends_at__gt=clock.now(),
        account__in=Account.objects.visible_to(staff).exclude(status=AccountStatus.CLOSED),
    ).first()
    return (viewing_actor(staff, row.account), row) if row else None


def viewing_actor(staff: Actor, account: Account) -> Actor:
    """``staff`` with the eyes of ``account``: its rows, the rights to look, and a label that says who it is."""
    sells, pays = account.kind == AccountKind.RESELLER, account.bill_to_id is None
    label = _("%(name)s (viewing as %(account)s)") % {"name": staff.label, "account": account.name}
    return Actor(
        ActorKind.CUSTOMER,
        staff.organization_id,
        user_id=staff.user_id,
        label=label[:200],
        email=staff.email,
        account_id=account.pk,
        sells=sells,
        pays=pays,
        rules=staff.rules,
        perms=viewing_perms(sells=sells, pays=pays),
        site_id=staff.site_id,
        viewing_as=account.name,
        ip=staff.ip,
        request_id=staff.request_id,
    )


def may_view_as(row: ViewAsSession) -> bool:
    """Whether the employee of a viewing could begin it now."""
    site = Site.objects.filter(organization_id=row.organization_id, account=None).first()
    staff = actor_for(row.user, site, as_staff=True)
    seen = Account.objects.visible_to(staff).exclude(status=AccountStatus.CLOSED)
    return row.user.is_active and staff.has(Perm.VIEW_AS) and seen.filter(pk=row.account_id).exists()


def viewings_of(actor: Actor) -> TenantQuerySet[ViewAsSession]:
    """Which employees looked at the storefront as an account the actor may see, newest first."""
    return ViewAsSession.objects.visible_to(actor).select_related("user", "account").order_by("-id")


def is_employee(user: User | AnonymousUser, site: Site) -> bool:
    """Whether ``user`` may open the BSS of the site's organization; a reseller's site has none."""
    if not isinstance(user, User) or site.account_id is not None:
        return False
    if user.is_superuser:
        return True
    if user.read_memberships is not None:
        return any(row.account_id is None for row in _memberships_at(user, site.organization_id))
    return Membership.objects.filter(user=user, organization_id=site.organization_id, account=None).exists()


def _staff_actor(membership: Membership, who: dict[str, object]) -> Actor:
    """The employee; ``membership`` carries ``uses_rules``, whether his organization has permission rules."""
    roles = [role for role in membership.roles if role in STAFF_ROLE_PERMS]
    is_restricted = getattr(membership, "uses_rules", True) and StaffRole.ADMINISTRATOR not in roles
    return Actor(
        ActorKind.STAFF,
        membership.organization_id,
        roles=frozenset(roles),
        perms=staff_perms(roles),
        rules=rules_of(membership.user_id, membership.organization_id) if is_restricted else None,
        **who,  # type: ignore[arg-type]
    )


def rules_of(user_id: int, organization_id: int) -> tuple[tuple[int, str], ...]:
    """The permission rules that give something to an employee, himself or by a group: (rule id, highest level)."""
    groups = StaffGroup.objects.filter(organization_id=organization_id, members=user_id)
    grants = PermissionGrant.objects.filter(organization_id=organization_id)
    rows = grants.filter(Q(user=user_id) | Q(group__in=groups)).order_by("rule_id").values_list("rule_id", "level")
    best: dict[int, str] = {}
    for rule, level in rows:
        best[rule] = max(level, best.get(rule, LEVELS[0]), key=LEVELS.index)
    return tuple(best.items())


def accounts_for(actor: Actor) -> TenantQuerySet[Account]:
    """Accounts the actor may see, with their Bill To."""
    return Account.objects.visible_to(actor).select_related("bill_to")


def organization_of(actor: Actor) -> Organization | None:
    """The organization the actor acts in."""
    return Organization.objects.filter(pk=actor.organization_id).first() if actor.organization_id else None


def own_account(actor: Actor, user: User | AnonymousUser | None = None) -> Account | None:
    """The account whose user the actor is; known already if ``user`` is the signed-in user of a request."""
    if isinstance(user, User) and user.read_memberships is not None:
        known: Account | None = next(
            (row.account for row in user.read_memberships if row.account_id == actor.account_id), None
        )
        if known is not None:
            return known
    return Account.objects.filter(pk=actor.account_id).first() if actor.account_id else None


def customers_of(actor: Actor) -> TenantQuerySet[Account]:
    """A reseller's end customers and affiliate accounts; empty for everybody else."""
    if not actor.sells:
        return Account.objects.none()
    return Account.objects.visible_to(actor).filter(bill_to_id=actor.account_id, kind__in=SUB_KINDS)


def customers_with_approval(actor: Actor) -> TenantQuerySet[Account]:
    """The same with ``needs_approval``: whether what they order waits for him, be it chosen or because he pays by card.

    The query's form of :func:`needs_approval`.
    """
    asks = Q(order_approval=True) | Q(bill_to__payment_method=PaymentMethod.CARD)
    needs = Q(kind=AccountKind.END_CUSTOMER) & asks
    return customers_of(actor).annotate(needs_approval=ExpressionWrapper(needs, output_field=BooleanField()))


def needs_approval(account: Account) -> bool:
    """Whether what ``account`` orders waits for its reseller: his switch, which is on and locked while he pays by card.

    The stored switch keeps its position under the lock, so that it is back when the card is given up
    (``channel.md`` 4.4).
    """
    payer = account.bill_to
    return payer is not None and (account.order_approval or payer.payment_method == PaymentMethod.CARD)


def pays_by_card(actor: Actor) -> bool:
    """Whether the actor's reseller pays by card, which locks the switch of all his end customers."""
    own = own_account(actor)
    return own is not None and own.payment_method == PaymentMethod.CARD


def purchase_targets(actor: Actor, mode: str) -> TenantQuerySet[Account]:
    """Accounts the actor may buy for in this purchase mode: active ones that may order; who sells nothing, his own."""
    active = Account.objects.visible_to(actor).filter(status=AccountStatus.ACTIVE, kind__in=ORDERING_KINDS)
    if not actor.sells:
        return active.filter(pk=actor.account_id or 0)
    if mode == PurchaseMode.END_CUSTOMER:
        return active.filter(kind=AccountKind.END_CUSTOMER, bill_to_id=actor.account_id)
    if mode == PurchaseMode.AFFILIATE:
        return active.filter(kind=AccountKind.AFFILIATE, bill_to_id=actor.account_id)
    return active.filter(pk=actor.account_id or 0)


def contacts_for(actor: Actor, account: Account) -> TenantQuerySet[Contact]:
    """The contacts of an account the actor may see."""
    return Contact.objects.visible_to(actor).filter(account=account)


def memberships_for(actor: Actor, account: Account | None) -> TenantQuerySet[Membership]:
    """The users of an account, or the employees (``account`` None; staff only)."""
    return Membership.objects.visible_to(actor).filter(account=account).select_related("user", "account")


def user_ids_of(actor: Actor) -> frozenset[int]:
    """The users of the accounts a customer sees: his own and, if he sells, his customers'."""
    return frozenset(Membership.objects.visible_to(actor).exclude(account=None).values_list("user_id", flat=True))


def account_choices(actor: Actor) -> list[tuple[str, str]]:
    """Resellers that are not closed as choices of a form, by public id."""
    rows = Account.objects.visible_to(actor).filter(kind=AccountKind.RESELLER).exclude(status=AccountStatus.CLOSED)
    return [(str(row.public_id), row.name) for row in rows.order_by("name", "id")]


def sub_accounts_of(actor: Actor, account: Account) -> TenantQuerySet[Account]:
    """The accounts billed to this one, by name."""
    return accounts_for(actor).filter(bill_to=account).order_by("name", "id")


def all_contacts(actor: Actor) -> TenantQuerySet[Contact]:
    """The contacts of every account the actor may see."""
    return Contact.objects.visible_to(actor).select_related("account")


def all_memberships(actor: Actor) -> TenantQuerySet[Membership]:
    """Employees and users of accounts, as far as the actor may see them."""
    return Membership.objects.visible_to(actor).select_related("user", "account")


def rules_for(actor: Actor) -> TenantQuerySet[PermissionRule]:
    """The permission rules of the organization for its employees, with the number of accounts and of grants."""
    rows = PermissionRule.objects.visible_to(actor) if actor.is_staff else PermissionRule.objects.none()
    accounts = Account.objects.visible_to(actor).filter(permission_rule=OuterRef("pk"))
    grants = PermissionGrant.objects.filter(rule=OuterRef("pk"))
    return rows.annotate(account_count=_number(accounts), grant_count=_number(grants))


def groups_for(actor: Actor) -> TenantQuerySet[StaffGroup]:
    """The groups of employees, with the number of members and of rules that give them something."""
    rows = StaffGroup.objects.visible_to(actor) if actor.is_staff else StaffGroup.objects.none()
    staff = Membership.objects.filter(account=None, organization=OuterRef("organization"))
    members = staff.filter(user__staff_groups=OuterRef("pk"))
    grants = PermissionGrant.objects.filter(group=OuterRef("pk"))
    return rows.annotate(member_count=_number(members), rule_count=_number(grants))


def _number(rows: QuerySet[Any]) -> Coalesce:
    counted = rows.order_by().annotate(one=Value(1)).values("one").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def grants_of(rule: PermissionRule) -> list[PermissionGrant]:
    """What a rule gives to employees who still are some, and to groups: groups first, by name."""
    rows = PermissionGrant.objects.filter(rule=rule).select_related("user", "group")
    staff = Membership.objects.filter(organization=rule.organization_id, account=None).values("user")
    rows = rows.filter(Q(group__isnull=False) | Q(user__in=staff))
    return list(rows.order_by("group__name", "user__last_name", "user__first_name", "id"))


def member_ids(group: StaffGroup) -> frozenset[int]:
    """The users in a group."""
    return frozenset(group.members.values_list("pk", flat=True))


def usable_rules(actor: Actor) -> list[PermissionRule]:
    """The rules an employee may give accounts: all for the unrestricted, else those that let him edit."""
    rows = PermissionRule.objects.visible_to(actor).order_by("name", "id")
    if actor.rules is not None:
        rows = rows.filter(pk__in=[rule for rule, level in actor.rules if level != LEVELS[0]])
    return list(rows)


def managers_for(actor: Actor) -> list[Membership]:
    """The employees who may look after an account: those who can sign in, by name."""
    rows = memberships_for(actor, None).filter(user__is_active=True)
    return list(rows.order_by("user__last_name", "user__first_name", "id"))


def manager_of(account: Account) -> User | None:
    """Who looks after an account, if he can still sign in as an employee and its permission rule shows it to him."""
    user = account.account_manager
    if user is None or not user.is_active:
        return None
    rows = _memberships().filter(user=user, organization_id=account.organization_id, account=None)
    staff = rows.first()
    return user if staff is not None and _staff_actor(staff, {}).reaches(account) else None


def admins_of(account: Account) -> list[User]:
    """The Admins of an account who can sign in, by name."""
    rows = Membership.objects.filter(account=account, roles__contains=[StorefrontRole.ADMIN.value])
    rows = rows.filter(user__is_active=True).select_related("user").order_by("user__last_name", "user_id")
    return [row.user for row in rows if row.user.has_usable_password()]


def administrators_of(organization: Organization) -> list[User]:
    """The organization's Administrators who can sign in, the longest-serving first."""
    rows = Membership.objects.filter(organization=organization, account=None, user__is_active=True)
    rows = rows.filter(roles__contains=[StaffRole.ADMINISTRATOR.value]).select_related("user")
    return [row.user for row in rows.order_by("id")]


def accounts_with_rule(actor: Actor) -> TenantQuerySet[Account]:
    """Accounts the actor may see, with Bill To, permission rule and account manager."""
    return accounts_for(actor).select_related("permission_rule", "account_manager")
