"""What several rooms of the BSS show alike."""

from core.audit import AuditEntry
from core.selectors import audit_of
from core.tenancy import Actor
from users.permissions import Perm

HISTORY_ROWS = 50


def history_of(actor: Actor, row: object) -> list[AuditEntry]:
    """The last entries of the audit log about an object, newest first; empty for who may not read it."""
    public_id = getattr(row, "public_id", None)
    if public_id is None or not actor.has(Perm.AUDIT_VIEW):
        return []
    return list(audit_of(actor, public_id)[:HISTORY_ROWS])
