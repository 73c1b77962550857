"""Reads of outgoing mail."""

from core.tenancy import Actor, TenantQuerySet
from notifications.models import OutgoingMail
from users.permissions import Perm


def mails_for(actor: Actor) -> TenantQuerySet[OutgoingMail]:
    """Mails the actor may look at, newest first; pages show :func:`mail_text` of them."""
    return OutgoingMail.objects.visible_to(actor).select_related("account").order_by("-id")


def mail_text(actor: Actor, mail: OutgoingMail) -> str:
    """What a mail says; the empty string for one with a personal link, which is for its recipient only."""
    actor.require(Perm.MAIL_VIEW)
    return "" if mail.is_secret else mail.text


def template_choices(actor: Actor) -> list[tuple[str, str]]:
    """The kinds of mail that were written so far, as choices of a filter."""
    names = OutgoingMail.objects.visible_to(actor).order_by("template").values_list("template", flat=True).distinct()
    return [(name, name.replace("_", " ").capitalize()) for name in names]
