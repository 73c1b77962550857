"""Reads of API clients: who calls with a token, and the lists of the pages."""

import datetime as dt
import hashlib
from dataclasses import dataclass, field

from clients.models import ApiClient, ApiPolicy, ApiToken
from clients.scopes import WRITE_SCOPES, Right, granted_scopes, perms_of_scopes
from core import clock
from core.tenancy import Actor, ActorKind, TenantQuerySet
from resellers.editions import Capability, has_capability
from resellers.enums import AccountKind, AccountStatus
from resellers.models import Account

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


_OF_TOKEN = (
    *("client_id", "scopes", "by_password", "expires_at"),
    *(f"client__{field.attname}" for field in ApiClient._meta.concrete_fields),
    *("client__account__edition", "client__account__status", "client__organization__time_zone"),
)


def token_of(token: str, organization_id: int) -> ApiToken | None:
    """The access token with its client, account and organization; None if there is none such in the organization."""
    rows = ApiToken.objects.select_related("client__account", "client__organization").only(*_OF_TOKEN)
    return rows.filter(token_hash=secret_digest(token), organization_id=organization_id).first()


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
