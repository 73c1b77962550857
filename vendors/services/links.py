"""Account links: an account at an instance (``service-manager.md`` 7, ``office365.md`` 4)."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import audit, clock, crypto
from core.errors import BusinessError, Conflict
from core.states import Machine
from core.tenancy import Actor, ActorKind
from resellers.models import Account
from users.permissions import Perm
from vendors.models import AccountLink, AgreementRecord, Instance, LinkState

PASSWORD_KEPT = dt.timedelta(days=7)
_MPN = re.compile(r"^\d{4,10}$")

LINK_MACHINE = Machine(
    gettext_lazy("tenant link"),
    "state",
    {
        (LinkState.UNSYNCHRONISED, "start"): LinkState.IN_PROGRESS,
        (LinkState.FAILED, "start"): LinkState.IN_PROGRESS,
        (LinkState.AWAITING_RELATIONSHIP, "start"): LinkState.IN_PROGRESS,
        (LinkState.RELATIONSHIP_LOST, "start"): LinkState.IN_PROGRESS,
        (LinkState.IN_PROGRESS, "start"): LinkState.IN_PROGRESS,
        (LinkState.IN_PROGRESS, "await_relationship"): LinkState.AWAITING_RELATIONSHIP,
        (LinkState.IN_PROGRESS, "synchronize"): LinkState.SYNCHRONIZED,
        (LinkState.IN_PROGRESS, "fail"): LinkState.FAILED,
        (LinkState.IN_PROGRESS, "give_up"): LinkState.UNSYNCHRONISED,
        (LinkState.AWAITING_RELATIONSHIP, "give_up"): LinkState.UNSYNCHRONISED,
        (LinkState.FAILED, "give_up"): LinkState.UNSYNCHRONISED,
        (LinkState.UNSYNCHRONISED, "give_up"): LinkState.UNSYNCHRONISED,
        (LinkState.SYNCHRONIZED, "lose_relationship"): LinkState.RELATIONSHIP_LOST,
        (LinkState.RELATIONSHIP_LOST, "synchronize"): LinkState.SYNCHRONIZED,
        (LinkState.SYNCHRONIZED, "synchronize"): LinkState.SYNCHRONIZED,
    },
)


def ensure_link(account: Account, instance: Instance) -> AccountLink:
    """The link of an account at an instance; made Unsynchronised if there is none."""
    row, _created = AccountLink.objects.get_or_create(
        account=account, instance=instance, defaults={"organization_id": account.organization_id}
    )
    return row


@transaction.atomic
def save_options(actor: Actor, *, link: AccountLink, options: Mapping[str, Any]) -> AccountLink:
    """Store the answers to the connector's account fields; refused once the vendor knows the account."""
    row = AccountLink.objects.select_for_update(of=("self",)).get(pk=link.pk)
    if row.state == LinkState.SYNCHRONIZED:
        return row
    before = row.options
    row.options = dict(options)
    row.save(update_fields=["options", "updated_at"])
    audit.record(actor, "link.options", row, before=before, after=row.options, account=row.account)
    return row


@transaction.atomic
def set_mpn_id(
    actor: Actor, *, account: Account, instance: Instance, mpn_id: str, tenant_id: str = "", is_checked: bool = True
) -> AccountLink:
    """Keep a reseller's MPN ID for what he buys for end customers at this instance.

    The vendor has been asked unless ``is_checked`` is False; ``tenant_id`` is his tenant as the vendor told it.
    Running subscriptions keep theirs. Raises ``mpn_invalid`` on anything but 4 to 10 digits.
    """
    if actor.is_staff or actor.kind == ActorKind.SYSTEM:
        actor.require(Perm.ACCOUNT_EDIT, account)
    else:
        actor.require(Perm.SHOP_MPN if actor.has(Perm.SHOP_MPN) else Perm.SHOP_ORDER, account)
    if not account.is_reseller:
        raise BusinessError("mpn_not_reseller", _("Only resellers have an MPN ID."), field="mpn_id")
    if not _MPN.match(mpn_id):
        raise BusinessError("mpn_invalid", _("An MPN ID has 4 to 10 digits."), field="mpn_id")
    row = AccountLink.objects.select_for_update(of=("self",)).get(pk=ensure_link(account, instance).pk)
    before = row.mpn_id
    known = row.mpn_checked_at if before == mpn_id else None
    row.mpn_id, row.reseller_tenant_id = mpn_id, tenant_id
    row.mpn_checked_at = clock.now() if is_checked else known
    row.save(update_fields=["mpn_id", "reseller_tenant_id", "mpn_checked_at", "updated_at"])
    audit.record(actor, "link.mpn_id", row, before={"mpn_id": before}, after={"mpn_id": mpn_id}, account=account)
    return row


@transaction.atomic
def record_agreement(
    actor: Actor, *, account: Account, instance: Instance, values: Mapping[str, Any]
) -> AgreementRecord:
    """Log an accepted customer agreement, for ever."""
    return AgreementRecord.objects.create(
        organization_id=account.organization_id,
        account=account,
        instance=instance,
        first_name=values["first_name"],
        last_name=values["last_name"],
        email=values["email"],
        phone=values.get("phone", ""),
        date_agreed=values["date_agreed"],
        recorded_at=clock.now(),
        user_label=actor.label,
        ip=actor.ip,
    )


def synchronize_link(actor: Actor, link: AccountLink, *, external_id: str, password: str = "") -> None:
    """Store the vendor's id of an account; its administrator's first password stays encrypted for 7 days.

    Runs inside the caller's transaction. Raises :class:`Conflict` ``tenant_linked`` if the tenant is another account's.
    """
    changes: dict[str, Any] = {"external_id": external_id, "synchronized_at": clock.now(), "state_note": ""}
    if password:
        changes["admin_password_cipher"] = crypto.encrypt(password)
        changes["admin_password_until"] = clock.now() + PASSWORD_KEPT
    try:
        with transaction.atomic():
            LINK_MACHINE.fire(link, "synchronize", **changes)
    except IntegrityError as error:
        raise Conflict("tenant_linked", _("This tenant is linked to another account.")) from error
    audit.record(actor, "link.synchronized", link, after={"external_id": external_id}, account=link.account)


@transaction.atomic
def reveal_admin_password(actor: Actor, *, link: AccountLink) -> str:
    """Show the administrator's first password once, and erase it; empty if it is gone or too old."""
    actor.require(Perm.ACCOUNT_INVITE if actor.is_staff else Perm.SHOP_ORDER, link.account)
    row = AccountLink.objects.select_for_update(of=("self",)).get(pk=link.pk)
    fresh = row.admin_password_until is not None and row.admin_password_until > clock.now()
    password = crypto.decrypt(row.admin_password_cipher) if fresh else ""
    row.admin_password_cipher, row.admin_password_until = "", None
    row.save(update_fields=["admin_password_cipher", "admin_password_until", "updated_at"])
    audit.record(actor, "link.password_revealed", row, account=row.account)
    return password


@transaction.atomic
def forget_link(*, account_id: int, application: str) -> int:
    """The other side no longer knows the account: its next order asks everything anew. Returns how many links."""
    rows = AccountLink.objects.filter(account_id=account_id, instance__application__code=application)
    return rows.update(external_id="", state=LinkState.UNSYNCHRONISED, options={}, synchronized_at=None)
