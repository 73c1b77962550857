"""Setting a customer up at a vendor before his first order, or again after it came to nothing."""

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit
from core.errors import Conflict, NotVisible
from core.tenancy import Actor
from subscriptions.enums import DESK_STATES, Verb
from subscriptions.models import Operation
from subscriptions.services import open_operation, open_operation_of_link
from users.permissions import Perm
from vendors.models import AccountLink, InstanceState, LinkState


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
