"""Baskets, orders and their lines (``channel.md`` 7, 8)."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Upper
from django.utils.translation import gettext_lazy as _

from catalog.models import Cycle
from core.money import CurrencyField, MoneyField
from core.searching import trigrams
from core.tenancy import TenantOwned
from orders.enums import DeliveryStatus, LineKind, OrderStatus
from resellers.enums import PurchaseMode
from subscriptions.models.leg import CustomerLeg, sums_or_nothing


class Basket(TenantOwned):
    """What somebody means to buy: one per user and site, one target account, one currency; kept 30 days.

    A visitor's basket has no user and is found by its ``public_id`` in his session; signing in hands it over. What an
    employee orders for an account in the BSS is a basket ``by_staff``: one per employee and target, of no buyer.
    ``checkout_key`` is the idempotency key of the order it will become.
    """

    tenant_account = "buyer_account"

    site = models.ForeignKey("resellers.Site", on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    buyer_account = models.ForeignKey(
        "resellers.Account", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    target_account = models.ForeignKey(
        "resellers.Account", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    purchase_mode = models.CharField(max_length=30, choices=PurchaseMode.choices, blank=True)
    billing_address = models.JSONField(default=dict)
    service_details = models.JSONField(default=dict)
    checkout_key = models.UUIDField(default=uuid.uuid4, editable=False)
    checked_job = models.ForeignKey("core.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    by_staff = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "site"], condition=Q(user__isnull=False, by_staff=False), name="basket_once"
            ),
            models.UniqueConstraint(
                fields=["user", "site", "target_account"], condition=Q(by_staff=True), name="basket_staff_once"
            ),
            models.CheckConstraint(
                condition=Q(by_staff=False) | Q(user__isnull=False, buyer_account__isnull=True), name="basket_of_staff"
            ),
        ]

    def __str__(self) -> str:
        return f"basket {self.public_id}"


class BasketLine(TenantOwned):
    """A plan and a quantity; add-ons hang on the line of their product.

    Of a product that is provisioned unit by unit each line is one, numbered by ``unit`` from 1; else that is 0.
    """

    tenant_account = "basket__buyer_account"

    basket = models.ForeignKey(Basket, on_delete=models.CASCADE, related_name="lines")
    plan = models.ForeignKey("catalog.Plan", on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField(default=1)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="addon_lines")
    unit = models.PositiveSmallIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["basket", "plan", "parent", "unit"], nulls_distinct=False, name="basket_line_once"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="basket_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.plan}"


class Order(TenantOwned):
    """An order: whose services (``account``), who owes (``payer``), who clicked (``buyer``), at frozen prices.

    Amounts are in ``currency``; ``gross`` is what the credit rule compares. ``idempotency_key`` makes it happen once.
    ``sell_net`` to ``sell_gross`` are the end customer's leg, empty where there is none. A draft, which a program fills
    line by line, can be checked out until ``expires_at`` and gets its number then. ``approval_asked_at`` to
    ``reminded_days`` belong to an order that waited for the reseller's approval. ``is_priced`` is False on an end
    customer's view in memory for which there are no amounts (:mod:`orders.legs`).
    """

    tenant_account = "account"
    is_priced = True

    number = models.CharField(_("number"), max_length=40)
    reference = models.CharField(_("buyer's reference"), max_length=200, blank=True)
    status = models.CharField(_("status"), max_length=20, choices=OrderStatus.choices, default=OrderStatus.DRAFT)
    account = models.ForeignKey("resellers.Account", on_delete=models.PROTECT, related_name="orders")
    payer = models.ForeignKey("resellers.Account", on_delete=models.PROTECT, related_name="paid_orders")
    buyer_account = models.ForeignKey(
        "resellers.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    buyer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    buyer_label = models.CharField(max_length=200)
    site = models.ForeignKey("resellers.Site", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    purchase_mode = models.CharField(_("purchase mode"), max_length=30, choices=PurchaseMode.choices, blank=True)
    price_list = models.ForeignKey("catalog.PriceList", null=True, on_delete=models.PROTECT, related_name="+")
    currency = CurrencyField(_("currency"))
    net = MoneyField(_("net"))
    tax = MoneyField(_("tax"))
    gross = MoneyField(_("total"))
    billing_address = models.JSONField(default=dict)
    service_details = models.JSONField(default=dict)
    idempotency_key = models.UUIDField()
    request_digest = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    placed_at = models.DateTimeField(_("placed"), null=True, blank=True)
    executed_at = models.DateTimeField(_("executed"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)
    sell_net = MoneyField(null=True, blank=True)
    sell_tax = MoneyField(null=True, blank=True)
    sell_gross = MoneyField(_("the customer's total"), null=True, blank=True)
    approval_asked_at = models.DateTimeField(_("approval asked"), null=True, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=200, blank=True)
    reminded_days = models.PositiveSmallIntegerField(default=0, editable=False)
    hold_reason = models.CharField(max_length=40, blank=True)
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="order_number_once"),
            models.UniqueConstraint(fields=["organization", "idempotency_key"], name="order_placed_once"),
            models.CheckConstraint(condition=Q(gross=models.F("net") + models.F("tax")), name="order_adds_up"),
            sums_or_nothing("order_sell_adds_up"),
            models.CheckConstraint(
                condition=Q(sell_gross__isnull=True) | Q(purchase_mode=PurchaseMode.END_CUSTOMER.value),
                name="order_sold_to_end_customer",
            ),
            models.CheckConstraint(
                condition=~Q(status=OrderStatus.SUSPENDED.value) | Q(approval_asked_at__isnull=False),
                name="order_suspended_was_asked",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="order_org"),
            models.Index(fields=["organization", "status", "-id"], name="order_status"),
            models.Index(
                "organization", Coalesce("placed_at", "created_at").desc(), F("id").desc(), name="order_newest"
            ),
            models.Index(fields=["organization", "updated_at", "id"], name="order_changed"),
            models.Index("organization", Upper("number"), name="order_number"),
            trigrams("number", "buyer_label", name="order_words"),
            models.Index(fields=["account", "-id"], name="order_account"),
            models.Index(
                fields=["payer", "approval_asked_at"],
                name="order_approval",
                condition=Q(status=OrderStatus.SUSPENDED.value),
            ),
            models.Index(fields=["expires_at"], name="order_drafts", condition=Q(status=OrderStatus.DRAFT.value)),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def was_rejected(self) -> bool:
        """Whether the reseller's decision, or the clock's, was what ended it."""
        return self.decided_at is not None and self.decided_at == self.cancelled_at


class OrderLine(TenantOwned, CustomerLeg):
    """One line with everything frozen: names, price with its trace, and the vendor's cost for those who may see it.

    ``kind`` says what it does: a new service, or more of the one in ``subscription``. Of those ``net`` is the part of
    the billing period that is left. ``sell_net`` to ``sell_gross`` are what the end customer is asked for the same.
    """

    tenant_account = "order__account"
    kind = models.CharField(_("what"), max_length=20, choices=LineKind.choices, default=LineKind.NEW)

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="addon_lines")
    plan = models.ForeignKey("catalog.Plan", on_delete=models.PROTECT, related_name="+")
    product_name = models.CharField(_("product"), max_length=255)
    product_code = models.CharField(_("code"), max_length=255)
    term = models.CharField(max_length=10, blank=True)
    billing_cycle = models.CharField(max_length=20, choices=Cycle.choices)
    quantity = models.PositiveIntegerField(_("quantity"))
    unit_price = MoneyField(_("unit price"))
    vendor_cost = MoneyField(null=True, blank=True)
    net = MoneyField(_("net"))
    tax_percent = models.DecimalField(max_digits=6, decimal_places=3, default=0)
    tax = MoneyField(_("tax"))
    gross = MoneyField(_("total"))
    trace = models.JSONField(default=list)
    sell_net = MoneyField(null=True, blank=True)
    sell_tax_percent = models.DecimalField(max_digits=6, decimal_places=3, null=True, blank=True)
    sell_tax = MoneyField(null=True, blank=True)
    sell_gross = MoneyField(null=True, blank=True)
    delivery_status = models.CharField(
        _("delivery"), max_length=20, choices=DeliveryStatus.choices, default=DeliveryStatus.WAITING
    )
    subscription = models.ForeignKey(
        "subscriptions.Subscription", null=True, blank=True, on_delete=models.PROTECT, related_name="order_lines"
    )
    addon = models.ForeignKey(
        "subscriptions.SubscriptionAddOn", null=True, blank=True, on_delete=models.PROTECT, related_name="order_lines"
    )
    asset = models.ForeignKey(
        "subscriptions.Asset", null=True, blank=True, on_delete=models.PROTECT, related_name="order_lines"
    )

    class Meta:
        ordering = ["order", "position"]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="order_line_position_once"),
            models.CheckConstraint(condition=Q(gross=models.F("net") + models.F("tax")), name="order_line_adds_up"),
            sums_or_nothing("order_line_sell_adds_up"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="order_line_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product_name}"


class TermsAcceptance(TenantOwned):
    """The log of accepted terms of use: one row per product and order, never changed (``channel.md`` 14).

    Without an order a reseller's Admin accepted them for what his programs order. ``by_staff`` says that an employee,
    whose name it is, confirmed that the customer accepted them.
    """

    tenant_account = "account"

    order = models.ForeignKey(Order, null=True, blank=True, on_delete=models.PROTECT, related_name="terms")
    account = models.ForeignKey("resellers.Account", on_delete=models.PROTECT, related_name="+")
    product_name = models.CharField(max_length=255)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    email = models.EmailField(blank=True)
    terms_version = models.PositiveIntegerField()
    basket_url = models.CharField(max_length=255, blank=True)
    ip = models.CharField(max_length=45, blank=True)
    browser = models.CharField(max_length=255, blank=True)
    accepted_at = models.DateTimeField()
    by_staff = models.BooleanField(default=False)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["order", "product_name"], name="terms_once_per_product")]

    def __str__(self) -> str:
        return f"{self.product_name}, {self.order or self.account}"
