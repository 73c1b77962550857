"""Outgoing mail and webhooks as outbox rows, fed by events (``channel.md`` 12, ``api.md`` 11)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from core import outbox
from core.crypto import CipherField
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


# --- Webhooks (``api.md`` 11) -----------------------------------------------------------------------------------------
SEND_WEBHOOK_TASK = "notifications.send_webhook"


class OffReason(models.TextChoices):
    """Why nothing is sent to an endpoint."""

    BY_HAND = "by_hand", _("Switched off")
    GONE = "gone", _("The receiver answered 410 Gone")
    FAILING = "failing", _("Failed for 5 days")


class WebhookEndpoint(TenantOwned):
    """Where an application user wants to hear of events; he hears of what he can read by the API, nothing else.

    ``secret`` signs what is sent and is kept encrypted; after a rotation the previous one signs too until
    ``previous_until``. ``api_version`` is the form of what is sent, as it was when the endpoint was made.
    ``failing_since`` is the first failed attempt since the last one that arrived, on the business clock.
    """

    tenant_account = "client__account"

    client = models.ForeignKey("clients.ApiClient", on_delete=models.PROTECT, related_name="webhooks")
    url = models.URLField(_("address"), max_length=500)
    events = ArrayField(models.CharField(max_length=60), verbose_name=_("events"))
    api_version = models.CharField(max_length=10)
    secret = CipherField()
    previous_secret = CipherField()
    previous_until = models.DateTimeField(null=True, blank=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    off_reason = models.CharField(max_length=20, choices=OffReason.choices, blank=True)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True, editable=False)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["organization"], name="webhook_live", condition=models.Q(is_active=True))]
        constraints = [
            models.CheckConstraint(condition=~models.Q(secret=""), name="webhook_has_secret"),
            models.CheckConstraint(
                condition=models.Q(is_active=True, off_reason="")
                | models.Q(is_active=False) & ~models.Q(off_reason=""),
                name="webhook_off_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.url


class WebhookState(models.TextChoices):
    """What became of a delivery."""

    PENDING = "pending", _("Pending")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")
    DROPPED = "dropped", _("Not sent")


class WebhookDelivery(TenantOwned, outbox.OutboxRow):
    """One event for one endpoint: an outbox row that keeps the exact text that is sent, however often.

    ``message_id`` is the ``webhook-id`` that stays the same over all attempts and replays; ``topic`` is the public name
    of the event and ``subject`` what it is about, to ask before each attempt whether the owner may still read it.
    ``tries`` are the attempts since it was queued or replayed, ``attempts`` how often a worker claimed the row.
    """

    tenant_account = "endpoint__client__account"
    DUE = frozenset({WebhookState.PENDING.value})

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    message_id = models.CharField(max_length=64)
    topic = models.CharField(max_length=60)
    subject = models.JSONField(default=dict)
    body = models.TextField()
    state = models.CharField(max_length=20, choices=WebhookState.choices, default=WebhookState.PENDING)
    tries = models.PositiveIntegerField(default=0)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=200, blank=True)
    last_milliseconds = models.PositiveIntegerField(null=True, blank=True)
    last_tried_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "webhook deliveries"
        constraints = [models.UniqueConstraint(fields=["endpoint", "message_id"], name="webhook_message_once")]
        indexes = [
            models.Index(fields=["not_before", "id"], name="webhook_due", condition=models.Q(state="pending")),
            models.Index(fields=["endpoint", "-id"], name="webhook_of_endpoint"),
            models.Index(fields=["created_at"], name="webhook_age"),
        ]

    def __str__(self) -> str:
        return self.topic


class WebhookAttempt(TenantOwned):
    """One request to an endpoint: the status of the answer, how long it took, and its first KB.

    ``status`` is null if none came; ``error`` says in a word why the attempt failed.
    """

    tenant_account = "delivery__endpoint__client__account"

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="log")
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    milliseconds = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)
    answer = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.status or self.error}"


outbox.register(WebhookDelivery, field="state", due=WebhookDelivery.DUE, task=SEND_WEBHOOK_TASK, whose="endpoint_id")
