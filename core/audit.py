"""The audit log: one row per write, appended in the transaction of the write, never changed afterwards.

``sequence``, ``previous_hash`` and ``entry_hash`` are there for a hash chain over the rows of an organization; a
database trigger lets them be filled once and refuses every other update and any deletion.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Cast

from core import clock
from core.request_id import current_request_id
from core.searching import trigrams
from core.tenancy import Actor, ActorKind, TenantOwned
from core.words import stored_words

MASK = "•••"
_SECRET_WORDS = ("password", "secret", "token", "application_key", "api_key", "credential", "certificate")


class AuditEntry(TenantOwned):
    """Who did what to which object, when, from where, and what it was before and after (secrets masked)."""

    tenant_account = "account"

    at = models.DateTimeField()
    actor_user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    actor_label = models.CharField(max_length=200)
    actor_kind = models.CharField(max_length=20)
    roles = models.CharField(max_length=200, blank=True)
    on_behalf_of = models.CharField(max_length=200, blank=True)
    account = models.ForeignKey("resellers.Account", null=True, on_delete=models.PROTECT, related_name="+")
    site_id_at = models.BigIntegerField(null=True)
    ip = models.CharField(max_length=45, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=80)
    object_type = models.CharField(max_length=80)
    object_id = models.UUIDField(null=True)
    object_label = models.CharField(max_length=255)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.TextField(blank=True)
    sequence = models.BigIntegerField(null=True, editable=False)
    previous_hash = models.CharField(max_length=64, blank=True, editable=False)
    entry_hash = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["organization", "-id"], name="audit_org"),
            models.Index(fields=["object_type", "object_id", "-id"], name="audit_object"),
            models.Index(fields=["account", "-id"], name="audit_account"),
            trigrams("object_label", Cast("object_id", models.TextField()), "request_id", name="audit_words"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["organization", "sequence"], name="audit_sequence_once"),
        ]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.action} {self.object_label}"

    @property
    def who(self) -> str:
        """Who did it, for people; what we do by ourselves is named in the reader's language."""
        return stored_words(self.actor_label) if self.actor_kind == ActorKind.SYSTEM else self.actor_label


def masked(values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy fit for the log: anything named like a secret is masked, at every depth."""

    def clean(key: str, value: Any) -> Any:
        if any(word in key.lower() for word in _SECRET_WORDS):
            return MASK if value else ""
        if isinstance(value, Mapping):
            return masked(value)
        return value if isinstance(value, (bool, int, type(None))) else str(value)

    return {str(key): clean(str(key), value) for key, value in values.items()}


def record(
    actor: Actor,
    action: str,
    target: models.Model,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    account: models.Model | None = None,
    on_behalf_of: str = "",
) -> AuditEntry:
    """Append one entry; call it inside the transaction of the change. ``target`` must know its organization."""
    owner = account if account is not None else getattr(target, "account", None)
    organization_id = getattr(target, "organization_id", None) or actor.organization_id or target.pk
    return AuditEntry.objects.create(
        organization_id=organization_id,
        at=clock.now(),
        actor_user_id=actor.user_id,
        actor_label=actor.label or str(actor.kind),
        actor_kind=str(actor.kind),
        roles=", ".join(sorted(actor.roles))[:200],
        on_behalf_of=on_behalf_of,
        account_id=getattr(owner, "pk", None),
        site_id_at=actor.site_id,
        ip=actor.ip,
        request_id=actor.request_id or current_request_id(),
        action=action,
        object_type=target._meta.label_lower,
        object_id=getattr(target, "public_id", None),
        object_label=str(target)[:255],
        before=masked(before or {}),
        after=masked(after or {}),
        reason=reason,
    )
