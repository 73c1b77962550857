"""A wish to give an asset back, which staff decide and the vendor carries out (``esd.md`` 8)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.tenancy import TenantOwned
from subscriptions.enums import OPEN_REQUESTS, RequestStatus
from subscriptions.models.asset import Asset
from subscriptions.models.operation import Operation


class AssetReturn(TenantOwned):
    """One return of an asset, asked for by its customer or begun by staff (then accepted at once)."""

    tenant_account = "asset__account"

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="returns")
    comment = models.CharField(_("comment"), max_length=500, blank=True)
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
    operation = models.ForeignKey(Operation, null=True, blank=True, on_delete=models.PROTECT, related_name="returns")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["asset"],
                condition=Q(status__in=[status.value for status in OPEN_REQUESTS]),
                name="asset_return_one_open",
            )
        ]
        indexes = [models.Index(fields=["organization", "status", "-id"], name="asset_return_desk")]

    def __str__(self) -> str:
        return str(self.asset)
