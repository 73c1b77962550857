"""Product types, products, their plans and what they cost (``office365.md`` 6)."""

from typing import Self

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q
from django.db.models.expressions import CombinedExpression
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.money import CurrencyField, MoneyField
from core.searching import trigrams
from core.tenancy import Actor, TenantOwned, TenantQuerySet


class ChargeType(models.TextChoices):
    """How a product is charged."""

    PREPAID = "recurring_prepaid", _("Recurring, prepaid")
    PAY_PER_USE = "recurring_pay_per_use", _("Pay per use")
    ONE_TIME = "one_time", _("One time")


SOLD_CHARGE_TYPES = (ChargeType.PREPAID, ChargeType.ONE_TIME)


class Cycle(models.TextChoices):
    """How often a plan is billed."""

    MONTHLY = "monthly", _("Monthly")
    ANNUAL = "annual", _("Annually")
    BIENNIAL = "biennial", _("Every two years")
    TRIENNIAL = "triennial", _("Every three years")
    ONE_TIME = "one_time", _("Once")
    NONE = "none", _("Not billed")


class RefundPolicy(models.TextChoices):
    """What is credited of the present billing period when a service ends early."""

    DAYS = "days", _("By days")
    HOURS = "hours", _("By hours")
    NONE = "none", _("Nothing")


TERM_LABELS = {
    "": _("No term"),
    "P1M": _("1 month"),
    "P1Y": _("1 year"),
    "P2Y": _("2 years"),
    "P3Y": _("3 years"),
    "P6Y": _("6 years"),
}


def plan_label(term: str, billing_cycle: str) -> str:
    """A term (ISO 8601, empty for none) and a billing cycle in words, such as ``1 year, billed monthly``."""
    shown = TERM_LABELS.get(term, term)
    cycle = Cycle(billing_cycle).label
    if billing_cycle == Cycle.ONE_TIME:
        return str(cycle) if not term else f"{shown}, {str(cycle).lower()}"
    if not term:
        return str(cycle)
    return gettext("%(term)s, billed %(cycle)s") % {"term": shown, "cycle": str(cycle).lower()}


class Category(TenantOwned):
    """A shelf of the storefront."""

    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(max_length=60)
    description = models.CharField(_("description"), max_length=255, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering = ["position", "name", "id"]
        constraints = [models.UniqueConstraint(fields=["organization", "slug"], name="category_slug_once")]
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.name


class ProductType(TenantOwned):
    """A vendor's product type within one instance; carries the rules shared by its products."""

    instance = models.ForeignKey("vendors.Instance", on_delete=models.PROTECT, related_name="product_types")
    external_id = models.CharField(max_length=255)
    name = models.CharField(_("name"), max_length=150)
    description = models.TextField(_("description"), blank=True)
    derivative = models.CharField(max_length=30, default="SUBSCRIPTION")
    split_quantity = models.BooleanField(
        _("each unit by itself"),
        default=False,
        help_text=_("An order of n units becomes n lines of one; each is provisioned, and may fail, on its own."),
    )
    is_perpetual = models.BooleanField(
        _("perpetual licences"),
        default=False,
        help_text=_("The vendor gives no key with the purchase; employees enter the keys they read at him."),
    )
    is_orderable = models.BooleanField(_("can be ordered here"), default=True)
    requires_account = models.BooleanField(_("needs the customer's account at the vendor"), default=True)
    allow_multiple_subscriptions = models.BooleanField(_("several active subscriptions per account"), default=True)
    refund_policy = models.CharField(
        _("refund when cancelled"), max_length=10, choices=RefundPolicy.choices, default=RefundPolicy.DAYS
    )
    auto_cancel_subscriptions = models.BooleanField(
        _("customers cancel subscriptions by themselves"),
        default=True,
        help_text=_("Otherwise, and above the limit, staff decide a request."),
    )
    auto_cancel_addons = models.BooleanField(_("customers cancel add-ons by themselves"), default=True)
    auto_cancel_limit = models.PositiveIntegerField(
        _("up to so many licences"), null=True, blank=True, help_text=_("Empty: no limit.")
    )

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["instance", "external_id"], name="product_type_once")]

    def __str__(self) -> str:
        return self.name


class ProductQuerySet(TenantQuerySet["Product"]):
    """Products; a customer sees the published ones of his organization (prices decide what he can buy)."""

    def visible_to(self, actor: Actor) -> Self:
        """Employees and tasks see all, everybody else what is published and still sold."""
        if not (actor.is_customer or actor.is_anonymous) or actor.organization_id is None:
            return super().visible_to(actor)
        rows = self.filter(organization_id=actor.organization_id)
        return rows.filter(is_published=True, discontinued_at=None)


class Product(TenantOwned):
    """Something that is sold. ``code`` is the vendor's orderable id, for Microsoft the Offer ID."""

    product_type = models.ForeignKey(ProductType, on_delete=models.PROTECT, related_name="products")
    category = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.SET_NULL, related_name="products", verbose_name=_("category")
    )
    code = models.CharField(_("code"), max_length=255)
    name = models.CharField(_("name"), max_length=255)
    vendor_name = models.CharField(max_length=255, editable=False, blank=True)
    summary = models.CharField(_("summary"), max_length=255, blank=True)
    description = models.TextField(_("description"), blank=True)
    family = models.CharField(_("family"), max_length=60, blank=True)
    charge_type = models.CharField(max_length=30, choices=ChargeType.choices, default=ChargeType.PREPAID)
    unit = models.CharField(_("unit"), max_length=60, blank=True)
    min_quantity = models.PositiveIntegerField(_("minimum quantity"), default=1)
    max_quantity = models.PositiveIntegerField(_("maximum quantity"), null=True, blank=True)
    is_addon = models.BooleanField(_("add-on"), default=False)
    is_trial = models.BooleanField(_("trial"), default=False)
    qualification = models.CharField(_("qualification"), max_length=60, blank=True)
    segment = models.CharField(_("segment"), max_length=30, default="commercial")
    licence_sku_id = models.CharField(max_length=64, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    is_published = models.BooleanField(_("published"), default=False)
    is_featured = models.BooleanField(_("featured"), default=False)
    is_new = models.BooleanField(_("new"), default=True)
    discontinued_at = models.DateTimeField(null=True, blank=True)
    search = SearchVectorField(null=True, editable=False)
    addons = models.ManyToManyField("self", symmetrical=False, through="AddOnRelation", related_name="parents")

    objects = ProductQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["product_type", "code"], name="product_code_once"),
            models.CheckConstraint(
                condition=Q(max_quantity=None) | Q(max_quantity__gte=models.F("min_quantity")),
                name="product_quantity_range",
            ),
        ]
        indexes = [
            GinIndex(fields=["search"], name="product_search"),
            models.Index(
                fields=["organization", "category", "name", "id"],
                name="product_shelf",
                condition=Q(is_published=True, discontinued_at=None, is_addon=False),
            ),
            models.Index(
                fields=["organization", "category", "-is_featured", "name", "id"],
                name="product_related",
                condition=Q(is_published=True, discontinued_at=None, is_addon=False),
            ),
            models.Index(
                fields=["organization", "name", "id"],
                name="product_shop",
                condition=Q(is_published=True, discontinued_at=None, is_addon=False),
            ),
            models.Index(fields=["organization", "name", "id"], name="product_name"),
            # The segments that the BSS's list can be filtered by, and what is typed into its search box.
            models.Index(fields=["organization", "segment"], name="product_segment"),
            trigrams("name", "code", "family", name="product_words"),
        ]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def search_vector() -> CombinedExpression:
        """What the full-text search looks at: the name weighs most, then code and summary, then the description."""
        return (
            SearchVector("name", weight="A", config="simple")
            + SearchVector("code", "family", weight="B", config="simple")
            + SearchVector("summary", "description", weight="C", config="english")
        )


class AddOnRelation(TenantOwned):
    """``addon`` may be bought with ``parent``."""

    parent = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="addon_relations")
    addon = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="parent_relations")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["parent", "addon"], name="addon_relation_once")]

    def __str__(self) -> str:
        return f"{self.addon} for {self.parent}"


class UpgradeRelation(TenantOwned):
    """A subscription of ``source`` may be upgraded to ``target``; the other way it is a downgrade."""

    source = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="upgrade_relations")
    target = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="downgrade_relations")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["source", "target"], name="upgrade_relation_once")]

    def __str__(self) -> str:
        return f"{self.source} to {self.target}"


class Plan(TenantOwned):
    """One way to buy a product: term (ISO 8601, empty for none) and billing cycle."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="plans")
    term = models.CharField(_("term"), max_length=10, blank=True)
    billing_cycle = models.CharField(_("billing cycle"), max_length=20, choices=Cycle.choices)
    is_offered = models.BooleanField(_("offered"), default=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["product", "term", "billing_cycle", "id"]
        constraints = [models.UniqueConstraint(fields=["product", "term", "billing_cycle"], name="plan_once")]

    def __str__(self) -> str:
        return f"{self.product}, {self.label}"

    @property
    def is_sellable(self) -> bool:
        """Whether the shop sells it: offered, published, not discontinued, and of the charge type it knows."""
        product = self.product
        is_shown = product.is_published and product.discontinued_at is None
        return self.is_offered and is_shown and product.charge_type in SOLD_CHARGE_TYPES

    @property
    def label(self) -> str:
        """Term and cycle in words, such as ``1 year, billed monthly``."""
        return plan_label(self.term, self.billing_cycle)


class PlanCost(TenantOwned):
    """The vendor's price of a plan in one currency: per unit and billing cycle. Staff with the right see it."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="costs")
    currency = CurrencyField()
    cost = MoneyField(default=0)
    retail = MoneyField(default=0)
    source = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["plan", "currency"], name="plan_cost_once")]

    def __str__(self) -> str:
        return f"{self.cost} {self.currency}"
