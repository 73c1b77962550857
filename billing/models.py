"""Charges and taxes: what an account owes, from the moment an order is executed (``channel.md`` 8.2)."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.money import CurrencyField, MoneyField
from core.searching import trigrams
from core.states import Machine
from core.tenancy import TenantOwned


class ChargeState(models.TextChoices):
    """Reserved while the vendor works, due once it has provisioned, released if it refused."""

    RESERVED = "reserved", _("Reserved")
    DUE = "due", _("Due")
    RELEASED = "released", _("Released")


class ChargeKind(models.TextChoices):
    """Which way the money goes."""

    CHARGE = "charge", _("Charge")
    CREDIT = "credit", _("Credit")


# What a payer's balance is made of: what is due, and what is reserved but owed; a credit counts once it is due.
COUNTS = Q(state="due") | Q(state="reserved", kind="charge")

CHARGE_MACHINE = Machine(
    _("charge"),
    "state",
    {
        (ChargeState.RESERVED, "settle"): ChargeState.DUE,
        (ChargeState.RESERVED, "release"): ChargeState.RELEASED,
        (ChargeState.RELEASED, "reserve"): ChargeState.RESERVED,
    },
)


class Charge(TenantOwned):
    """One amount in the ledger. ``net + tax = gross``; a credit's amounts are negative.

    ``source`` names what it is for and is unique, so nothing is charged twice: ``order-line:{uuid}``.
    """

    tenant_account = "account"

    payer = models.ForeignKey("resellers.Account", on_delete=models.PROTECT, related_name="charges")
    account = models.ForeignKey("resellers.Account", on_delete=models.PROTECT, related_name="+")
    subscription = models.ForeignKey(
        "subscriptions.Subscription", null=True, blank=True, on_delete=models.PROTECT, related_name="charges"
    )
    asset = models.ForeignKey(
        "subscriptions.Asset", null=True, blank=True, on_delete=models.PROTECT, related_name="charges"
    )
    source = models.CharField(max_length=120, unique=True)
    order_number = models.CharField(max_length=40, blank=True)
    kind = models.CharField(max_length=20, choices=ChargeKind.choices, default=ChargeKind.CHARGE)
    state = models.CharField(max_length=20, choices=ChargeState.choices, default=ChargeState.RESERVED)
    description = models.CharField(max_length=400)
    currency = CurrencyField()
    net = MoneyField()
    tax_percent = models.DecimalField(max_digits=6, decimal_places=3, default=0)
    tax = MoneyField(default=0)
    gross = MoneyField()
    due_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(gross=models.F("net") + models.F("tax")), name="charge_adds_up"),
            models.CheckConstraint(
                condition=Q(kind="charge", gross__gte=0) | Q(kind="credit", gross__lte=0), name="charge_sign_by_kind"
            ),
        ]
        indexes = [
            models.Index(fields=["payer", "state"], name="charge_balance"),
            models.Index(fields=["organization", "-id"], name="charge_org"),
            # What was charged on each day, for the overview's chart.
            models.Index(
                fields=["organization", "currency", "created_at"], include=["state", "net"], name="charge_days"
            ),
            trigrams("description", "order_number", name="charge_words"),
        ]

    def __str__(self) -> str:
        return self.description


class TaxRate(TenantOwned):
    """The rate an organization adds for payers of one country; other countries are charged without tax."""

    country = models.CharField(_("country"), max_length=2)
    name = models.CharField(_("name"), max_length=40, default="VAT")
    percent = models.DecimalField(
        _("per cent"), max_digits=6, decimal_places=3, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )

    class Meta:
        ordering = ["country"]
        constraints = [models.UniqueConstraint(fields=["organization", "country"], name="tax_rate_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.percent.normalize():f} % ({self.country})"
