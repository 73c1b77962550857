"""Reads of API clients: who calls with a token, and the lists of the pages."""

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model, OuterRef, QuerySet, Subquery

from clients.models import ApiClient, ApiPolicy, ApiToken
from clients.scopes import WRITE_SCOPES, Right, granted_scopes, perms_of_scopes
from core import clock
from core.prepared import PreparedRows
from core.tenancy import Actor, ActorKind, TenantQuerySet
from resellers.editions import Capability, has_capability
from resellers.enums import AccountKind, AccountStatus
from resellers.models import Account, Organization

USE_NOTED_EVERY = dt.timedelta(minutes=1)


def secret_digest(secret: str) -> str:
    """What is stored of a secret or a token; both are long and random, so a plain hash cannot be turned back."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class Caller:
    """Who calls the API: the actor services are asked with, the client, and what its token may be used for."""

    actor: Actor
    client: ApiClient
    scopes: frozenset[str]
    time_zone: str
    by_password: bool = False
    policies: dict[str, ApiPolicy] = field(default_factory=dict, compare=False)

    @property
    def is_reseller(self) -> bool:
        """Whether this is a reseller's program, not one of the organization."""
        return self.client.account_id is not None

    @property
    def may_read(self) -> bool:
        """Whether the reseller's edition has the API at all; the organization's programs always have."""
        return self._edition_has(Capability.API_READ)

    @property
    def may_write(self) -> bool:
        """Whether the reseller's edition may change something by the API."""
        return self._edition_has(Capability.API_WRITE)

    @property
    def sees_cost(self) -> bool:
        """Whether the vendor's cost is shown: to the organization's programs with the scope, never to resellers."""
        return not self.is_reseller and "cost:read" in self.scopes

    @property
    def policy(self) -> ApiPolicy:
        """The rules of the organization's API, read once if somebody asks."""
        if "known" not in self.policies:
            self.policies["known"] = policy_of(self.client.organization_id)
        return self.policies["known"]

    def refusal_of(self, right: Right) -> str:
        """Why the caller may not do what needs this right, as the code of ``api.md`` 5.2; empty if he may."""
        if not self.may_read or (right.writes and not self.may_write):
            return "edition_required"
        if self.is_reseller and (right.staff_only or (right.switch and not getattr(self.policy, right.switch.value))):
            return "not_enabled"
        return "" if right.scope.value in self.scopes else "scope_missing"

    def _edition_has(self, capability: Capability) -> bool:
        account = self.client.account
        return account is None or has_capability(account.edition, capability)


def policy_of(organization_id: int) -> ApiPolicy:
    """The rules of an organization's API; everything off if nobody set any."""
    found = ApiPolicy.objects.filter(organization_id=organization_id).first()
    return found or ApiPolicy(organization_id=organization_id)


def _columns(model: type[Model], *names: str) -> tuple[str, ...]:
    """These columns of a model, or all, in the order of its declaration, in which ``from_db`` takes their values."""
    found = tuple(column.attname for column in model._meta.concrete_fields)
    return tuple(name for name in found if name in names) if names else found


_TOKEN = _columns(ApiToken, "id", "client_id", "scopes", "by_password", "expires_at")
_CLIENT = _columns(ApiClient)
_ACCOUNT = _columns(Account, "id", "edition", "status")
_ORGANIZATION = _columns(Organization, "id", "time_zone")


def _tokens(digest: str, organization: int) -> "QuerySet[ApiToken, tuple[Any, ...]]":
    """The columns of the token with this hash, of its client, account and organization, and the version's switch."""
    columns = [f"client__{name}" for name in _CLIENT]
    columns += [f"client__account__{name}" for name in _ACCOUNT]
    columns += [f"client__organization__{name}" for name in _ORGANIZATION]
    switch = ApiPolicy.objects.filter(organization=OuterRef("organization")).values("require_version")[:1]
    rows = ApiToken.objects.filter(token_hash=digest, organization_id=organization).order_by()
    return rows.values_list(*_TOKEN, *columns, Subquery(switch))


_TOKENS = PreparedRows(_tokens, digest="the hash of a token", organization=-1)


def token_of(token: str, organization_id: int) -> ApiToken | None:
    """The access token with its client, account and organization; None if there is none such in the organization.

    Asked at every call, so in one statement that is compiled once; of account and organization only what tells whether
    and how the client may call, and ``requires_version`` beside them.
    """
    for row in _TOKENS.read(digest=secret_digest(token), organization=organization_id):
        parts = iter(row)
        found = ApiToken.from_db(DEFAULT_DB_ALIAS, _TOKEN, list(islice(parts, len(_TOKEN))))
        client = ApiClient.from_db(DEFAULT_DB_ALIAS, _CLIENT, list(islice(parts, len(_CLIENT))))
        account = Account.from_db(DEFAULT_DB_ALIAS, _ACCOUNT, list(islice(parts, len(_ACCOUNT))))
        home = Organization.from_db(DEFAULT_DB_ALIAS, _ORGANIZATION, list(islice(parts, len(_ORGANIZATION))))
        client.account, client.organization = (account if account.pk is not None else None), home
        found.client, found.requires_version = client, bool(next(parts))
        return found
    return None


def counts_still(token: ApiToken) -> bool:
    """Whether the client and its account may call at all, apart from the token's age and the edition."""
    client = token.client
    if not client.is_live or (client.account is not None and client.account.status == AccountStatus.CLOSED):
        return False
    return not token.by_password or bool(policy_of(client.organization_id).shared_key)


def caller_of(token: ApiToken, *, site_id: int | None, ip: str = "", request_id: str = "") -> Caller:
    """The caller behind a valid token; of a reseller whose edition only reads, without the rights to write."""
    scopes = frozenset(token.scopes)
    return _caller(token.client, scopes, by_password=token.by_password, site_id=site_id, ip=ip, request_id=request_id)


def reader_of(client: ApiClient) -> Caller | None:
    """Who a client is when it does not call, but is told something: with all its scopes; None if it may not call."""
    account = client.account
    if not client.is_live or (account is not None and account.status == AccountStatus.CLOSED):
        return None
    return _caller(client, granted_scopes(client.scopes, is_reseller=account is not None))


def _caller(
    client: ApiClient,
    scopes: frozenset[str],
    *,
    by_password: bool = False,
    site_id: int | None = None,
    ip: str = "",
    request_id: str = "",
) -> Caller:
    account, given = client.account, scopes
    if account is not None and not has_capability(account.edition, Capability.API_WRITE):
        given -= {scope.value for scope in WRITE_SCOPES}
    rule = client.permission_rule_id
    actor = Actor(
        ActorKind.STAFF if account is None else ActorKind.CUSTOMER,
        client.organization_id,
        user_id=client.user_id,
        label=f"API: {client.name}"[:200],
        email=client.email,
        account_id=client.account_id,
        sells=account is not None,
        perms=perms_of_scopes(given, is_reseller=account is not None),
        site_id=site_id,
        rules=((rule, "full"),) if rule is not None else None,
        ip=ip,
        request_id=request_id,
    )
    return Caller(actor, client, scopes, client.organization.time_zone, by_password=by_password)


def wants_use_noted(client: ApiClient) -> bool:
    """Whether the time of the last use is worth writing down again."""
    return client.last_used_at is None or clock.real_now() - client.last_used_at > USE_NOTED_EVERY


def clients_for(actor: Actor) -> TenantQuerySet[ApiClient]:
    """API clients the actor may see: employees all, a reseller's people their own account's."""
    rows = ApiClient.objects.visible_to(actor).select_related("account", "permission_rule")
    if actor.is_customer:
        rows = rows.filter(account_id=actor.account_id or 0)
    return rows.order_by("-id")


def policy_for(actor: Actor) -> ApiPolicy:
    """The rules of the actor's organization."""
    return policy_of(actor.tenant_id)


def resellers_with_api(actor: Actor) -> TenantQuerySet[Account]:
    """Resellers the actor may see that can have API clients at all."""
    return Account.objects.visible_to(actor).filter(kind=AccountKind.RESELLER).order_by("name", "id")
