"""Employees and users of accounts: invite, change roles, take away (``channel.md`` 10, 2.3).

An organization always keeps an Administrator and an account an Admin. All changes are audited; a removed user keeps his
login row for the history, without any membership.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence

from allauth.account.models import EmailAddress
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from core import audit, clock
from core.errors import BusinessError, Conflict, NotVisible
from core.tenancy import Actor, system_actor
from notifications.services.compose import absolute, queue_mail
from resellers.models import Account, Invitation, Membership, Organization, realm_of
from users.models import User
from users.permissions import Perm, StaffRole, StorefrontRole

VALID_FOR = dt.timedelta(hours=72)


def _may_manage(actor: Actor, account: Account | None) -> None:
    if account is None:
        actor.require(Perm.STAFF_MANAGE)
    elif actor.is_staff:
        actor.require(Perm.ACCOUNT_INVITE, account)
    else:
        actor.require(Perm.SHOP_USERS_MANAGE, account)
        if account.pk != actor.account_id:
            raise NotVisible("account_missing", _("This account does not exist."))


def _checked_roles(account: Account | None, roles: Sequence[str]) -> list[str]:
    known = StaffRole.values if account is None else StorefrontRole.values
    chosen = [role for role in known if role in roles]
    if not chosen or len(chosen) != len(set(roles)):
        raise BusinessError("role_unknown", _("Choose at least one role."), field="roles")
    return chosen


@transaction.atomic
def invite_user(
    actor: Actor, *, account: Account | None, email: str, first_name: str, last_name: str, roles: Sequence[str]
) -> Invitation:
    """Give somebody access and mail him a one-time link; ``account`` None makes an employee.

    A person who already has a login in this realm gets the membership at once and the same mail only if he has no
    password yet. Raises BusinessError ``user_exists`` if he is a member already.
    """
    _may_manage(actor, account)
    chosen = _checked_roles(account, roles)
    organization = Organization.objects.get(pk=actor.tenant_id)
    site = getattr(account, "site", None) if account else None
    realm = realm_of(site, organization)
    address = email.strip().lower()
    user = User.objects.filter(realm=realm, email=address).first()
    if user is None:
        user = User.objects.create_user(realm, address, first_name=first_name, last_name=last_name)
    _made, is_new = Membership.objects.get_or_create(
        organization=organization, user=user, account=account, defaults={"roles": chosen}
    )
    if not is_new:
        raise BusinessError("user_exists", _("This person has access already."), field="email")
    audit.record(actor, "user.invited", _made, after={"email": address, "roles": chosen}, account=account)
    return _send_invitation(actor, organization, account, user)


def _send_invitation(actor: Actor, organization: Organization, account: Account | None, user: User) -> Invitation:
    now = clock.now()
    Invitation.objects.filter(user=user, used_at=None, expires_at__gt=now).update(expires_at=now)
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
        account=account,
        recipient=user.email,
        language=user.language,
        is_secret=True,
        dedupe_key=f"invitation:{invitation.public_id}",
        context={
            "first_name": user.first_name,
            "invited_by": actor.label or organization.name,
            "company": account.name if account else organization.name,
            "link": absolute(reverse("sso:invitation_accept", args=[token])),
        },
    )
    return invitation


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def resend_invitation(actor: Actor, *, membership: Membership) -> Invitation:
    """Mail a fresh link; the former one ends. Raises Conflict ``user_active`` for somebody who has a password."""
    _may_manage(actor, membership.account)
    if membership.user.has_usable_password():
        raise Conflict("user_active", _("This person can sign in already."))
    organization = Organization.objects.get(pk=membership.organization_id)
    audit.record(actor, "user.invited_again", membership, account=membership.account)
    return _send_invitation(actor, organization, membership.account, membership.user)


def open_invitation(token: str, realm: object) -> Invitation | None:
    """The invitation behind a link that still works in this realm, or None."""
    rows = Invitation.objects.select_related("user", "account", "organization")
    found = rows.filter(token_hash=_digest(token), used_at=None, expires_at__gt=clock.now()).first()
    return found if found is not None and found.user.realm == realm and found.user.is_active else None


@transaction.atomic
def accept_invitation(invitation: Invitation, *, password: str) -> User:
    """Set the password and confirm the address; the link has then been used. Of two at once one succeeds."""
    used = Invitation.objects.filter(pk=invitation.pk, used_at=None, expires_at__gt=clock.now())
    if not used.update(used_at=clock.now()):
        raise Conflict("invitation_used", _("This invitation was used already or has ended. Ask for a new one."))
    user = User.objects.select_for_update().get(pk=invitation.user_id)
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
    _may_manage(actor, row.account)
    chosen = _checked_roles(row.account, roles)
    if _admin_role(row.account) not in chosen:
        _keep_an_admin(row)
    before, row.roles = row.roles, chosen
    row.save(update_fields=["roles"])
    audit.record(
        actor, "user.roles_changed", row, before={"roles": before}, after={"roles": chosen}, account=row.account
    )
    return row


@transaction.atomic
def remove_member(actor: Actor, *, membership: Membership) -> None:
    """Take somebody's access away. Raises Conflict ``last_admin`` if nobody else would administer."""
    row = _locked(membership)
    _may_manage(actor, row.account)
    _keep_an_admin(row)
    audit.record(actor, "user.removed", row, before={"roles": row.roles, "email": row.user.email}, account=row.account)
    row.delete()


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
    role = _admin_role(row.account)
    others = Membership.objects.filter(
        organization_id=row.organization_id, account=row.account, roles__contains=[role], user__is_active=True
    ).exclude(pk=row.pk)
    if role in row.roles and not others.exists():
        raise Conflict("last_admin", _("Name another Admin first."))
