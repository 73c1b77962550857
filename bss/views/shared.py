"""What several rooms of the BSS show alike."""

from django.db.models import Model

from core.audit import AuditEntry
from core.selectors import history_for
from core.tenancy import Actor
from orders.models import Order
from subscriptions.models import Asset, AssetReturn, Subscription
from users.permissions import Perm

# Everybody who works on an order or a service needs to know what happened to it; the rest is for those who may read
# the audit log.
OPEN_HISTORY = (Order, Subscription, Asset, AssetReturn)


def history_of(actor: Actor, row: Model) -> list[AuditEntry]:
    """The last entries of the audit log about an object, newest first; empty for who may not read it."""
    if not isinstance(row, OPEN_HISTORY) and not actor.has(Perm.AUDIT_VIEW):
        return []
    return history_for(actor, row)
