"""From a connector's fields with a role to an instance's market, and what a person still has to do (``esd.md`` 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from core import audit, clock, outbox
from core.pfx import covers, hosts_of
from core.tenancy import Actor
from provisioning.ports import Connector, Field, FieldKind
from provisioning.registry import connector_for
from subscriptions.enums import OperationEvent, OperationState
from subscriptions.models import RUN_TASK, Asset, Operation, Subscription
from subscriptions.services import life
from vendors.models import Application, Certificate, DnsState, Instance, InstanceState
from vendors.selectors import certificate_choices
from vendors.services import market as rules
from vendors.services.market import Market, dns_advice
from vendors.validity import USABLE, Validity, certificate_state, expired_words

MISCONFIGURED = "misconfigured"


def roles_of(connector: Connector) -> dict[str, Field]:
    """The connector's settings that mean something to the platform, by role."""
    return {item.role: item for item in connector.describe_settings() if item.role}


def needs_certificate(connector: Connector) -> bool:
    """Whether an instance proves itself with an installed certificate; then it is Ready once a token was fetched."""
    return "certificate" in roles_of(connector)


def market_of(connector: Connector, values: Mapping[str, Any]) -> Market:
    """The market that setting values tell; what a connector does not ask for stays empty."""
    given = {role: str(values.get(item.id) or "").strip() for role, item in roles_of(connector).items()}
    return Market(
        client=given.get("client", ""),
        thumbprint=given.get("certificate", ""),
        country=given.get("country", ""),
        language=given.get("language", ""),
    )


def services_of(instance: Instance | None) -> int:
    """How many services and assets hang on an instance."""
    if instance is None:
        return 0
    assets = Asset.objects.filter(instance=instance).count()
    return Subscription.objects.filter(instance=instance).count() + assets


def market_columns(
    actor: Actor, application: Application, instance: Instance | None, values: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The columns the values make, and what stands against them by field id; holds the organization's markets."""
    connector = connector_for(application.code)
    roles = roles_of(connector)
    if not roles:
        return {}, {}
    rules.lock_markets(actor)
    market = market_of(connector, values)
    found = rules.objections(
        actor, application=application, instance=instance, market=market, in_use=services_of(instance)
    )
    columns = rules.columns_of(rules.bound_certificate(actor, market.thumbprint), market)
    return columns, {roles[role].id: words for role, words in found.items() if role in roles}


def with_choices(actor: Actor, fields: Sequence[Field], instance: Instance | None) -> list[Field]:
    """The fields, with the organization's certificates as the choices of those that ask for one."""
    kinds = {item.kind for item in fields}
    if FieldKind.INSTALLED_CERTIFICATE not in kinds:
        return list(fields)
    choices = certificate_choices(actor, instance)
    return [replace(item, choices=choices) if item.kind == FieldKind.INSTALLED_CERTIFICATE else item for item in fields]


@transaction.atomic
def wake_misconfigured(actor: Actor, instance: Instance) -> int:
    """Send the instance's operations again that wait because its settings were refused; returns how many.

    They keep their ids, so the vendor is asked first what became of them. Others that need a person stay as they are.
    """
    idle = Q(claimed_until=None) | Q(claimed_until__lte=clock.real_now())
    rows = Operation.objects.select_for_update(of=("self",)).select_related("account").order_by("pk")
    found = list(rows.filter(idle, instance=instance, state=OperationState.ATTENTION, code=MISCONFIGURED))
    for row in found:
        life.fire_operation(row, OperationEvent.RETRY, not_before=clock.now(), first_sent_at=None, reason_kind="")
        audit.record(actor, "operation.retried", row, account=row.account)
        outbox.dispatch(RUN_TASK, row.pk)
    return len(found)


@dataclass(frozen=True, slots=True)
class Point:
    """One point of an instance's checklist: what, whether it is so, what to do if not, and which page helps."""

    title: str
    is_done: bool
    advice: str = ""
    page: str = ""


def checklist(instance: Instance) -> list[Point]:
    """What has to be so before an instance with a certificate can be opened; empty for other applications."""
    if not needs_certificate(connector_for(instance.application.code)):
        return []
    return [
        *_certificate_points(instance.certificate),
        Point(
            _("Token fetched"),
            instance.state != InstanceState.DRAFT and instance.credentials_refused_at is None,
            _("Complete the settings, then test the connection."),
            "test",
        ),
        Point(
            _("Catalogue read once"),
            instance.last_definition_at is not None,
            _("Get the services definition once the instance is ready."),
            "definition",
        ),
    ]


def _certificate_points(row: Certificate | None) -> list[Point]:
    names = (_("Certificate valid"), _("Host name covered"), _("CNAME found"))
    if row is None:
        first = _("Install a certificate, then choose it in the settings.")
        return [Point(names[0], False, first, "certificate_list"), *(Point(name, False) for name in names[1:])]
    state = certificate_state(row, clock.now())
    late = expired_words(row) + " " + _("Replace it.") if state == Validity.EXPIRED else ""
    is_covered = covers(hosts_of(row.chain_pem), row.host_name)
    wrong = _("The certificate does not cover %(host)s.") % {"host": row.host_name}
    return [
        Point(names[0], state in USABLE, late, "certificate"),
        Point(names[1], is_covered, wrong, "certificate"),
        Point(names[2], row.dns_state == DnsState.OK, dns_advice(row), "certificate"),
    ]
