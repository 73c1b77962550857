"""Outgoing mail as outbox rows, fed by events (``channel.md`` 12)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core import outbox
from core.tenancy import TenantOwned

SEND_TASK = "notifications.send_mail"
ERASED = _("The text held a personal link and was erased.")


class MailState(models.TextChoices):
    """Whether a mail has left."""

    QUEUED = "queued", _("Queued")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    HELD = "held", _("Held until the storefront has mail settings")


class OutgoingMail(TenantOwned, outbox.OutboxRow):
    """One mail to one recipient. ``dedupe_key`` makes sure that a repeated event does not send it again.

    ``asset`` is the licence whose key the mail brings: the stored text holds the masked key, the real one is put in
    while it is sent, and what becomes of the mail is written to the licence.
    """

    tenant_account = "account"
    DUE = frozenset({MailState.QUEUED.value})

    site = models.ForeignKey("resellers.Site", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey("resellers.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    asset = models.ForeignKey(
        "subscriptions.Asset", null=True, blank=True, on_delete=models.PROTECT, related_name="mails"
    )
    template = models.CharField(max_length=80)
    recipient = models.EmailField()
    sender = models.CharField(max_length=320)
    subject = models.CharField(max_length=255)
    text = models.TextField()
    html = models.TextField(blank=True)
    state = models.CharField(max_length=20, choices=MailState.choices, default=MailState.QUEUED)
    is_secret = models.BooleanField(default=False)
    dedupe_key = models.CharField(max_length=200, unique=True)
    last_error = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["not_before", "id"], name="mail_due", condition=models.Q(state="queued")),
            models.Index(fields=["organization", "-id"], name="mail_org"),
        ]

    def __str__(self) -> str:
        return self.subject


outbox.register(OutgoingMail, field="state", due=OutgoingMail.DUE, task=SEND_TASK)
