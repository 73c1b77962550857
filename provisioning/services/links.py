"""Setting a customer up at a vendor before his first order, or again after it came to nothing."""

import re
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.models import ProductType
from core import audit
from core.errors import BusinessError, Conflict, NotVisible
from core.tenancy import Actor
from provisioning.ports import Field, FieldKind
from provisioning.services.checkout import account_fields, options_of
from resellers.models import Account
from subscriptions.enums import DESK_STATES, Verb
from subscriptions.models import Operation
from subscriptions.services import open_operation, open_operation_of_link
from users.permissions import Perm
from vendors.models import AccountLink, Instance, InstanceState, LinkState
from vendors.services.links import ensure_link, save_options


def set_up_obstacle(link: AccountLink) -> str:
    """Why a customer cannot be set up at this instance now, in words; empty if he can."""
    if link.state == LinkState.SYNCHRONIZED:
        return _("The vendor knows this account already.")
    if link.instance.state != InstanceState.ACTIVE:
        return _("Activate the instance first.")
    if open_operation_of_link(link) is not None:
        return _("The set-up is on its way.")
    if not link.options:
        return _("What the vendor asks is answered with the first order.")
    stuck = Operation.objects.filter(account_link=link, state__in=DESK_STATES, retries=None)
    return _("Try it again on the operations desk.") if stuck.exists() else ""


@transaction.atomic
def set_up_now(actor: Actor, *, link: AccountLink) -> Operation:
    """Open the operation that makes the account known at the vendor, with the answers given before; calls no vendor.

    Raises Conflict ``link_not_ready`` with the reason if there is nothing to do, or something else is to be done first.
    """
    actor.require(Perm.SERVICE_MANAGE, link.account)
    return _set_up(actor, link)


def _set_up(actor: Actor, link: AccountLink) -> Operation:
    rows = AccountLink.objects.visible_to(actor).select_for_update(of=("self",))
    row = rows.select_related("instance", "account").filter(pk=link.pk).first()
    if row is None:
        raise NotVisible("link_missing", _("This account is not known at this instance."))
    obstacle = set_up_obstacle(row)
    if obstacle:
        raise Conflict("link_not_ready", obstacle)
    operation = open_operation(
        actor,
        verb=Verb.ACCOUNT_SYNC,
        instance_id=row.instance_id,
        account_id=row.account_id,
        organization_id=row.organization_id,
        account_link=row,
    )
    audit.record(actor, "link.set_up", row, after={"operation": str(operation.public_id)}, account=row.account)
    return operation


# --- By a program -----------------------------------------------------------------------------------------------------
def instances_asking(actor: Actor) -> list[Instance]:
    """The active instances of the actor's organization whose vendors know customers, by number."""
    kinds = ProductType.objects.filter(organization_id=actor.tenant_id, requires_account=True)
    rows = Instance.objects.filter(organization_id=actor.tenant_id, state=InstanceState.ACTIVE)
    rows = rows.filter(pk__in=kinds.values("instance"))
    return list(rows.select_related("application", "organization").order_by("pk"))


def asked_of_account(account: Account, instance: Instance) -> list[tuple[Field, str | None]]:
    """What the vendor asks about the customer himself, each with the answer so far as text."""
    link = AccountLink.objects.filter(account=account, instance=instance).first()
    known = link.options if link else {}
    shown = (FieldKind.LABEL, FieldKind.HIDDEN, FieldKind.PASSWORD)
    fields = [field for field in account_fields(account, instance) if field.kind not in shown]
    kept = options_of({field.id: None for field in fields})
    return [(field, _text(known.get(field.id, field.initial))) for field in fields if field.id in kept]


def _text(value: object) -> str | None:
    if value is None or value == "":
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def status_word(link: AccountLink) -> str:
    """How far the vendor knows of an account, in one word."""
    if link.state == LinkState.SYNCHRONIZED:
        return "Synchronized"
    if open_operation_of_link(link) is not None:
        return "InProgress"
    return "Failed" if link.state in (LinkState.FAILED, LinkState.RELATIONSHIP_LOST) else "Unsynchronized"


def _demand_change(actor: Actor, account: Account) -> None:
    """Employees' programs with the right to change accounts; a reseller's for himself and those billed to him."""
    if not actor.is_customer:
        actor.require(Perm.ACCOUNT_EDIT, account)
    elif account.pk == actor.account_id:
        actor.require(Perm.SHOP_COMPANY_EDIT, account)
    else:
        actor.require(Perm.SHOP_CUSTOMER_CREATE, account)


@transaction.atomic
def synchronize_account(actor: Actor, *, account: Account, instance: Instance) -> AccountLink:
    """Have the vendor told of an account; nothing if he knows it already or is being told.

    Raises Conflict ``link_not_ready`` with the reason if something is to be done first. Calls no vendor.
    """
    _demand_change(actor, account)
    link = ensure_link(account, instance)
    if link.state != LinkState.SYNCHRONIZED and open_operation_of_link(link) is None:
        _set_up(actor, link)
        link.refresh_from_db()
    return link


@transaction.atomic
def keep_answers(actor: Actor, *, account: Account, instance: Instance, values: Mapping[str, Any]) -> AccountLink:
    """Keep answers about an account by the question's id; an empty one takes the answer back, others stay.

    Raises Conflict ``vendor_knows_account`` once they were used, BusinessError ``option_invalid``.
    """
    _demand_change(actor, account)
    link = ensure_link(account, instance)
    if link.state == LinkState.SYNCHRONIZED or open_operation_of_link(link) is not None:
        words = _("The vendor knows this account already; what he asked is not asked again.")
        raise Conflict("vendor_knows_account", words)
    asked = {field.id: field for field, _value in asked_of_account(account, instance)}
    options = dict(link.options)
    for name, value in values.items():
        if value in (None, ""):
            options.pop(name, None)
        else:
            options[name] = _understood(asked[name], str(value))
    return save_options(actor, link=link, options=options)


def _understood(field: Field, value: str) -> Any:
    """An answer as the connector takes it."""
    if field.kind in (FieldKind.CHECKBOX, FieldKind.TERMS):
        if value.lower() not in ("true", "false"):
            raise BusinessError("option_invalid", _("%(name)s: answer true or false.") % {"name": field.name})
        return value.lower() == "true"
    if field.choices and value not in dict(field.choices):
        raise BusinessError("option_invalid", _("%(name)s: choose one of the list.") % {"name": field.name})
    if field.max_length and len(value) > field.max_length:
        words = _("%(name)s has at most %(n)s characters.")
        raise BusinessError("option_invalid", words % {"name": field.name, "n": field.max_length})
    if field.pattern and re.search(field.pattern, value) is None:
        raise BusinessError("option_invalid", f"{field.name}: {field.pattern_message}")
    return value
