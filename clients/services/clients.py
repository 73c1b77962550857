"""API clients are made, rotated and revoked here; a secret is returned once and kept as a hash alone."""

import datetime as dt
import secrets
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clients.models import PROGRAM_DOMAIN, ApiClient, ApiPolicy, ApiToken
from clients.scopes import Scope, available_scopes
from clients.selectors import secret_digest, wants_use_noted
from core import audit, clock
from core.errors import BusinessError, Conflict, NotVisible
from core.tenancy import Actor
from resellers.editions import Capability, require_capability
from resellers.enums import AccountKind
from resellers.models import Account, PermissionRule
from users.models import User
from users.permissions import Perm

MOST_CLIENTS = 10
OVERLAP = dt.timedelta(hours=24)
POLICY_FIELDS = (
    "require_version",
    "resellers_pricing",
    "resellers_synchronization",
    "resellers_usages",
    "resellers_custom_fields",
)


def new_secret() -> str:
    """A secret of 40 characters."""
    return secrets.token_urlsafe(30)


def _require(actor: Actor, account: Account | None) -> None:
    """Employees manage every client with *System options*, a reseller's Admin those of his own account."""
    if actor.is_customer:
        if account is None or account.pk != actor.account_id:
            raise NotVisible("api_client_missing", _("This API client does not exist."))
        actor.require(Perm.SHOP_API, account)
    else:
        actor.require(Perm.SYSTEM_OPTIONS, account)


@transaction.atomic
def create_client(
    actor: Actor,
    *,
    account: Account | None,
    name: str,
    email: str = "",
    scopes: Sequence[str] = (),
    permission_rule: PermissionRule | None = None,
) -> tuple[ApiClient, str]:
    """Make an application user of the organization, or of a reseller; returns it with its secret, told only now.

    ``permission_rule`` narrows what a program of the organization sees. Raises BusinessError ``api_client_kind`` for
    an account that is no reseller, ``edition_required``, ``api_client_limit`` above ten, ``scope_unknown``,
    ``name_missing``, ``rule_not_here`` for a rule with a reseller's program, NotVisible for another organization's.
    """
    _require(actor, account)
    if account is not None:
        account = Account.objects.select_for_update(of=("self",)).get(pk=account.pk)
        if account.kind != AccountKind.RESELLER:
            raise BusinessError("api_client_kind", _("Only resellers have API clients."), field="account")
        require_capability(account, Capability.API_READ)
    organization_id = actor.tenant_id
    live = ApiClient.objects.filter(organization_id=organization_id, account=account, revoked_at=None)
    if live.count() >= MOST_CLIENTS:
        raise BusinessError(
            "api_client_limit", _("There are %(n)s clients already. Revoke one first.") % {"n": MOST_CLIENTS}
        )
    if not name.strip():
        raise BusinessError("name_missing", _("Give the client a name."), field="name")
    secret = new_secret()
    user_name = f"app-{secrets.token_hex(6)}"
    row = ApiClient(
        organization_id=organization_id,
        account=account,
        name=name.strip()[:100],
        user_name=user_name,
        email=email.strip().lower(),
        key=secrets.token_hex(16),
        secret_hash=secret_digest(secret),
        scopes=_checked_scopes(scopes, account),
        permission_rule=_checked_rule(actor, permission_rule, account),
        created_by=actor.label or str(actor.kind),
    )
    # A realm of its own: no site is this user's home, so nobody can sign in with it.
    realm = uuid.uuid4()
    row.user = User.objects.create_user(realm, f"{user_name}{PROGRAM_DOMAIN}", last_name=row.name)
    row.save()
    audit.record(actor, "api_client.created", row, after=_shown(row))
    return row, secret


@transaction.atomic
def update_client(actor: Actor, *, client: ApiClient, values: Mapping[str, Any]) -> ApiClient:
    """Change the name, the address, the scopes, the permission rule, or whether answers are compatible only.

    Its tokens end with other scopes; another rule counts from the next call on.
    """
    row = _locked(actor, client)
    before = _shown(row)
    row.name = str(values.get("name", row.name)).strip()[:100] or row.name
    row.email = str(values.get("email", row.email)).strip().lower()
    row.compatible_only = bool(values.get("compatible_only", row.compatible_only))
    if "scopes" in values:
        row.scopes = _checked_scopes(values["scopes"], row.account)
        ApiToken.objects.filter(client=row).delete()  # What was taken away must not live on for an hour.
    if "permission_rule" in values:
        row.permission_rule = _checked_rule(actor, values["permission_rule"], row.account)
    row.save()
    audit.record(actor, "api_client.updated", row, before=before, after=_shown(row))
    return row


@transaction.atomic
def rotate_client(actor: Actor, *, client: ApiClient) -> str:
    """Give the client another secret, told only now; the old one counts for 24 hours more."""
    row = _locked(actor, client)
    if not row.is_live:
        raise Conflict("api_client_revoked", _("This client is revoked. Make another."))
    secret = new_secret()
    row.previous_secret_hash, row.previous_until = row.secret_hash, clock.real_now() + OVERLAP
    row.secret_hash = secret_digest(secret)
    row.save()
    audit.record(actor, "api_client.rotated", row)
    return secret


@transaction.atomic
def revoke_client(actor: Actor, *, client: ApiClient) -> ApiClient:
    """End the client for good: its tokens and secrets stop at once; again does nothing."""
    row = _locked(actor, client)
    if row.is_live:
        row.revoked_at = clock.real_now()
        row.previous_secret_hash, row.previous_until = "", None
        row.save()
        ApiToken.objects.filter(client=row).delete()
        audit.record(actor, "api_client.revoked", row)
    return row


@transaction.atomic
def save_policy(actor: Actor, *, values: Mapping[str, bool]) -> ApiPolicy:
    """Set what the organization allows at its API."""
    row = _locked_policy(actor)
    before = {name: getattr(row, name) for name in POLICY_FIELDS}
    for name in POLICY_FIELDS:
        setattr(row, name, bool(values.get(name, getattr(row, name))))
    row.save()
    after = {name: getattr(row, name) for name in POLICY_FIELDS}
    audit.record(actor, "api_policy.saved", row, before=before, after=after)
    return row


@transaction.atomic
def make_shared_key(actor: Actor) -> tuple[ApiPolicy, str]:
    """Make the Reseller API key, or rotate its secret: from now on user name and password are accepted with it."""
    row = _locked_policy(actor)
    secret = new_secret()
    if row.shared_key:
        row.previous_secret_hash, row.previous_until = row.shared_secret_hash, clock.real_now() + OVERLAP
    else:
        row.shared_key = secrets.token_hex(16)
    row.shared_secret_hash = secret_digest(secret)
    row.save()
    audit.record(actor, "api_policy.key_made", row)
    return row, secret


@transaction.atomic
def drop_shared_key(actor: Actor) -> ApiPolicy:
    """Take the Reseller API key away: the password flow is off, and its tokens end at once."""
    row = _locked_policy(actor)
    if row.shared_key:
        row.shared_key = row.shared_secret_hash = row.previous_secret_hash = ""
        row.previous_until = None
        row.save()
        ApiToken.objects.filter(organization_id=row.organization_id, by_password=True).delete()
        audit.record(actor, "api_policy.key_dropped", row)
    return row


def note_use(client: ApiClient) -> None:
    """Write down that the client called, at most once a minute."""
    if wants_use_noted(client):
        ApiClient.objects.filter(pk=client.pk).update(last_used_at=clock.real_now())


def _checked_scopes(scopes: Sequence[str], account: Account | None) -> list[str]:
    unknown = set(scopes) - available_scopes(is_reseller=account is not None)
    if unknown:
        raise BusinessError("scope_unknown", _("This scope cannot be given here."), field="scopes")
    return [scope.value for scope in Scope if scope.value in set(scopes)]


def _checked_rule(actor: Actor, rule: PermissionRule | None, account: Account | None) -> PermissionRule | None:
    """The rule, locked against being deleted meanwhile; NotVisible for another organization's."""
    if rule is None:
        return None
    if account is not None:
        words = _("Permission rules are for programs of the organization; a reseller's see his accounts alone.")
        raise BusinessError("rule_not_here", words, field="permission_rule")
    found = PermissionRule.objects.visible_to(actor).select_for_update(of=("self",), no_key=True)
    row = found.filter(pk=rule.pk).first()
    if row is None:
        raise NotVisible("rule_missing", _("This permission rule does not exist."))
    return row


def _locked(actor: Actor, client: ApiClient) -> ApiClient:
    rows = ApiClient.objects.visible_to(actor).select_for_update(of=("self",))
    rows = rows.select_related("account", "permission_rule")
    row = rows.filter(pk=client.pk).first()
    if row is None:
        raise NotVisible("api_client_missing", _("This API client does not exist."))
    _require(actor, row.account)
    return row


def _locked_policy(actor: Actor) -> ApiPolicy:
    actor.require(Perm.SYSTEM_OPTIONS)
    organization_id = actor.tenant_id
    try:
        with transaction.atomic():
            ApiPolicy.objects.get_or_create(organization_id=organization_id)
    except IntegrityError:
        pass  # Somebody else made it at the same moment; it is read below.
    return ApiPolicy.objects.select_for_update().get(organization_id=organization_id)


def _shown(row: ApiClient) -> dict[str, Any]:
    shown = {"name": row.name, "email": row.email, "scopes": ", ".join(row.scopes), "key": row.key}
    return shown | {"permission_rule": row.permission_rule or ""}
