"""What a reseller lists in his shop and at what price he sells it (``channel.md`` 4.2, 4.3)."""

from decimal import Decimal
from typing import Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models.prices import PriceList
from catalog.models.products import Category, Plan, Product
from core.money import CurrencyField, MoneyField
from core.pictures import MAX_BYTES
from core.states import Machine
from core.tenancy import Actor, TenantOwned, TenantQuerySet


class ListingState(models.TextChoices):
    """Whether a product stands in a reseller's shop; a product without a row is unlisted."""

    UNLISTED = "unlisted", _("Unlisted")
    LISTED = "listed", _("Listed")
    WITHDRAWN = "withdrawn", _("Withdrawn")


LISTING_MACHINE = Machine(
    _("listing"),
    "state",
    {
        (ListingState.UNLISTED, "list"): ListingState.LISTED,
        (ListingState.LISTED, "unlist"): ListingState.UNLISTED,
        (ListingState.LISTED, "withdraw"): ListingState.WITHDRAWN,
        (ListingState.UNLISTED, "withdraw"): ListingState.WITHDRAWN,
        (ListingState.WITHDRAWN, "offer_again"): ListingState.UNLISTED,
    },
)


class SellingKind(models.TextChoices):
    """How a selling price comes about."""

    FIXED = "fixed", _("Fixed price")
    MARKUP = "markup", _("Mark-up, %")
    AMOUNT = "amount", _("Mark-up, amount")
    MARGIN = "margin", _("Margin, %")


class Rounding(models.TextChoices):
    """To what a selling price is rounded, after the rule and before tax."""

    MINOR = "minor", _("The smallest coin")
    STEP_5 = "0.05", _("0.05")
    STEP_10 = "0.10", _("0.10")
    STEP_50 = "0.50", _("0.50")
    STEP_100 = "1.00", _("1.00")
    END_99 = ".99", _("ending in .99")
    END_95 = ".95", _("ending in .95")


class RoundingWay(models.TextChoices):
    """In which direction."""

    UP = "up", _("up")
    NEAREST = "nearest", _("to the nearest")


class CostMode(models.TextChoices):
    """What happens when purchase prices change; they apply in either case."""

    AUTOMATIC = "automatic", _("Automatic: prices follow their rules")
    REVIEW = "review", _("Review: prices follow, and I look at each change")


class FixedKeeps(models.TextChoices):
    """What of a fixed price stays when its purchase price changes."""

    PRICE = "price", _("The price")
    MARGIN = "margin", _("The margin")


class ResellersOwnQuerySet(TenantQuerySet[Any]):
    """What is the reseller's business alone: his own users see it, the distributor's employees never."""

    def visible_to(self, actor: Actor) -> Self:
        """The actor's own account's rows; nothing for employees, also while they look with a customer's eyes."""
        return self.none() if actor.is_staff or actor.viewing_as else super().visible_to(actor)


class Listing(TenantOwned):
    """A product in a reseller's shop, with what he says otherwise than the distributor (empty: the distributor's).

    ``sort_name`` is the name it is shown under, kept so that a long catalogue is read in order by an index. Lower
    ``position`` comes first. ``picture`` is the name of a :class:`ListingPicture` of the same account.
    """

    tenant_account = "account"

    account = models.ForeignKey("resellers.Account", on_delete=models.CASCADE, related_name="listings")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="listings")
    state = models.CharField(_("state"), max_length=10, choices=ListingState.choices, default=ListingState.UNLISTED)
    name = models.CharField(_("name"), max_length=255, blank=True)
    summary = models.CharField(_("summary"), max_length=255, blank=True)
    description = models.TextField(_("description"), blank=True)
    category = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("category")
    )
    position = models.PositiveSmallIntegerField(pgettext_lazy("position", "order"), default=100)
    picture = models.CharField(max_length=80, blank=True, editable=False)
    sort_name = models.CharField(max_length=255, editable=False)

    objects = ResellersOwnQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["position", "sort_name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "product"], name="listing_once"),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in ListingState]), name="listing_state_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["account", "position", "sort_name", "product"],
                name="listing_shop",
                condition=Q(state="listed"),
            ),
            models.Index(fields=["account", "product"], name="listing_renamed", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.sort_name


class ListingPicture(TenantOwned):
    """A picture of a reseller's products, written anew by :mod:`core.pictures`, kept once however often it is used.

    ``name`` is the hash of its bytes with the ending; sizes are in pixels.
    """

    tenant_account = "account"

    account = models.ForeignKey("resellers.Account", on_delete=models.CASCADE, related_name="listing_pictures")
    name = models.CharField(max_length=80)
    content_type = models.CharField(max_length=20)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    data = models.BinaryField(max_length=MAX_BYTES)

    objects = ResellersOwnQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="listing_picture_once")]

    def __str__(self) -> str:
        return self.name


class SellingRule(TenantOwned):
    """A selling price rule of a reseller: for whom and what, how, and from which day.

    The level is what is set: ``customer`` and product, customer, product, category, or nothing, which is the default of
    the whole shop. A fixed price is of one ``plan`` (per unit and billing cycle), every other rule of a ``product``.
    ``currency`` is set where ``value`` is an amount. ``cost_seen`` is the purchase price when a fixed price was typed.
    """

    tenant_account = "account"

    account = models.ForeignKey("resellers.Account", on_delete=models.CASCADE, related_name="selling_rules")
    customer = models.ForeignKey(
        "resellers.Account",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("customer"),
    )
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("product")
    )
    plan = models.ForeignKey(
        Plan, null=True, blank=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("plan")
    )
    category = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("category")
    )
    kind = models.CharField(_("rule"), max_length=10, choices=SellingKind.choices)
    value = models.DecimalField(_("amount or per cent"), max_digits=19, decimal_places=4)
    currency = CurrencyField(_("currency"), blank=True)
    cost_seen = MoneyField(null=True, blank=True, editable=False)
    valid_from = models.DateField(_("valid from"))

    objects = ResellersOwnQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "customer", "product", "plan", "category", "valid_from"],
                nulls_distinct=False,
                name="selling_rule_once",
            ),
            models.CheckConstraint(
                condition=Q(kind="fixed", plan__isnull=False, product=None)
                | (Q(kind__in=("markup", "amount", "margin"), plan=None)),
                name="selling_rule_fixed_of_plan",
            ),
            models.CheckConstraint(
                condition=Q(category=None) | Q(customer=None, product=None, plan=None), name="selling_rule_level"
            ),
            models.CheckConstraint(
                condition=Q(kind="fixed", value__gte=0)
                | Q(kind="amount", value__gte=0)
                | Q(kind="markup", value__gte=0, value__lte=1000)
                | Q(kind="margin", value__gte=0, value__lt=100),
                name="selling_rule_value",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=("fixed", "amount"), currency__gt="")
                | Q(kind__in=("markup", "margin"), currency=""),
                name="selling_rule_currency",
            ),
            models.CheckConstraint(
                condition=Q(cost_seen=None) | Q(kind="fixed", cost_seen__gt=0), name="selling_rule_cost_seen"
            ),
            models.CheckConstraint(condition=~Q(customer=F("account")), name="selling_rule_not_for_oneself"),
        ]
        indexes = [
            models.Index(fields=["account", "product"], name="selling_rule_product"),
            models.Index(fields=["account", "plan"], name="selling_rule_plan"),
            models.Index(fields=["account"], name="selling_rule_wide", condition=Q(product=None, plan=None)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.value.normalize():f}"


class SellingPolicy(TenantOwned):
    """How a reseller's shop makes prices: rounding, the least margin, and what a changed purchase price does.

    ``reviewed_to`` is the last change of a purchase price the reseller has looked at (an id of :class:`CostChange`),
    ``list_seen`` the price list his listings were last compared with.
    """

    tenant_account = "account"

    account = models.OneToOneField("resellers.Account", on_delete=models.CASCADE, related_name="selling_policy")
    rounding = models.CharField(_("round to"), max_length=5, choices=Rounding.choices, default=Rounding.MINOR)
    rounding_way = models.CharField(_("direction"), max_length=10, choices=RoundingWay.choices, default=RoundingWay.UP)
    floor = models.DecimalField(
        _("least margin, %"),
        max_digits=5,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(Decimal("99.99"))],
        help_text=_("A price with a smaller margin is saved only after a warning."),
    )
    cost_mode = models.CharField(
        _("when a purchase price changes"), max_length=10, choices=CostMode.choices, default=CostMode.AUTOMATIC
    )
    fixed_keeps = models.CharField(
        _("a fixed price then keeps"), max_length=10, choices=FixedKeeps.choices, default=FixedKeeps.PRICE
    )
    shares_prices = models.BooleanField(
        _("share my selling prices with the distributor"),
        default=False,
        help_text=_("His people then see on orders and services what your customers pay, and your margin."),
    )
    reviewed_to = models.PositiveBigIntegerField(default=0, editable=False)
    list_seen = models.ForeignKey(
        PriceList, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )

    objects = ResellersOwnQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(floor__gte=0, floor__lt=100), name="selling_policy_floor"),
        ]

    def __str__(self) -> str:
        return str(self.account)


class KnownCost(TenantOwned):
    """What a plan cost in a price list when it was last looked at; of lists that selling resellers buy from alone."""

    price_list = models.ForeignKey(PriceList, on_delete=models.CASCADE, related_name="known_costs")
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="+")
    amount = MoneyField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["price_list", "plan"], name="known_cost_once")]

    def __str__(self) -> str:
        return f"{self.plan}: {self.amount}"


class CostChange(TenantOwned):
    """A purchase price that changed, for all resellers who buy from the list; no new price: it left the list."""

    price_list = models.ForeignKey(PriceList, on_delete=models.CASCADE, related_name="cost_changes")
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="+")
    before = MoneyField(null=True)
    after = MoneyField(null=True)
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(before__isnull=False) | Q(after__isnull=False), name="cost_change_of_something"
            ),
        ]
        indexes = [models.Index(fields=["price_list", "-id"], name="cost_change_newest")]

    def __str__(self) -> str:
        return f"{self.plan}: {self.before} to {self.after}"
