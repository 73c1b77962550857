"""Reads of outgoing mail."""

from core.tenancy import Actor, TenantQuerySet
from notifications.models import OutgoingMail


def mails_for(actor: Actor) -> TenantQuerySet[OutgoingMail]:
    """Mails the actor may look at, newest first; pages show ``shown_text``, never ``text``."""
    return OutgoingMail.objects.visible_to(actor).select_related("account").order_by("-id")
