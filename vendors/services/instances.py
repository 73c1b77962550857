"""Instances: save settings in two stages, activate, remember what the vendor thinks of our credentials.

What a setting must look like is the connector's business; callers hand over values that it has already found valid, and
whether all required ones are there (``complete``).
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core import audit, clock, crypto
from core.errors import BusinessError, Conflict, NotVisible
from core.states import Machine
from core.tenancy import Actor
from users.permissions import Perm
from vendors.inherited import demand_not_inherited
from vendors.models import Application, Certificate, ConsentState, Instance, InstanceSecret, InstanceState
from vendors.services.market import demand_activation, lock_markets

INSTANCE_MACHINE = Machine(
    gettext_lazy("instance"),
    "state",
    {
        (InstanceState.DRAFT, "complete"): InstanceState.READY,
        (InstanceState.READY, "reopen"): InstanceState.DRAFT,
        (InstanceState.READY, "activate"): InstanceState.ACTIVE,
        (InstanceState.INACTIVE, "activate"): InstanceState.ACTIVE,
        (InstanceState.ACTIVE, "deactivate"): InstanceState.INACTIVE,
        (InstanceState.DRAFT, "delete"): InstanceState.DELETED,
        (InstanceState.READY, "delete"): InstanceState.DELETED,
        (InstanceState.INACTIVE, "delete"): InstanceState.DELETED,
    },
)


@transaction.atomic
def save_instance(
    actor: Actor,
    *,
    application: Application,
    instance: Instance | None,
    system_name: str,
    values: Mapping[str, Any],
    complete: bool,
    columns: Mapping[str, Any] | None = None,
) -> Instance:
    """Create or change an instance; all values are stored encrypted, the audit entry masks the secret ones.

    An instance becomes Ready when ``complete``; an incomplete Ready one falls back to Draft, an Active one is refused.
    ``columns`` are those of :func:`vendors.services.market.columns_of`, already found free of objections.
    """
    actor.require(Perm.INSTANCE_MANAGE)
    system_name = system_name.strip()
    if not system_name:
        raise BusinessError("system_name_missing", _("Type a system name."), field="system_name")
    same = Instance.objects.filter(
        organization_id=actor.tenant_id, application=application, system_name=system_name
    ).exclude(state=InstanceState.DELETED)
    if same.exclude(pk=instance.pk if instance else 0).exists():
        raise BusinessError("system_name_taken", _("An instance with this name exists."), field="system_name")
    row = _locked(actor, instance) if instance else Instance(organization_id=actor.tenant_id, application=application)
    demand_not_inherited(actor, row)
    if row.state in (InstanceState.ACTIVE, InstanceState.INACTIVE) and not complete:
        raise BusinessError("instance_incomplete", _("An active instance needs all its required fields."))
    before = sorted(crypto.decrypt_json(row.settings_cipher)) if _readable(row) else []
    row.system_name = system_name
    row.settings_cipher = crypto.encrypt_json(values)
    row.settings_version += 1
    row.credentials_refused_at = None
    bound = row.certificate
    for name, value in (columns or {}).items():
        setattr(row, name, value)
    row.save()
    _note_binding(actor, row, bound)
    if complete and row.state == InstanceState.DRAFT:
        INSTANCE_MACHINE.fire(row, "complete")
    elif not complete and row.state == InstanceState.READY:
        INSTANCE_MACHINE.fire(row, "reopen")
    audit.record(actor, "instance.saved", row, before={"fields": before}, after=values)
    return row


def _note_binding(actor: Actor, row: Instance, before: Certificate | None) -> None:
    """An instance that proves itself with another certificate than before says so in the log."""
    if before is None or row.certificate == before:
        return
    after = {"thumbprint": row.certificate.thumbprint if row.certificate else ""}
    audit.record(actor, "certificate.bound", row, before={"thumbprint": before.thumbprint}, after=after)


def _readable(row: Instance) -> bool:
    try:
        crypto.decrypt_json(row.settings_cipher)
    except crypto.SecretUnreadable:
        return False
    return True


@transaction.atomic
def fire_instance(actor: Actor, *, instance: Instance, event: str, in_use: int = 0) -> Instance:
    """Activate, deactivate or delete an instance; deleting is refused while ``in_use`` services are linked.

    Activating is refused while its certificate is expired, its host name does not point here, or its market is taken.
    """
    actor.require(Perm.INSTANCE_MANAGE)
    if event == "activate":
        lock_markets(actor)
    row = _locked(actor, instance)
    demand_not_inherited(actor, row)
    if event == "activate" and INSTANCE_MACHINE.allows(row.state, event):
        demand_activation(actor, row)
    if event == "delete" and in_use:
        words = ngettext("In use by %(n)s service.", "In use by %(n)s services.", in_use)
        raise Conflict("instance_in_use", words % {"n": in_use})
    before = INSTANCE_MACHINE.fire(row, event)
    audit.record(actor, f"instance.{event}", row, before={"state": before}, after={"state": row.state})
    return row


def note_credentials(instance_id: int, *, refused: bool) -> None:
    """Remember that the vendor refused (401, 403) or accepted our credentials."""
    rows = Instance.objects.filter(pk=instance_id)
    if refused:
        rows.filter(credentials_refused_at=None).update(credentials_refused_at=clock.now())
    else:
        rows.exclude(credentials_refused_at=None).update(credentials_refused_at=None)


@transaction.atomic
def note_consent(actor: Actor, *, instance: Instance, state: str, note: str) -> None:
    """Write what the vendor's administrator allowed; Lost keeps the instance active with its effects."""
    row = Instance.objects.select_for_update(of=("self",)).get(pk=instance.pk)
    if row.consent == state:
        return
    before = row.consent
    if (before, state) == (ConsentState.NOT_GIVEN, ConsentState.LOST):
        return
    Instance.objects.filter(pk=row.pk).update(consent=state, consent_note=note[:255], consent_at=clock.now())
    audit.record(actor, "instance.consent", row, before={"consent": before}, after={"consent": state}, reason=note)


def read_secret(instance_id: int, name: str) -> str:
    """A secret of an instance, decrypted; empty if there is none."""
    row = InstanceSecret.objects.filter(instance_id=instance_id, name=name).first()
    return crypto.decrypt(row.value_cipher) if row else ""


@transaction.atomic
def write_secret(instance: Instance, name: str, value: str) -> None:
    """Store a secret of an instance at once."""
    InstanceSecret.objects.update_or_create(
        instance=instance,
        name=name,
        defaults={"organization_id": instance.organization_id, "value_cipher": crypto.encrypt(value)},
    )


def _locked(actor: Actor, instance: Instance) -> Instance:
    row = Instance.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=instance.pk).first()
    if row is None or row.state == InstanceState.DELETED:
        raise NotVisible("instance_missing", _("This instance does not exist."))
    return row
