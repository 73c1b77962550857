"""A customer's wish to give something of a subscription back (``channel.md`` 9.3)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.tenancy import TenantOwned
from subscriptions.enums import (
    OPEN_REQUESTS,
    Execution,
    RequestKind,
    RequestStatus,
)
from subscriptions.models.operation import Operation
from subscriptions.models.subscription import Subscription, SubscriptionAddOn


class CancellationRequest(TenantOwned):
    """A customer's wish to give something back that staff decide: the whole, a part, or an add-on of it.

    While ``asks_reseller`` the reseller of an end customer under approval looks at it first; staff come after him.
    """

    tenant_account = "subscription__account"

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="cancellation_requests")
    addon = models.ForeignKey(
        SubscriptionAddOn, null=True, blank=True, on_delete=models.PROTECT, related_name="cancellation_requests"
    )
    kind = models.CharField(_("what"), max_length=20, choices=RequestKind.choices)
    quantity = models.PositiveIntegerField(_("how many"))
    was = models.PositiveIntegerField(_("of how many"), null=True, blank=True)
    execution = models.CharField(_("when"), max_length=20, choices=Execution.choices, default=Execution.NOW)
    comment = models.TextField(_("comment"), blank=True)
    status = models.CharField(
        _("status"), max_length=20, choices=RequestStatus.choices, default=RequestStatus.SUBMITTED
    )
    requested_by = models.CharField(_("by"), max_length=200)
    requested_by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_by = models.CharField(_("decided by"), max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    asks_reseller = models.BooleanField(_("waits for the reseller"), default=False)
    operation = models.ForeignKey(
        Operation, null=True, blank=True, on_delete=models.PROTECT, related_name="cancellation_requests"
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"],
                condition=Q(status__in=[status.value for status in OPEN_REQUESTS]),
                name="cancellation_request_one_open",
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="cancellation_request_quantity"),
        ]
        indexes = [models.Index(fields=["organization", "status", "-id"], name="cancellation_request_desk")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subscription}"
