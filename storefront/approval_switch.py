"""The switch that says whether a customer's orders wait for the reseller, as lists and pages offer it."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from core.tenancy import Actor
from resellers.models import Account
from resellers.selectors import pays_by_card
from resellers.services.approval import set_order_approval
from ui.pages import BulkAction
from users.permissions import Perm

LOCKED = _("You pay by card, so whatever your customers order waits for your approval. The switches cannot be turned.")


def _on(actor: Actor, row: Account) -> object:
    return set_order_approval(actor, account=row, needed=True)


def _off(actor: Actor, row: Account) -> object:
    return set_order_approval(actor, account=row, needed=False)


BULK = (
    BulkAction("on", _("Ask for approval"), Perm.SHOP_APPROVAL_SWITCH, _on),
    BulkAction("off", _("Without approval"), Perm.SHOP_APPROVAL_SWITCH, _off),
)


def offered(actor: Actor) -> Sequence[BulkAction]:
    """What a list offers for chosen rows: nothing while the switches are locked."""
    is_free = actor.has(Perm.SHOP_APPROVAL_SWITCH) and not pays_by_card(actor)
    return BULK if is_free else ()
