"""Runs that change the MPN ID of several services: restamp, and change of relationship (``channel.md`` 6.4)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.tenancy import TenantOwned
from resellers.enums import AccountKind
from subscriptions.enums import StampKind, StampRowState, StampState
from subscriptions.models.operation import Operation
from subscriptions.models.subscription import Subscription


class StampRun(TenantOwned):
    """One run. ``account`` is the reseller whose ID changes, or the customer whose relationship does.

    A restamp has an ``instance`` and the new ``mpn_id``; a change of relationship has ``kind_to`` and, if the payer
    changes, ``bill_to``. The account's kind changes when every row is done.
    """

    tenant_account = "account"

    kind = models.CharField(_("kind"), max_length=20, choices=StampKind.choices)
    state = models.CharField(_("state"), max_length=20, choices=StampState.choices, default=StampState.RUNNING)
    account = models.ForeignKey("resellers.Account", on_delete=models.PROTECT, related_name="stamp_runs")
    instance = models.ForeignKey(
        "vendors.Instance", null=True, blank=True, on_delete=models.PROTECT, related_name="stamp_runs"
    )
    mpn_before = models.CharField(_("MPN ID before"), max_length=10, blank=True)
    mpn_id = models.CharField(_("new MPN ID"), max_length=10, blank=True)
    kind_to = models.CharField(_("becomes"), max_length=20, choices=AccountKind.choices, blank=True)
    bill_to = models.ForeignKey("resellers.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    job = models.ForeignKey("core.Job", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    requested_by = models.CharField(_("started by"), max_length=200)
    requested_by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "instance"],
                condition=Q(kind="restamp", state="running"),
                name="stamp_run_one_per_instance",
            ),
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(kind="relationship", state__in=["running", "partly"]),
                name="stamp_run_one_relationship",
            ),
            models.CheckConstraint(
                condition=Q(kind="restamp", instance__isnull=False, kind_to="") & ~Q(mpn_id="")
                | Q(kind="relationship", instance__isnull=True, mpn_id="") & ~Q(kind_to=""),
                name="stamp_run_shape",
            ),
        ]
        indexes = [models.Index(fields=["account", "-id"], name="stamp_run_account")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.account}"


class StampRow(TenantOwned):
    """One service of a run, with its add-ons: the MPN ID it had and gets (empty: none), and how far it is."""

    tenant_account = "run__account"

    run = models.ForeignKey(StampRun, on_delete=models.CASCADE, related_name="rows")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="stamp_rows")
    operation = models.ForeignKey(Operation, null=True, blank=True, on_delete=models.PROTECT, related_name="stamp_rows")
    state = models.CharField(_("state"), max_length=20, choices=StampRowState.choices, default=StampRowState.PENDING)
    mpn_before = models.CharField(_("MPN ID before"), max_length=10, blank=True)
    mpn_id = models.CharField(_("new MPN ID"), max_length=10, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["run", "subscription"], name="stamp_row_once")]
        indexes = [models.Index(fields=["operation"], name="stamp_row_operation")]

    def __str__(self) -> str:
        return str(self.subscription)
