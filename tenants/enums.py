"""States and choices of the Professional edition (``channel.md`` 5)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.states import Machine


class TenantStatus(models.TextChoices):
    """The life of a Professional reseller's organization (``channel.md`` 5.1)."""

    PREPARING = "preparing", _("In Progress")
    ACTIVE = "active", _("Active")
    FAILED = "failed", _("Failed")
    SUSPENDED = "suspended", _("Suspended")
    DELETED = "deleted", _("Marked as Deleted")


class TenantEvent(models.TextChoices):
    """What can happen to it."""

    SUCCEED = "succeed", _("Everything is made")
    FAIL = "fail", _("A step failed")
    RETRY = "retry", _("Retry")
    SUSPEND = "suspend", _("Suspend")
    ACTIVATE = "activate", _("Activate")
    MARK_DELETED = "mark_deleted", _("Mark as deleted")


_S, _E = TenantStatus, TenantEvent

TENANT_MACHINE = Machine(
    _("Professional reseller"),
    "status",
    {
        (_S.PREPARING, _E.SUCCEED): _S.ACTIVE,
        (_S.PREPARING, _E.FAIL): _S.FAILED,
        (_S.FAILED, _E.RETRY): _S.PREPARING,
        (_S.ACTIVE, _E.SUSPEND): _S.SUSPENDED,
        (_S.SUSPENDED, _E.ACTIVATE): _S.ACTIVE,
        (_S.ACTIVE, _E.MARK_DELETED): _S.DELETED,
        (_S.SUSPENDED, _E.MARK_DELETED): _S.DELETED,
    },
)


class Licence(models.TextChoices):
    """What a Professional reseller pays for (``channel.md`` 3.1)."""

    BASIC = "basic", _("Basic: BSS")
    PREMIUM = "premium", _("Premium: BSS and storefront")


class Origin(models.TextChoices):
    """How a managed copy or its subscription came about."""

    TRANSFER = "transfer", _("Transferred")
    BACK_ORDER = "back_order", _("Ordered by the reseller")


class UpdateMode(models.TextChoices):
    """How much a catalogue update takes over (``channel.md`` 5.4)."""

    FULL = "full", _("Full: all differences")
    PARTIAL = "partial", _("Partial: purchase prices only")


class ChangeKind(models.TextChoices):
    """What a catalogue update found different."""

    NEW = "new", _("New product")
    DISCONTINUED = "discontinued", _("No longer sold")
    RESTORED = "restored", _("Sold again")
    CYCLE_ADDED = "cycle_added", _("Plan added")
    CYCLE_REMOVED = "cycle_removed", _("Plan removed")
    COST = "cost", _("Purchase price")
    PRICE = "price", _("Selling price")
    NAME = "name", _("Name")
    ADDON_ADDED = "addon_added", _("Add-on offered")
    ADDON_REMOVED = "addon_removed", _("Add-on no longer offered")
