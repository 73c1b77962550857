"""Applications Setup: an instance's form, its validation at the vendor, its definition run and its consent.

What needs the vendor runs as a background job; nothing here is called by a web request for more than a local check.
"""

from collections.abc import Mapping
from typing import Any

from django.core import signing
from django.db import transaction
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from catalog.models import Product
from core import crypto
from core.errors import BusinessError
from core.jobs import RUN_BULK_TASK, RUN_VENDOR_TASK, Job, start_job
from core.tenancy import Actor
from provisioning.context import context_for
from provisioning.ports import Connector, Field, FieldKind, VendorError
from provisioning.registry import connector_for, known_applications
from provisioning.services.market import (
    market_columns,
    needs_certificate,
    services_of,
    wake_misconfigured,
    with_choices,
)
from users.permissions import Perm
from vendors.inherited import is_inherited
from vendors.models import Application, ConsentState, Instance, InstanceState
from vendors.services.instances import fire_instance, save_instance
from vendors.services.market import activation_problem

CONSENT_SALT = "consent"
CONSENT_SECONDS = 600
SECRET_KINDS = (FieldKind.PASSWORD, FieldKind.CERTIFICATE)
CLEAR = "__clear"


def register_applications() -> list[Application]:
    """Make the application rows of this installation's connectors; names follow the connectors."""
    return [
        Application.objects.update_or_create(code=code, defaults={"name": connector.name})[0]
        for code, connector in known_applications().items()
    ]


def fields_of(actor: Actor, application: Application, instance: Instance | None) -> list[tuple[Field, bool]]:
    """The connector's setting fields, each with whether it is open yet (stage 2 opens with the first save)."""
    fields = with_choices(actor, connector_for(application.code).describe_settings(), instance)
    return [(item, instance is not None or not item.additional) for item in fields]


def shown_values(instance: Instance) -> dict[str, Any]:
    """The stored values for the form; secrets are not among them, only that they are set."""
    values = instance.read_settings()
    secret = {
        item.id for item in connector_for(instance.application.code).describe_settings() if item.kind in SECRET_KINDS
    }
    return {key: value for key, value in values.items() if key not in secret} | {
        f"{key}__set": True for key in secret if values.get(key)
    }


def shown_settings(instance: Instance) -> list[tuple[str, str]]:
    """The stored settings in words, as (name, value), in the connector's order; of a secret only that it is stored."""
    values = instance.read_settings()
    found = []
    for item in connector_for(instance.application.code).describe_settings():
        if item.kind in (FieldKind.LABEL, FieldKind.HIDDEN):
            continue
        value = values.get(item.id)
        if item.kind in SECRET_KINDS:
            found.append((item.name, _("Stored") if value else ""))
            continue
        names = dict(item.choices)
        parts = value if isinstance(value, list | tuple) else [] if value in (None, "", False) else [value]
        words = [_("Yes") if part is True else str(names.get(str(part), part)) for part in parts]
        found.append((item.name, ", ".join(words)))
    return found


def merged_values(
    connector: Connector, instance: Instance | None, given: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The values to store and the errors by field: empty secrets keep what is stored, stage 2 waits for stage 1.

    A secret is removed by a true ``<id>__clear`` beside it.
    """
    stored = instance.read_settings() if instance else {}
    values: dict[str, Any] = dict(stored)
    errors: dict[str, str] = {}
    for item in connector.describe_settings():
        if item.kind in (FieldKind.LABEL, FieldKind.HIDDEN) or item.id not in given:
            continue
        value = given[item.id]
        if item.additional and instance is None:
            if value not in (None, "", [], False):
                errors[item.id] = wait_words(item)
            continue
        if item.kind in SECRET_KINDS and not value:
            if given.get(f"{item.id}{CLEAR}"):
                values.pop(item.id, None)
            continue
        values[item.id] = value
    return values, errors


def wait_words(item: Field) -> str:
    """Why a field of stage 2 is closed before the first save."""
    return _("Save the instance first; then %(name)s can be chosen.") % {"name": item.name}


def missing_fields(connector: Connector, values: Mapping[str, Any]) -> list[Field]:
    """Required fields without a value, among those whose condition holds."""
    found = []
    for item in connector.describe_settings():
        applies = all(str(values.get(key, "")) == wanted for key, wanted in item.show_if.items())
        if item.required and applies and values.get(item.id) in (None, "", [], False):
            found.append(item)
    return found


def _vendor_objections(
    actor: Actor, application: Application, values: Mapping[str, Any], columns: Mapping[str, Any]
) -> dict[str, str]:
    """What the connector finds wrong with the values by itself, by field; the vendor is not asked."""
    connector: Any = connector_for(application.code)
    if "validate_settings" not in connector.verbs:
        return {}
    trial = Instance(
        organization_id=actor.tenant_id,
        application=application,
        settings_cipher=crypto.encrypt_json(values),
        **columns,
    )
    result = connector.validate_settings(context_for(trial))
    return {} if result.ok else dict(result.field_errors) or {"": str(result.message)}


@transaction.atomic
def save_settings(
    actor: Actor,
    *,
    application: Application,
    instance: Instance | None,
    system_name: str,
    given: Mapping[str, Any],
    is_tested: bool = False,
) -> Instance:
    """Store an instance's settings; what waits because the vendor refused them is sent again.

    It becomes Ready once every required field has a value and consent is given; with a certificate, once a token could
    be fetched (``is_tested``), which it remembers by being Ready. Raises ``settings_invalid`` with the fields, or
    ``additional_field_before_save`` if one of stage 2 was sent before the first save.
    """
    actor.require(Perm.INSTANCE_MANAGE)
    connector = connector_for(application.code)
    values, errors = merged_values(connector, instance, given)
    code = "additional_field_before_save" if errors else "settings_invalid"
    missing = missing_fields(connector, values)
    # What says where the instance sells is never emptied: a person who leaves it out is told so at once.
    emptied = [item for item in missing if item.additional and item.role and instance is not None and item.id in given]
    early = [*(item for item in missing if not item.additional), *emptied]
    errors |= {item.id: _("This field is required.") for item in early if item.id not in errors}
    columns, against = market_columns(actor, application, instance, values)
    errors = errors or against or _vendor_objections(actor, application, values, columns)
    if errors:
        raise BusinessError(code, _("Correct the marked fields."), context={"fields": errors})
    row = save_instance(
        actor,
        application=application,
        instance=instance,
        system_name=system_name,
        values=values,
        complete=not missing and _is_let_in(connector, instance, is_tested=is_tested),
        columns=columns,
    )
    if instance is not None:
        wake_misconfigured(actor, row)
    return row


def _is_let_in(connector: Connector, instance: Instance | None, *, is_tested: bool) -> bool:
    """Whether the vendor has let us in as far as his application wants: by consent, by a token, or not at all."""
    if instance is not None and instance.state in (InstanceState.ACTIVE, InstanceState.INACTIVE):
        return True
    if needs_certificate(connector):
        return is_tested or (instance is not None and instance.state == InstanceState.READY)
    agreed = instance is not None and instance.consent != ConsentState.NOT_GIVEN
    return agreed or "consent_start" not in connector.verbs


def settle_readiness(actor: Actor, instance: Instance, *, is_tested: bool = False) -> Instance:
    """After consent or a token was given: save once more what is stored, so that a complete Draft becomes Ready."""
    return save_settings(
        actor,
        application=instance.application,
        instance=instance,
        system_name=instance.system_name,
        given={},
        is_tested=is_tested,
    )


def settle_test(actor: Actor, instance: Instance, *, version: int) -> None:
    """After the vendor let us in: a Draft that waited for it becomes Ready, unless it was changed meanwhile."""
    present = Instance.objects.visible_to(actor).select_related("application").get(pk=instance.pk)
    same = present.settings_version == version
    if same and present.state == InstanceState.DRAFT and needs_certificate(connector_for(present.application.code)):
        settle_readiness(actor, present, is_tested=True)


def activate(actor: Actor, *, instance: Instance) -> Instance:
    """Open a Ready or Inactive instance for orders."""
    return fire_instance(actor, instance=instance, event="activate")


def deactivate(actor: Actor, *, instance: Instance) -> Instance:
    """Close an instance for new orders; running services can still be changed and cancelled."""
    return fire_instance(actor, instance=instance, event="deactivate")


def delete(actor: Actor, *, instance: Instance) -> Instance:
    """Remove an instance that has no services."""
    return fire_instance(actor, instance=instance, event="delete", in_use=services_of(instance))


def start_test(actor: Actor, *, instance: Instance) -> Job:
    """Ask the vendor whether the settings work, as a job."""
    actor.require(Perm.INSTANCE_MANAGE)
    return start_job(
        actor,
        "provisioning.test_connection",
        title=_("Test connection: %(name)s") % {"name": instance},
        params={"instance": str(instance.public_id)},
        unique_key=f"test:{instance.public_id}",
        queue_task=RUN_VENDOR_TASK,
    )


def start_definition(actor: Actor, *, instance: Instance, accept_loss: bool = False, full: bool = True) -> Job:
    """Get Services Definition, as a job; one per instance at a time. Without ``full`` only what changed, if he can."""
    actor.require(Perm.DEFINITION_RUN)
    if instance.state not in (InstanceState.READY, InstanceState.ACTIVE):
        raise BusinessError("instance_not_ready", _("Complete the instance's settings first."))
    return start_job(
        actor,
        "provisioning.pull_definition",
        title=_("Get Services Definition: %(name)s") % {"name": instance},
        params={"instance": str(instance.public_id), "accept_loss": accept_loss, "full": full},
        unique_key=f"definition:{instance.public_id}",
        queue_task=RUN_BULK_TASK,
    )


def consent_state(instance: Instance, actor: Actor) -> str:
    """The signed ``state`` of a consent round trip: this instance, this person, ten minutes."""
    return signing.dumps({"instance": str(instance.public_id), "user": actor.user_id}, salt=CONSENT_SALT)


def check_consent_state(instance: Instance, actor: Actor, state: str) -> None:
    """Raise ``consent_state`` unless ``state`` was made for this instance and person within ten minutes."""
    try:
        value = signing.loads(state, salt=CONSENT_SALT, max_age=CONSENT_SECONDS)
    except signing.BadSignature as error:
        raise BusinessError("consent_state", _("The consent took too long or was altered. Start it again.")) from error
    if value != {"instance": str(instance.public_id), "user": actor.user_id}:
        raise BusinessError("consent_state", _("This consent belongs to another person or instance. Start it again."))


def waits_for_token(instance: Instance) -> bool:
    """Whether nothing but the first token is missing for a Draft to become Ready."""
    connector = connector_for(instance.application.code)
    if instance.state != InstanceState.DRAFT or not needs_certificate(connector):
        return False
    return not missing_fields(connector, instance.read_settings())


def obstacles(actor: Actor, instance: Instance) -> dict[str, str]:
    """Why each deed of Applications Setup is not possible now, in words; the empty string where it is."""
    if is_inherited(instance):
        words = _("This comes from your distributor and follows his catalogue.")
        return dict.fromkeys(("definition", "activate", "deactivate", "delete"), words)
    draft = _("Complete the instance's settings first.") if instance.state == InstanceState.DRAFT else ""
    if waits_for_token(instance):
        draft = _("Test the connection first.")
    usable = instance.state in (InstanceState.READY, InstanceState.ACTIVE)
    idle = instance.state in (InstanceState.READY, InstanceState.INACTIVE)
    blocked = activation_problem(actor, instance) if idle else ""
    return {
        "definition": "" if usable else draft or _("Activate the instance first."),
        "activate": blocked if idle else draft or _("It is active already."),
        "deactivate": "" if instance.state == InstanceState.ACTIVE else _("It is not active."),
        "delete": "" if instance.state != InstanceState.ACTIVE else _("Deactivate the instance first."),
    }


def needs_consent(instance: Instance) -> bool:
    """Whether the vendor wants an administrator's consent for this application."""
    connector = known_applications().get(instance.application.code)
    return connector is not None and "consent_start" in connector.verbs


def start_consent(actor: Actor, *, instance: Instance, redirect_uri: str) -> tuple[str, str]:
    """The address of the vendor's consent page and the state that must come back; asks the vendor nothing.

    Raises BusinessError if the settings do not suffice or the application needs no consent.
    """
    actor.require(Perm.INSTANCE_MANAGE)
    if not needs_consent(instance):
        raise BusinessError("consent_not_needed", _("This application needs no consent."))
    connector: Any = connector_for(instance.application.code)
    state = consent_state(instance, actor)
    try:
        address: str = connector.consent_start(context_for(instance), redirect_uri, state)
    except VendorError as error:
        raise BusinessError(error.code or str(error.kind), error.message) from error
    return address, state


def finish_consent(
    actor: Actor, *, instance: Instance, redirect_uri: str, expected_state: str, form: Mapping[str, str]
) -> Job:
    """Take what the vendor sent back and exchange it for a token, as a job.

    Raises ``consent_state`` unless the answer carries the very state this person's session began with.
    """
    actor.require(Perm.INSTANCE_MANAGE)
    given = str(form.get("state") or "")
    if not expected_state or not constant_time_compare(given, expected_state):
        raise BusinessError("consent_state", _("This consent was not started here. Start it again."))
    check_consent_state(instance, actor, given)
    return start_job(
        actor,
        "provisioning.finish_consent",
        title=_("Finish consent: %(name)s") % {"name": instance},
        params={
            "instance": str(instance.public_id),
            "redirect_uri": redirect_uri,
            "form": crypto.encrypt_json({key: str(value) for key, value in form.items()}),  # It holds a one-time code.
            "label": actor.label,
        },
        unique_key=f"consent:{instance.public_id}",
        queue_task=RUN_VENDOR_TASK,
    )


def counts(instance: Instance) -> dict[str, int]:
    """Figures of the instances list."""
    return {
        "linked": instance.account_links.exclude(external_id="").count(),
        "services": services_of(instance),
        "products": Product.objects.filter(product_type__instance=instance, discontinued_at=None).count(),
    }
