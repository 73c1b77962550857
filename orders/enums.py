"""States of orders and order lines, and what may follow what (``channel.md`` 8.1)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.states import Machine

# The code of an order that waits for credit; any other ``hold_reason`` is what a vendor's check refused.
NO_CREDIT = "no_credit"


class OrderStatus(models.TextChoices):
    """The life of an order."""

    DRAFT = "draft", _("Draft")
    SUBMITTED = "submitted", _("Submitted")
    SUSPENDED = "suspended", _("Pending Reseller Approval")
    EXECUTED = "executed", _("Executed")
    CANCELLED = "cancelled", _("Cancelled")


class OrderEvent(models.TextChoices):
    """What can happen to an order."""

    SUBMIT = "submit", _("Submit")
    ASK_APPROVAL = "ask_approval", _("Ask for approval")
    APPROVE = "approve", _("Approve")
    REJECT = "reject", _("Reject")
    EXECUTE = "execute", _("Execute")
    CANCEL = "cancel", _("Cancel")


_S, _E = OrderStatus, OrderEvent

ORDER_MACHINE = Machine(
    _("order"),
    "status",
    {
        (_S.DRAFT, _E.SUBMIT): _S.SUBMITTED,
        (_S.DRAFT, _E.ASK_APPROVAL): _S.SUSPENDED,
        (_S.SUSPENDED, _E.APPROVE): _S.SUBMITTED,
        (_S.SUSPENDED, _E.REJECT): _S.CANCELLED,
        (_S.SUSPENDED, _E.CANCEL): _S.CANCELLED,
        (_S.SUBMITTED, _E.EXECUTE): _S.EXECUTED,
        (_S.SUBMITTED, _E.CANCEL): _S.CANCELLED,
    },
)


class LineKind(models.TextChoices):
    """What an order line does."""

    NEW = "new", _("New service")
    LICENCES = "licences", _("More licences")
    ADDON = "addon", _("Add-on to a service")
    ADDON_LICENCES = "addon_licences", _("More of an add-on")
    UPGRADE = "upgrade", _("Upgrade")
    SCHEDULE = "schedule", _("Change at the renewal")


class DeliveryStatus(models.TextChoices):
    """How far a line's service is."""

    WAITING = "waiting", _("Waiting")
    IN_PROGRESS = "in_progress", _("In Progress")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class DeliveryEvent(models.TextChoices):
    """What can happen to a line."""

    START = "start", _("Start")
    DELIVER = "deliver", _("Deliver")
    FAIL = "fail", _("Fail")
    RETRY = "retry", _("Retry")
    CANCEL = "cancel", _("Cancel")


_D, _L = DeliveryStatus, DeliveryEvent

DELIVERY_MACHINE = Machine(
    _("order line"),
    "delivery_status",
    {
        (_D.WAITING, _L.START): _D.IN_PROGRESS,
        (_D.WAITING, _L.CANCEL): _D.CANCELLED,
        (_D.IN_PROGRESS, _L.DELIVER): _D.DELIVERED,
        (_D.IN_PROGRESS, _L.FAIL): _D.FAILED,
        (_D.IN_PROGRESS, _L.CANCEL): _D.CANCELLED,
        (_D.FAILED, _L.RETRY): _D.IN_PROGRESS,
        (_D.FAILED, _L.CANCEL): _D.CANCELLED,
    },
)
