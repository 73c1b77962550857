"""Assets: licences that are bought once and for ever (``esd.md`` 7)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.crypto import CipherField
from core.money import CurrencyField, MoneyField
from core.searching import trigrams
from core.tenancy import TenantOwned
from resellers.enums import PurchaseMode
from subscriptions.asset_enums import AssetStatus, DeliveryNote, ReturnStatus, TokenStatus
from subscriptions.models.leg import CustomerLeg, sold_to_end_customers_only
from vendors.models import SyncStatus

TAIL = 5


def masked(tail: str) -> str:
    """How a key is shown of which only the end may be seen; nothing for none."""
    return f"•••••-{tail}" if tail else ""


class Asset(TenantOwned, CustomerLeg):
    """A licence of an account at a vendor's instance, at the price frozen with its order (``currency``, before tax).

    Its key is stored encrypted in ``token_cipher`` and is written once; ``token_tail`` is what lists and mails may show
    of it. ``origin`` is the id of the operation that provisioned it, which the vendor knows the purchase by.
    ``returnable_until`` is the vendor's date, else the purchase's and the instance's window; none means that the
    licence is not taken back. ``refresh_at`` is when its status is read at the vendor next; none once nothing can
    change. ``links``: ``[{"type": "download", "description": "...", "uri": "https://...", "expires_at": ""}]``.

    A perpetual licence (``is_perpetual``) is ``quantity`` licences of one vendor's order line. It comes without a key
    and without a token status: its keys are :class:`AssetKey`, ``token_tail`` stays empty. ``perpetual_id`` is the
    vendor's, which he may assign later than the purchase or never; once written it is not replaced by another.
    """

    tenant_account = "account"

    name = models.CharField(_("name"), max_length=255)
    account = models.ForeignKey("resellers.Account", on_delete=models.PROTECT, related_name="assets")
    bill_to = models.ForeignKey("resellers.Account", on_delete=models.PROTECT, related_name="billed_assets")
    purchase_mode = models.CharField(_("purchase mode"), max_length=30, choices=PurchaseMode.choices, blank=True)
    instance = models.ForeignKey("vendors.Instance", on_delete=models.PROTECT, related_name="assets")
    product = models.ForeignKey("catalog.Product", on_delete=models.PROTECT, related_name="assets")
    plan = models.ForeignKey("catalog.Plan", on_delete=models.PROTECT, related_name="assets")
    quantity = models.PositiveIntegerField(_("quantity"), default=1)
    unit_price = MoneyField(_("unit price"), default=0)
    currency = CurrencyField(_("currency"))
    price_trace = models.JSONField(default=list)
    order_number = models.CharField(_("order"), max_length=40, blank=True)
    purchased_at = models.DateTimeField(_("purchase date"))
    status = models.CharField(_("status"), max_length=20, choices=AssetStatus.choices, default=AssetStatus.PENDING)
    sync_status = models.CharField(
        _("synchronization"), max_length=20, choices=SyncStatus.choices, default=SyncStatus.UNSYNCHRONISED
    )
    sync_note = models.CharField(max_length=500, blank=True)
    token_status = models.CharField(_("token status"), max_length=20, choices=TokenStatus.choices, blank=True)
    return_status = models.CharField(
        _("return status"), max_length=20, choices=ReturnStatus.choices, default=ReturnStatus.NONE
    )
    token_cipher = CipherField()
    token_tail = models.CharField(_("token"), max_length=5, blank=True)
    links = models.JSONField(default=list)
    is_perpetual = models.BooleanField(_("perpetual licence"), default=False)
    perpetual_id = models.CharField(_("Perpetual ID"), max_length=255, blank=True)
    vendor_order_id = models.CharField(_("order id of the vendor"), max_length=255, blank=True)
    vendor_order_line = models.CharField(_("line of the vendor's order"), max_length=20, blank=True)
    vendor_order_alias = models.CharField(_("order id alias"), max_length=255, blank=True)
    is_returnable = models.BooleanField(_("returnable"), default=True)
    returnable_until = models.DateTimeField(_("returnable until"), null=True, blank=True)
    external_id = models.CharField(_("licence id"), max_length=255, blank=True)
    transaction_id = models.CharField(_("transaction id"), max_length=255, blank=True)
    origin = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    activated_at = models.DateTimeField(_("ready"), null=True, blank=True)
    redeemed_at = models.DateTimeField(_("redeemed"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)
    vendor_read_at = models.DateTimeField(_("read from the vendor"), null=True, blank=True)
    refresh_at = models.DateTimeField(null=True, blank=True, editable=False)
    warning = models.CharField(_("warning"), max_length=500, blank=True)
    delivery_note = models.CharField(_("e-mail"), max_length=20, choices=DeliveryNote.choices, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gte=1), name="asset_quantity_positive"),
            sold_to_end_customers_only("asset_sold_to_end_customer"),
            models.CheckConstraint(
                condition=~Q(token_status=TokenStatus.RETURN_ACCEPTED)
                | Q(return_status=ReturnStatus.SUCCESSFUL, status=AssetStatus.CANCELLED),
                name="asset_returned_is_cancelled",
            ),
            models.CheckConstraint(
                condition=~Q(status="active") | Q(activated_at__isnull=False), name="asset_active_is_stamped"
            ),
            models.UniqueConstraint(
                fields=["instance", "external_id"], condition=~Q(external_id=""), name="asset_external_id_once"
            ),
            models.UniqueConstraint(
                fields=["instance", "perpetual_id"], condition=~Q(perpetual_id=""), name="asset_perpetual_id_once"
            ),
            models.CheckConstraint(
                condition=~Q(is_perpetual=True) | Q(token_cipher="", token_status=""),
                name="asset_perpetual_has_no_token",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="asset_org"),
            models.Index(fields=["organization", "status", "-id"], name="asset_status"),
            models.Index(fields=["organization", "-created_at", "-id"], name="asset_newest"),
            models.Index(fields=["organization", "updated_at", "id"], name="asset_changed"),
            trigrams("name", "order_number", "external_id", "perpetual_id", name="asset_words"),
            models.Index(fields=["account", "-id"], name="asset_account"),
            models.Index(fields=["bill_to", "-id"], name="asset_bill_to"),
            models.Index(fields=["refresh_at", "id"], name="asset_refresh", condition=Q(refresh_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def masked_token(self) -> str:
        """What may be shown of the key to everybody who sees the asset."""
        return masked(self.token_tail)


class AssetKey(TenantOwned):
    """A key of a perpetual licence, which staff read at the vendor and entered; encrypted in ``cipher``.

    ``tail`` is what may be shown of it. A key with ``deactivated_at`` belongs to a licence that was given back.
    """

    tenant_account = "asset__account"

    asset = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="keys")
    cipher = CipherField()
    tail = models.CharField(max_length=TAIL)
    entered_by = models.CharField(_("entered by"), max_length=200)
    deactivated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.masked

    @property
    def masked(self) -> str:
        """What may be shown of the key to everybody who sees its asset."""
        return masked(self.tail)
