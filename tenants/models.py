"""Professional resellers and what ties their organization to the distributor's (``channel.md`` 5).

A row of one side never leads a reader of the other to it: the ties belong to the distributor's organization, the log
of catalogue updates to the reseller's own.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.tenancy import TenantOwned
from resellers.enums import PurchaseMode
from tenants.enums import Licence, Origin, TenantStatus, UpdateMode


class ProfessionalTenant(TenantOwned):
    """A reseller with an organization of his own; the row belongs to the distributor, ``own`` is the new one.

    ``own`` is empty until the job has made it. The prices of ``price_list`` are the new organization's cost.
    ``live_at`` is when he went live; ``back_ordering`` lets what he sells be ordered here.
    """

    tenant_account = "account"

    account = models.OneToOneField("resellers.Account", on_delete=models.PROTECT, related_name="professional")
    own = models.OneToOneField(
        "resellers.Organization", null=True, blank=True, on_delete=models.PROTECT, related_name="professional"
    )
    name = models.CharField(_("name of the organization"), max_length=100)
    host = models.CharField(_("host"), max_length=253)
    status = models.CharField(_("status"), max_length=20, choices=TenantStatus.choices, default=TenantStatus.PREPARING)
    note = models.CharField(_("reason"), max_length=500, blank=True)
    licence = models.CharField(_("licence"), max_length=20, choices=Licence.choices, default=Licence.PREMIUM)
    price_list = models.ForeignKey("catalog.PriceList", on_delete=models.PROTECT, related_name="+")
    language = models.CharField(_("language"), max_length=8, default="en")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    separate_invoices = models.BooleanField(_("separate invoices per customer"), default=False)
    back_ordering = models.BooleanField(_("back ordering"), default=False)
    annual_monthly = models.BooleanField(
        _("annual orders with monthly billing"),
        default=False,
        help_text=_("What he sells with annual billing is ordered here with monthly billing, where that is offered."),
    )
    nightly_update = models.BooleanField(_("purchase prices every night"), default=False)
    admin_email = models.EmailField(_("e-mail of the first administrator"))
    admin_first_name = models.CharField(_("first name"), max_length=100)
    admin_last_name = models.CharField(_("last name"), max_length=100)
    active_at = models.DateTimeField(_("ready since"), null=True, blank=True)
    live_at = models.DateTimeField(_("live since"), null=True, blank=True)
    deleted_at = models.DateTimeField(_("marked as deleted"), null=True, blank=True)
    erased_at = models.DateTimeField(_("data erased"), null=True, blank=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["host"], condition=~Q(status="deleted"), name="professional_host_once"),
            models.CheckConstraint(
                condition=Q(back_ordering=False) | Q(live_at__isnull=False), name="professional_orders_when_live"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["preparing", "failed"]) | Q(own__isnull=False), name="professional_has_own"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ManagedAccount(TenantOwned):
    """A customer of a Professional reseller: the distributor's managed copy and the reseller's own account.

    One row for each, so that a customer is managed at one place only. ``relationship`` is what he is to the reseller;
    it decides whether the reseller's MPN ID goes along.
    """

    tenant_account = "managed"

    tenant = models.ForeignKey(ProfessionalTenant, on_delete=models.PROTECT, related_name="customers")
    managed = models.OneToOneField("resellers.Account", on_delete=models.PROTECT, related_name="managed_as")
    own = models.OneToOneField("resellers.Account", on_delete=models.PROTECT, related_name="managed_by")
    relationship = models.CharField(
        _("relationship"), max_length=30, choices=PurchaseMode.choices, default=PurchaseMode.END_CUSTOMER
    )
    origin = models.CharField(_("origin"), max_length=20, choices=Origin.choices)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return str(self.managed)


class ManagedSubscription(TenantOwned):
    """A subscription of a Professional's customer and the one at the distributor that stands for it, 1:1.

    ``managed`` is empty while the order waits at the distributor; ``order`` is empty for what was transferred.
    """

    tenant_account = "customer__managed"

    tenant = models.ForeignKey(ProfessionalTenant, on_delete=models.PROTECT, related_name="subscriptions")
    customer = models.ForeignKey(ManagedAccount, on_delete=models.PROTECT, related_name="subscriptions")
    own = models.OneToOneField("subscriptions.Subscription", on_delete=models.PROTECT, related_name="managed_by")
    managed = models.OneToOneField(
        "subscriptions.Subscription", null=True, blank=True, on_delete=models.PROTECT, related_name="managed_as"
    )
    order = models.ForeignKey("orders.Order", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    origin = models.CharField(_("origin"), max_length=20, choices=Origin.choices)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(managed__isnull=False) | Q(order__isnull=False), name="managed_subscription_known"
            )
        ]

    def __str__(self) -> str:
        return str(self.managed or self.order)


class CatalogueUpdate(TenantOwned):
    """One run of a catalogue update, or its preview: who, how much, and every difference; the reseller's own row.

    ``changes`` is a list of ``{"kind", "product", "plan", "before", "after"}`` with plain words; ``counts`` counts them
    by kind.
    """

    mode = models.CharField(_("mode"), max_length=20, choices=UpdateMode.choices)
    is_preview = models.BooleanField(_("preview"), default=False)
    overwrite_prices = models.BooleanField(_("overwrite selling prices"), default=False)
    overwrite_names = models.BooleanField(_("overwrite names"), default=False)
    requested_by = models.CharField(_("started by"), max_length=200)
    changes = models.JSONField(default=list)
    counts = models.JSONField(default=dict)
    error = models.CharField(_("reason"), max_length=500, blank=True)
    finished_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization"], condition=Q(finished_at=None), name="catalogue_update_one_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_mode_display()}, {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def total(self) -> int:
        """How many differences it found."""
        return len(self.changes)
