"""The channel's kinds and states (``channel.md`` 2, 3, 6)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.states import Machine


class AccountKind(models.TextChoices):
    """Kinds of accounts (``channel.md`` 2.1)."""

    PROSPECT = "prospect", _("Prospect")
    DIRECT = "direct", _("Direct customer")
    RESELLER = "reseller", _("Reseller")
    END_CUSTOMER = "end_customer", _("End customer")
    AFFILIATE = "affiliate", _("Affiliate account")
    MANAGED_COPY = "managed_copy", _("Managed copy")


SUB_KINDS = (AccountKind.END_CUSTOMER, AccountKind.AFFILIATE, AccountKind.MANAGED_COPY)
ORDERING_KINDS = (AccountKind.DIRECT, AccountKind.RESELLER, AccountKind.END_CUSTOMER, AccountKind.AFFILIATE)


class AccountStatus(models.TextChoices):
    """Whether an account may order (``channel.md`` 2.3)."""

    ACTIVE = "active", _("Active")
    SUSPENDED = "suspended", _("On hold")
    CLOSED = "closed", _("Closed")


class NoteType(models.TextChoices):
    """Which document an account is billed by."""

    INVOICE = "invoice", _("Invoice")
    RECEIPT = "receipt", _("Receipt")


class Edition(models.TextChoices):
    """A reseller's edition (``channel.md`` 3)."""

    BASIC = "basic", _("Basic")
    FREE = "free", _("Free")
    STANDARD = "standard", _("Standard")
    PROFESSIONAL = "professional", _("Professional")


class SiteStatus(models.TextChoices):
    """The life of a site (``channel.md`` 3.6)."""

    PREPARING = "preparing", _("Preparing")
    LIVE = "live", _("Live")
    SUSPENDED = "suspended", _("Suspended")
    CLOSED = "closed", _("Closed")
    DELETED = "deleted", _("Deleted")


class SiteEvent(models.TextChoices):
    """What happens to a reseller's site."""

    OPEN = "open"
    SUSPEND = "suspend"
    RESUME = "resume"
    CLOSE = "close"
    DELETE = "delete"


SITE_MACHINE = Machine(
    _("site"),
    "status",
    {
        (SiteStatus.PREPARING, SiteEvent.OPEN): SiteStatus.LIVE,
        (SiteStatus.LIVE, SiteEvent.SUSPEND): SiteStatus.SUSPENDED,
        (SiteStatus.SUSPENDED, SiteEvent.RESUME): SiteStatus.LIVE,
        (SiteStatus.LIVE, SiteEvent.CLOSE): SiteStatus.CLOSED,
        (SiteStatus.SUSPENDED, SiteEvent.CLOSE): SiteStatus.CLOSED,
        (SiteStatus.CLOSED, SiteEvent.OPEN): SiteStatus.LIVE,
        (SiteStatus.CLOSED, SiteEvent.DELETE): SiteStatus.DELETED,
    },
)


class AliasState(models.TextChoices):
    """Why nobody else can have an alias (``channel.md`` 3.4, 3.5)."""

    HELD = "held", _("Held by an order")
    LIVE = "live", _("Live")
    KEPT = "kept", _("Kept after the plan ended")
    REDIRECT = "redirect", _("Leads to the new alias")


class PurchaseMode(models.TextChoices):
    """For whom a reseller buys (``channel.md`` 6.1); empty for a direct customer."""

    PERSONAL_USE = "personal_use", _("Personal use")
    AFFILIATE = "affiliate_account", _("Affiliate account")
    END_CUSTOMER = "end_customer", _("End customer")


# The purchase mode an account of a kind stands for; a direct customer has none (``channel.md`` 6.1).
MODES = {
    AccountKind.RESELLER.value: PurchaseMode.PERSONAL_USE.value,
    AccountKind.END_CUSTOMER.value: PurchaseMode.END_CUSTOMER.value,
    AccountKind.AFFILIATE.value: PurchaseMode.AFFILIATE.value,
}


class PaymentMethod(models.TextChoices):
    """How an account pays. A card is charged through a gateway, so it takes a stored token (``billing.cards``)."""

    INVOICE = "invoice", _("Invoice")
    BANK_TRANSFER = "bank_transfer", _("Bank transfer")
    CARD = "card", _("Card")


class ViewingEnd(models.TextChoices):
    """Why an employee no longer looks at the storefront as a customer."""

    STOPPED = "stopped", _("Stopped by the employee")
    REPLACED = "replaced", _("Went on to another account")
    TIME = "time", _("Time was over")
    SIGNED_OUT = "signed_out", _("Signed out")
    REFUSED = "refused", _("Not allowed any more")


class RuleLevel(models.TextChoices):
    """What a permission rule gives; ``core.tenancy.LEVELS`` holds their order."""

    READ = "read", _("Read")
    EDIT = "edit", _("Edit")
    FULL = "full", _("Full")
