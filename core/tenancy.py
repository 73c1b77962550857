"""Tenancy: who acts, what he may see, and the one query method that says so.

Every model is :class:`TenantOwned` or on the short list of global ones in ``tests/test_architecture.py``. A door never
reads a row without ``visible_to(actor)``: what is foreign does not exist.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Self, TypeVar

from django.apps import apps
from django.db import models
from django.utils.translation import gettext as _

from core.base import BaseModel
from core.errors import BusinessError, PermissionRefused

M = TypeVar("M", bound=models.Model, covariant=True)

# What a permission rule gives, from least to most: see, act within one's role, also change the rule itself.
LEVELS = ("read", "edit", "full")


class ActorKind(StrEnum):
    """How an actor came to act."""

    ANONYMOUS = "anonymous"
    STAFF = "staff"
    CUSTOMER = "customer"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: user, organization, account, role and site, as found for this request or task.

    ``account_id`` is the account whose user he is (None for staff). ``sells`` tells that the account is a reseller's,
    so that he also sees the accounts billed to it; ``pays`` is False where somebody else is billed for the account.
    ``perms`` are permission codes of ``users.permissions.Perm``.
    ``viewing_as`` names the account at which an employee looks with its user's eyes; he then only reads. ``rules`` are
    the permission rules that let an employee near an account, as (rule id, level); None means that no rule restricts
    him: he is an Administrator, or his organization has no rules.
    """

    kind: ActorKind
    organization_id: int | None = None
    user_id: int | None = None
    label: str = ""
    email: str = ""
    account_id: int | None = None
    sells: bool = False
    pays: bool = True
    roles: frozenset[str] = frozenset()
    perms: frozenset[str] = frozenset()
    site_id: int | None = None
    viewing_as: str = ""
    rules: tuple[tuple[int, str], ...] | None = None
    ip: str = ""
    request_id: str = field(default="", compare=False)

    @property
    def is_staff(self) -> bool:
        """Whether this is an employee of the organization."""
        return self.kind == ActorKind.STAFF

    @property
    def is_customer(self) -> bool:
        """Whether this is a user of an account: direct customer, reseller, end customer, affiliate."""
        return self.kind == ActorKind.CUSTOMER

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody is signed in."""
        return self.kind == ActorKind.ANONYMOUS

    @property
    def tenant_id(self) -> int:
        """The organization's id; raises BusinessError ``organization_missing`` for an actor of none."""
        if self.organization_id is None:
            raise BusinessError("organization_missing", _("Choose an organization first."))
        return self.organization_id

    def has(self, perm: str) -> bool:
        """Whether the actor's roles give ``perm``."""
        return self.kind == ActorKind.SYSTEM or str(perm) in self.perms

    def require(self, perm: str, account: models.Model | None = None, *, level: str = "edit") -> None:
        """Raise :class:`PermissionRefused` unless the actor has ``perm`` and, if given, reaches ``account``.

        An employee also needs ``level`` by the account's permission rule: "edit" to change something, "read" to look.
        """
        if not self.has(perm):
            raise PermissionRefused("permission_missing", _("Your role does not allow this. Ask an administrator."))
        if account is None:
            return
        if not self.reaches(account):
            raise PermissionRefused("account_foreign", _("This account is not yours."))
        if not self.may(account, level):
            raise PermissionRefused("rule_level", read_only_words())

    def may(self, account: models.Model, level: str = "edit") -> bool:
        """Whether the account's permission rule gives the actor at least ``level``; no rule gives everybody all."""
        rule = getattr(account, "permission_rule_id", None)
        if self.rules is None or rule is None:
            return True
        given = dict(self.rules).get(rule)
        return given is not None and LEVELS.index(given) >= LEVELS.index(level)

    def may_touch(self, row: object, level: str = "edit") -> bool:
        """As :meth:`may`, for any row that hangs on an account; what hangs on none is restricted by no rule."""
        path: str | None = getattr(row, "tenant_account", None)
        if self.rules is None or path is None:
            return True
        for part in () if path == "pk" else path.split("__"):
            row = getattr(row, part, None)
        return not isinstance(row, models.Model) or self.may(row, level)

    def reaches(self, account: models.Model) -> bool:
        """Whether the actor sees ``account``: his own, billed to his, or of his organization and rules if staff."""
        return self._in_reach(account) and self.may(account, "read")

    def _in_reach(self, account: models.Model) -> bool:
        if self.kind == ActorKind.SYSTEM:
            return self.organization_id in (None, getattr(account, "organization_id", None))
        if getattr(account, "organization_id", None) != self.organization_id:
            return False
        if self.is_staff:
            return True
        if self.account_id is None:
            return False
        own = account.pk == self.account_id
        return own or (self.sells and getattr(account, "bill_to_id", None) == self.account_id)


def read_only_words() -> str:
    """What somebody is told whose permission rule lets him look, but not act."""
    return _("Your permission rule lets you look at this account, but not change anything about it.")


def system_actor(organization_id: int | None = None, label: str = "system") -> Actor:
    """The actor of tasks and commands; limited to one organization if given."""
    return Actor(kind=ActorKind.SYSTEM, organization_id=organization_id, label=label)


class TenantQuerySet(models.QuerySet[M]):
    """A query set that knows what an actor may see."""

    def visible_to(self, actor: Actor) -> Self:
        """Rows of the actor's organization; for a customer only those of his account and the ones billed to it.

        The path from a row to its account is the model's ``tenant_account``; without one, customers see nothing.
        Employees see what the permission rules of the accounts let them see; a row of no account is for all of them.
        """
        if actor.kind == ActorKind.SYSTEM:
            return self.filter(organization_id=actor.organization_id) if actor.organization_id else self.all()
        if actor.organization_id is None or actor.is_anonymous:
            return self.none()
        path: str | None = getattr(self.model, "tenant_account", None)
        rows = self.filter(organization_id=actor.organization_id)
        if actor.rules is not None and path is not None:
            rows = rows.filter(rule_filter(path, actor.rules))
        if actor.is_staff:
            return rows
        if path is None or actor.account_id is None:
            return self.none()
        return rows.filter(**account_filter(path, actor))

    def get_visible(self, actor: Actor, public_id: object) -> M | None:
        """The row with this public id if the actor may see it, else None; a malformed id is simply not there."""
        try:
            key = uuid.UUID(str(public_id))
        except ValueError:
            return None
        return self.visible_to(actor).filter(public_id=key).first()


def account_filter(path: str, actor: Actor) -> dict[str, Any]:
    """The filter that keeps rows whose account (at ``path``, ``pk`` for the account itself) the actor reaches."""
    if not actor.sells:
        return {path: actor.account_id}
    accounts = apps.get_model("resellers", "Account")._base_manager
    reached = accounts.filter(models.Q(pk=actor.account_id) | models.Q(bill_to=actor.account_id)).values("pk")
    return {f"{path}__in": reached}


def rule_filter(path: str, rules: tuple[tuple[int, str], ...]) -> models.Q:
    """The filter that keeps rows whose account (at ``path``) has no permission rule, or one of these.

    An anti-join: a row without an account stays, no row is doubled, and the rows themselves can still be locked.
    """
    ids = [rule for rule, _level in rules]
    if path == "pk":
        return models.Q(permission_rule=None) | models.Q(permission_rule__in=ids)
    accounts = apps.get_model("resellers", "Account")._base_manager
    hidden = accounts.filter(pk=models.OuterRef(path), permission_rule__isnull=False)
    return models.Q(~models.Exists(hidden.exclude(permission_rule__in=ids)))


class TenantOwned(BaseModel):
    """A row of one organization. Set ``tenant_account`` to the path that leads to the account it belongs to."""

    tenant_account: ClassVar[str | None] = None

    organization = models.ForeignKey("resellers.Organization", on_delete=models.PROTECT, related_name="+")

    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True


def perms_of(table: dict[str, frozenset[str]], roles: Iterable[str]) -> frozenset[str]:
    """The union of what each role gives."""
    return frozenset().union(*(table.get(role, frozenset()) for role in roles))
