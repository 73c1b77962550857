"""The operations that tell the vendor, and what a connector noted of them (``service-manager.md`` 8)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from core import outbox
from core.tenancy import TenantOwned
from subscriptions.enums import (
    DUE_STATES,
    OPEN_STATES,
    OperationState,
    Purpose,
    Verb,
)
from subscriptions.models.asset import Asset
from subscriptions.models.subscription import Subscription

RUN_TASK = "provisioning.run_operation"


class Operation(TenantOwned, outbox.OutboxRow):
    """One intended vendor action: an outbox row whose ``public_id`` is the idempotency key, findable at the vendor.

    It concerns a subscription (with its add-ons), an asset, or an account link. ``depends_on`` must be done first.
    ``code`` and ``message`` say why it waits, needs a person, or was refused; ``message`` is fit for staff, never a
    secret.
    """

    tenant_account = "account"
    DUE = DUE_STATES

    verb = models.CharField(max_length=20, choices=Verb.choices)
    purpose = models.CharField(max_length=20, choices=Purpose.choices, default=Purpose.PROVISION)
    state = models.CharField(max_length=20, choices=OperationState.choices, default=OperationState.QUEUED)
    instance = models.ForeignKey("vendors.Instance", on_delete=models.PROTECT, related_name="operations")
    account = models.ForeignKey("resellers.Account", on_delete=models.PROTECT, related_name="operations")
    subscription = models.ForeignKey(
        Subscription, null=True, blank=True, on_delete=models.PROTECT, related_name="operations"
    )
    asset = models.ForeignKey(Asset, null=True, blank=True, on_delete=models.PROTECT, related_name="operations")
    account_link = models.ForeignKey(
        "vendors.AccountLink", null=True, blank=True, on_delete=models.PROTECT, related_name="operations"
    )
    depends_on = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="dependants")
    retry_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="retries")
    desired = models.JSONField(default=dict)
    reason_kind = models.CharField(max_length=30, blank=True)
    code = models.CharField(max_length=60, blank=True)
    message = models.TextField(blank=True)
    flag = models.CharField(max_length=40, blank=True)
    result = models.JSONField(default=dict)
    requested_by = models.CharField(max_length=200, blank=True)
    requested_by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    order_number = models.CharField(max_length=40, blank=True)
    first_sent_at = models.DateTimeField(null=True, blank=True)
    wait_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(subscription__isnull=False, account_link__isnull=True, asset__isnull=True)
                | Q(subscription__isnull=True, account_link__isnull=False, asset__isnull=True)
                | Q(subscription__isnull=True, account_link__isnull=True, asset__isnull=False),
                name="operation_one_target",
            ),
            models.UniqueConstraint(
                fields=["subscription"],
                condition=Q(state__in=[state.value for state in OPEN_STATES]),
                name="operation_one_open_per_subscription",
            ),
            models.UniqueConstraint(
                fields=["asset"],
                condition=Q(state__in=[state.value for state in OPEN_STATES]),
                name="operation_one_open_per_asset",
            ),
            models.UniqueConstraint(
                fields=["account_link"],
                condition=Q(state__in=[state.value for state in OPEN_STATES]),
                name="operation_one_open_per_link",
            ),
            models.UniqueConstraint(
                fields=["retry_of"], condition=Q(retry_of__isnull=False), name="operation_retried_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["not_before", "id"],
                name="operation_due",
                condition=Q(state__in=[state.value for state in OPEN_STATES]),
            ),
            models.Index(fields=["organization", "state", "-id"], name="operation_desk"),
        ]

    def __str__(self) -> str:
        return f"{self.get_verb_display()} {self.subscription or self.asset or self.account_link}"

    @property
    def service_name(self) -> str:
        """The service or licence it is about; empty for the set-up of a customer."""
        return str(self.subscription or self.asset or "")


class OperationStep(TenantOwned):
    """What a connector noted so that a killed worker's successor goes on where it stood."""

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=80)
    value = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["operation", "name"], name="operation_step_once")]

    def __str__(self) -> str:
        return self.name


outbox.register(Operation, field="state", due=Operation.DUE, task=RUN_TASK)
