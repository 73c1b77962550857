"""Employees and users of accounts: invite, change roles, switch off, take away (``channel.md`` 10, 2.3).

An organization always keeps an Administrator and an account an Admin. All changes are audited; a removed user keeps his
login row for the history, without any membership.
"""

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Sequence

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from core import audit, clock
from core.errors import BusinessError, Conflict, NotVisible
from core.tenancy import Actor, ActorKind, system_actor
from notifications.services.compose import absolute, queue_mail, site_of
from resellers.editions import assignable_roles
from resellers.enums import AccountKind
from resellers.models import Account, Invitation, Membership, Organization, realm_of
from resellers.services.rules import forget_employee
from sso.selectors import lacks_site
from users.models import User
from users.permissions import Perm, StaffRole, StorefrontRole

VALID_FOR = dt.timedelta(hours=72)


def _may_manage(actor: Actor, account: Account | None) -> None:
    """Employees need a right over people of accounts, customers are kept to their own account."""
    if account is None:
        actor.require(Perm.STAFF_MANAGE)
        return
    if not actor.reaches(account):
        raise NotVisible("account_missing", _("This account does not exist."))
    if actor.kind == ActorKind.SYSTEM:
        return
    if actor.is_staff:
        actor.require(Perm.ACCOUNT_EDIT if actor.has(Perm.ACCOUNT_EDIT) else Perm.ACCOUNT_INVITE, account)
        return
    actor.require(Perm.SHOP_USERS_MANAGE, account)
    # A reseller's affiliates are his own; end customers look after their users themselves.
    if account.pk != actor.account_id and account.kind != AccountKind.AFFILIATE:
        raise NotVisible("account_missing", _("This account does not exist."))


def _may_invite(actor: Actor, account: Account | None) -> None:
    """As above; a reseller's Admin also lets in the first users of his end customers, and only those."""
    if actor.is_customer and account is not None and is_first_of(actor, account):
        actor.require(Perm.SHOP_USERS_MANAGE, account)
    else:
        _may_manage(actor, account)
    if account is not None and account.kind == AccountKind.MANAGED_COPY:
        words = _("%(name)s manages this customer. His people are invited there.") % {"name": account.bill_to}
        raise Conflict("managed_by_reseller", words)
    if account is not None and account.kind == AccountKind.END_CUSTOMER:
        _demand_site(actor, account)


def is_tended(actor: Actor, account: Account) -> bool:
    """Whether a reseller looks after users of this customer: an affiliate's always, an end customer's first ones."""
    return account.kind == AccountKind.AFFILIATE or is_first_of(actor, account)


def is_first_of(actor: Actor, account: Account) -> bool:
    """Whether a reseller invites for this end customer of his: as long as nobody there can sign in."""
    if account.kind != AccountKind.END_CUSTOMER or account.bill_to_id != actor.account_id:
        return False
    members = Membership.objects.filter(account=account, user__is_active=True)
    return actor.reaches(account) and not members.exclude(user__password__startswith=UNUSABLE_PASSWORD_PREFIX).exists()


def _demand_site(actor: Actor, account: Account) -> None:
    """End customers sign in at their reseller's site alone; without one there is nothing to invite them to."""
    if not lacks_site(account):
        return
    if actor.is_customer:
        raise Conflict("site_needed", _("Your customers can sign in once you have a storefront."))
    raise Conflict("site_needed", _("Customers of this reseller can sign in once the reseller has a storefront."))


def _may_change(actor: Actor, membership: Membership) -> None:
    """As above; a membership of another organization does not exist for the actor."""
    is_system = actor.kind == ActorKind.SYSTEM and actor.organization_id is None
    if not is_system and membership.organization_id != actor.organization_id:
        raise NotVisible("user_missing", _("This person has no access any more."))
    _may_manage(actor, membership.account)


def _may_tend(actor: Actor, membership: Membership) -> None:
    """Who may send an open invitation again or take it back: also the reseller who let in his customer's first."""
    account = membership.account
    same = membership.organization_id == actor.organization_id
    if same and actor.is_customer and account is not None and is_first_of(actor, account):
        actor.require(Perm.SHOP_USERS_MANAGE, account)
    else:
        _may_change(actor, membership)


def _checked_roles(account: Account | None, roles: Sequence[str], held: Sequence[str] = ()) -> list[str]:
    known = StaffRole.values if account is None else assignable_roles(account, held)
    if account is not None and set(roles) & set(StorefrontRole.values) - set(known):
        words = _("My Storefront Manager can be given once the reseller's plan has a storefront of this kind.")
        raise BusinessError("role_not_in_plan", words, field="roles")
    chosen = [role for role in known if role in roles]
    if not chosen or len(chosen) != len(set(roles)):
        raise BusinessError("role_unknown", _("Choose at least one role."), field="roles")
    return chosen


@transaction.atomic
def invite_user(
    actor: Actor, *, account: Account | None, email: str, first_name: str, last_name: str, roles: Sequence[str]
) -> Invitation | None:
    """Give somebody access and mail him a one-time link; ``account`` None makes an employee.

    A person who has a login in this realm gets the access at once and keeps his name and password: he is told without
    a link, and None is returned. Nobody learns from the answer whether there was such a login. Raises BusinessError
    ``email_invalid``, ``role_unknown``, ``role_not_in_plan``, ``user_exists`` if he is a member already, or Conflict
    ``site_needed`` for the people of an end customer whose reseller has no storefront, ``managed_by_reseller`` for
    those of a managed copy, which has no login.
    """
    _may_invite(actor, account)
    chosen = _checked_roles(account, roles)
    organization = Organization.objects.get(pk=actor.tenant_id)
    realm = realm_of(site_of(organization, account), organization)
    user = user_of_realm(realm, _checked_address(email), first_name, last_name)
    membership, is_new = Membership.objects.get_or_create(
        organization=organization, user=user, account=account, defaults={"roles": chosen}
    )
    if not is_new:
        raise BusinessError("user_exists", _("This person has access already."), field="email")
    audit.record(actor, "user.invited", membership, after={"email": user.email, "roles": chosen}, account=account)
    if user.has_usable_password():
        _tell_of_access(actor, organization, account, user, membership)
        return None
    return _send_invitation(actor, organization, account, user)


def _checked_address(email: str) -> str:
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise BusinessError("email_invalid", _("Type a valid e-mail address."), field="email") from error
    return address


def user_of_realm(realm: uuid.UUID, address: str, first_name: str, last_name: str) -> User:
    """The login with this address in the realm, made without a password if there is none; two may invite at once."""
    known = User.objects.filter(realm=realm, email=address)
    user = known.first()
    if user is not None:
        return user
    try:
        with transaction.atomic():
            return User.objects.create_user(realm, address, first_name=first_name.strip(), last_name=last_name.strip())
    except IntegrityError:
        return known.get()


def _tell_of_access(
    actor: Actor, organization: Organization, account: Account | None, user: User, membership: Membership
) -> None:
    """Tell somebody who can sign in already what else he may open now; a person switched off is not told."""
    if not user.is_active:
        return
    site = site_of(organization, account)
    queue_mail(
        "access_given",
        organization=organization,
        site=site,
        account=account,
        recipient=user.email,
        language=user.language,
        dedupe_key=f"access:{membership.public_id}",
        context={
            "first_name": user.first_name,
            "invited_by": actor.label or organization.name,
            "company": account.name if account else organization.name,
            "link": absolute(reverse("account_login"), site),
        },
    )


def _send_invitation(actor: Actor, organization: Organization, account: Account | None, user: User) -> Invitation:
    now = clock.now()
    _end_invitations(user)
    site = site_of(organization, account)
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        organization=organization,
        account=account,
        user=user,
        token_hash=_digest(token),
        expires_at=now + VALID_FOR,
    )
    queue_mail(
        "user_invited",
        organization=organization,
        site=site,
        account=account,
        recipient=user.email,
        language=user.language,
        is_secret=True,
        dedupe_key=f"invitation:{invitation.public_id}",
        context={
            "first_name": user.first_name,
            "invited_by": actor.label or organization.name,
            "company": account.name if account else organization.name,
            "link": absolute(reverse("sso:invitation_accept", args=[token]), site),
        },
    )
    return invitation


def _end_invitations(user: User) -> int:
    """Links sent so far stop working; returns how many did."""
    now = clock.now()
    return Invitation.objects.filter(user=user, used_at=None, expires_at__gt=now).update(expires_at=now)


def _end_link_with(row: Membership) -> None:
    """The link ends with the last access it opens; whoever else invited this person still waits for him."""
    if not Membership.objects.filter(user=row.user).exclude(pk=row.pk).exists():
        _end_invitations(row.user)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def resend_invitation(actor: Actor, *, membership: Membership) -> Invitation:
    """Mail a fresh link; the former one ends. Raises Conflict ``user_active`` for somebody who has a password."""
    row = _locked(membership)
    _may_tend(actor, row)
    _still_invited(row)
    if row.account is not None and row.account.kind == AccountKind.END_CUSTOMER:
        _demand_site(actor, row.account)
    organization = Organization.objects.get(pk=row.organization_id)
    audit.record(actor, "user.invited_again", row, after={"email": row.user.email}, account=row.account)
    return _send_invitation(actor, organization, row.account, row.user)


@transaction.atomic
def revoke_invitation(actor: Actor, *, membership: Membership) -> None:
    """Take an invitation back: link and access end. Raises Conflict ``user_active`` or ``last_admin``."""
    row = _locked(membership)
    _may_tend(actor, row)
    _still_invited(row)
    # A reseller may take back even the only invitation of a customer of his, who then is where he was before.
    if row.account is None or not (actor.is_customer and row.account_id != actor.account_id):
        _keep_an_admin(row)
    _end_link_with(row)
    audit.record(actor, "user.revoked", row, before={"roles": row.roles, "email": row.user.email}, account=row.account)
    _forget(row)
    row.delete()


def _still_invited(row: Membership) -> None:
    if row.user.has_usable_password():
        raise Conflict("user_active", _("This person can sign in already."))


def open_invitation(token: str, realm: object) -> Invitation | None:
    """The invitation behind a link that still works in this realm, or None."""
    rows = Invitation.objects.select_related("user", "account", "organization")
    found = rows.filter(token_hash=_digest(token), used_at=None, expires_at__gt=clock.now()).first()
    if found is None or found.user.realm != realm or not found.user.is_active:
        return None
    # Who has set a password by another link must not lose it to one that lies in an old mail.
    return None if found.user.has_usable_password() else found


@transaction.atomic
def accept_invitation(invitation: Invitation, *, password: str) -> User:
    """Set the password and confirm the address; the link has then been used. Of two at once one succeeds."""
    user = User.objects.select_for_update().get(pk=invitation.user_id)
    used = Invitation.objects.filter(pk=invitation.pk, used_at=None, expires_at__gt=clock.now())
    if user.has_usable_password() or not used.update(used_at=clock.now()):
        raise Conflict("invitation_used", _("This invitation was used already or has ended. Ask for a new one."))
    user.set_password(password)
    user.save(update_fields=["password"])
    confirm_address(user)
    audit.record(
        system_actor(invitation.organization_id, label=user.email),
        "user.accepted",
        invitation,
        account=invitation.account,
    )
    return user


def confirm_address(user: User) -> None:
    """Remember that the address is the user's: he has shown that he reads its mail."""
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})


@transaction.atomic
def set_roles(actor: Actor, *, membership: Membership, roles: Sequence[str]) -> Membership:
    """Change what somebody may do. Raises Conflict ``last_admin`` if nobody else would administer."""
    row = _locked(membership)
    _may_change(actor, row)
    chosen = _checked_roles(row.account, roles, row.roles)
    if _admin_role(row.account) not in chosen:
        _keep_an_admin(row)
    before, row.roles = row.roles, chosen
    row.save(update_fields=["roles"])
    audit.record(
        actor, "user.roles_changed", row, before={"roles": before}, after={"roles": chosen}, account=row.account
    )
    return row


def _forget(row: Membership) -> None:
    """Whoever comes back as an employee begins anew: permission rules and groups do not wait for him."""
    if row.account_id is None:
        forget_employee(row.user, row.organization_id)


@transaction.atomic
def remove_member(actor: Actor, *, membership: Membership) -> None:
    """Take somebody's access away. Raises Conflict ``last_admin`` if nobody else would administer."""
    row = _locked(membership)
    _may_change(actor, row)
    _keep_an_admin(row)
    if not row.user.has_usable_password():
        _end_link_with(row)
    audit.record(actor, "user.removed", row, before={"roles": row.roles, "email": row.user.email}, account=row.account)
    _forget(row)
    row.delete()


@transaction.atomic
def deactivate_user(actor: Actor, *, membership: Membership, reason: str = "") -> User:
    """Switch a login off; his sessions end at once, his memberships stay.

    The login is one for the whole realm, so the actor must be allowed to manage all that it opens: Conflict
    ``user_elsewhere`` otherwise. Raises Conflict ``last_admin``, ``own_access`` or ``user_inactive``.
    """
    row, user = _whole_user(actor, membership)
    if user.pk == actor.user_id:
        raise Conflict("own_access", _("You cannot switch off your own access."))
    if not user.is_active:
        raise Conflict("user_inactive", _("The access of this person is switched off already."))
    for other in Membership.objects.filter(user=user).select_related("user", "account").order_by("pk"):
        _keep_an_admin(_locked(other))
    _end_invitations(user)
    return _switch(actor, row, user, is_active=False, reason=reason)


@transaction.atomic
def reactivate_user(actor: Actor, *, membership: Membership, reason: str = "") -> User:
    """Switch a login on again; without a password he needs a fresh invitation. Raises Conflict ``user_active``."""
    row, user = _whole_user(actor, membership)
    if user.is_active:
        raise Conflict("user_active", _("This person can sign in already."))
    return _switch(actor, row, user, is_active=True, reason=reason)


def _whole_user(actor: Actor, membership: Membership) -> tuple[Membership, User]:
    row = _locked(membership)
    _may_change(actor, row)
    user = User.objects.select_for_update(of=("self",)).get(pk=row.user_id)
    for other in Membership.objects.filter(user=user).exclude(pk=row.pk).select_related("user", "account"):
        try:
            _may_change(actor, other)
        except BusinessError as error:
            raise _elsewhere() from error
    if user.is_superuser and actor.kind != ActorKind.SYSTEM:
        raise _elsewhere()
    return row, user


def _elsewhere() -> Conflict:
    return Conflict(
        "user_elsewhere", _("This person has access elsewhere too. Remove the access to this account instead.")
    )


def _switch(actor: Actor, row: Membership, user: User, *, is_active: bool, reason: str) -> User:
    user.is_active = is_active
    user.save(update_fields=["is_active"])
    action = "user.reactivated" if is_active else "user.deactivated"
    audit.record(
        actor,
        action,
        row,
        before={"active": not is_active},
        after={"active": is_active, "email": user.email},
        reason=reason,
        account=row.account,
    )
    return user


def _locked(membership: Membership) -> Membership:
    """Lock all memberships of the account in key order, so that two administrators cannot remove each other."""
    same = Membership.objects.filter(organization_id=membership.organization_id, account=membership.account)
    rows = {
        row.pk: row for row in same.select_for_update(of=("self",)).select_related("user", "account").order_by("pk")
    }
    if membership.pk not in rows:
        raise NotVisible("user_missing", _("This person has no access any more."))
    return rows[membership.pk]


def _admin_role(account: Account | None) -> str:
    return StaffRole.ADMINISTRATOR.value if account is None else StorefrontRole.ADMIN.value


def _keep_an_admin(row: Membership) -> None:
    """Refuse if nobody else would administer; for one who can sign in, the other must be able to sign in too."""
    role = _admin_role(row.account)
    others = Membership.objects.filter(
        organization_id=row.organization_id, account=row.account, roles__contains=[role], user__is_active=True
    ).exclude(pk=row.pk)
    if row.user.has_usable_password():
        others = others.exclude(user__password__startswith=UNUSABLE_PASSWORD_PREFIX)
    if role in row.roles and not others.exists():
        raise Conflict("last_admin", _("Name another Admin first."))
