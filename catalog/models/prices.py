"""Price lists: what the organization's accounts buy at."""

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models.products import Plan
from core.money import CurrencyField
from core.tenancy import TenantOwned


class PriceRule(models.TextChoices):
    """How a price comes about."""

    FIXED = "fixed", _("Fixed price")
    MARKUP = "markup", _("Mark-up on the vendor's cost, %")
    DISCOUNT = "discount", _("Discount from the vendor's retail price, %")


class PriceList(TenantOwned):
    """Prices in one currency for the accounts it is assigned to, within its validity dates.

    With a default rule every published product that has a vendor cost is sold; without one only the products that have
    a price of their own.
    """

    name = models.CharField(_("name"), max_length=100)
    currency = CurrencyField(_("currency"))
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_to = models.DateField(_("valid to"), null=True, blank=True, help_text=_("The last day it is used."))
    default_rule = models.CharField(
        _("price of all other products"), max_length=20, choices=PriceRule.choices, blank=True
    )
    default_value = models.DecimalField(
        _("per cent"), max_digits=9, decimal_places=4, default=0, validators=[MinValueValidator(0)]
    )
    notes = models.TextField(_("notes"), blank=True)
    is_default = models.BooleanField(_("used where none is assigned"), default=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="price_list_name_once"),
            models.UniqueConstraint(
                fields=["organization", "currency"], condition=Q(is_default=True), name="price_list_one_default"
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_to=None) | Q(valid_to__gte=models.F("valid_from")),
                name="price_list_dates",
            ),
            models.CheckConstraint(condition=~Q(default_rule="fixed"), name="price_list_default_is_percentage"),
        ]

    def __str__(self) -> str:
        return self.name


class Price(TenantOwned):
    """The price of one plan in a price list: fixed per unit and cycle, or a percentage over or under the vendor's."""

    price_list = models.ForeignKey(PriceList, on_delete=models.CASCADE, related_name="prices")
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="prices")
    rule = models.CharField(_("rule"), max_length=20, choices=PriceRule.choices, default=PriceRule.FIXED)
    value = models.DecimalField(
        _("amount or per cent"), max_digits=19, decimal_places=4, validators=[MinValueValidator(Decimal(0))]
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["price_list", "plan"], name="price_once"),
            models.CheckConstraint(condition=Q(value__gte=0), name="price_not_negative"),
            models.CheckConstraint(condition=~Q(rule="discount") | Q(value__lte=100), name="price_discount_range"),
        ]

    def __str__(self) -> str:
        return f"{self.plan}: {self.value}"


class PriceListAssignment(TenantOwned):
    """Which price list an account buys from. Sub accounts use their Bill To's."""

    tenant_account = "account"

    account = models.OneToOneField("resellers.Account", on_delete=models.CASCADE, related_name="price_list_assignment")
    price_list = models.ForeignKey(PriceList, on_delete=models.PROTECT, related_name="assignments")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.account}: {self.price_list}"
