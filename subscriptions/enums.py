"""States of subscriptions and operations, and the tables of what may follow what.

Sources: ``channel.md`` 9.1 and ``service-manager.md`` 8.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.states import Machine


class SubscriptionStatus(models.TextChoices):
    """The life of a subscription or of an add-on."""

    INACTIVE = "inactive", _("Inactive")
    ACTIVE = "active", _("Active")
    SUSPENDED = "suspended", _("Suspended")
    PENDING_CANCEL = "pending_cancel", _("Pending for Cancel")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class SubscriptionEvent(models.TextChoices):
    """What can happen to a subscription."""

    CONFIRM = "confirm", _("The vendor confirmed")
    REFUSE = "refuse", _("The vendor refused")
    RETRY = "retry", _("Provision again")
    GIVE_UP = "give_up", _("Give up")
    SUSPEND = "suspend", _("Suspend")
    ACTIVATE = "activate", _("Activate")
    CANCEL_AT_END = "cancel_at_end", _("Cancel at the end of the period")
    REVOKE_CANCEL = "revoke_cancel", _("Keep after all")
    REVOKE_CANCEL_SUSPENDED = "revoke_cancel_suspended", _("Keep after all, suspended")
    CANCEL = "cancel", _("Cancel")


_S, _E = SubscriptionStatus, SubscriptionEvent

SUBSCRIPTION_MACHINE = Machine(
    "subscription",
    "status",
    {
        (_S.INACTIVE, _E.CONFIRM): _S.ACTIVE,
        (_S.INACTIVE, _E.REFUSE): _S.FAILED,
        (_S.INACTIVE, _E.GIVE_UP): _S.CANCELLED,
        (_S.INACTIVE, _E.CANCEL): _S.CANCELLED,
        (_S.FAILED, _E.RETRY): _S.INACTIVE,
        (_S.FAILED, _E.CONFIRM): _S.ACTIVE,
        (_S.FAILED, _E.GIVE_UP): _S.CANCELLED,
        (_S.ACTIVE, _E.SUSPEND): _S.SUSPENDED,
        (_S.SUSPENDED, _E.ACTIVATE): _S.ACTIVE,
        (_S.ACTIVE, _E.CANCEL_AT_END): _S.PENDING_CANCEL,
        (_S.SUSPENDED, _E.CANCEL_AT_END): _S.PENDING_CANCEL,
        (_S.PENDING_CANCEL, _E.REVOKE_CANCEL): _S.ACTIVE,
        (_S.PENDING_CANCEL, _E.REVOKE_CANCEL_SUSPENDED): _S.SUSPENDED,
        (_S.ACTIVE, _E.CANCEL): _S.CANCELLED,
        (_S.SUSPENDED, _E.CANCEL): _S.CANCELLED,
        (_S.PENDING_CANCEL, _E.CANCEL): _S.CANCELLED,
    },
)


class Verb(models.TextChoices):
    """What an operation asks the vendor to do."""

    ACCOUNT_SYNC = "account_sync", _("Set up the customer")
    CREATE = "create", _("Create")
    CHANGE = "change", _("Change")
    SUSPEND = "suspend", _("Suspend")
    ACTIVATE = "activate", _("Activate")
    CANCEL = "cancel", _("Cancel")


class OperationState(models.TextChoices):
    """The life of an operation (``service-manager.md`` 8.2)."""

    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    WAITING = "waiting", _("Waiting")
    ATTENTION = "attention", _("Needs attention")
    REFUSED = "refused", _("Refused")
    DONE = "done", _("Done")
    GIVEN_UP = "given_up", _("Given up")


class OperationEvent(models.TextChoices):
    """What can happen to an operation."""

    CLAIM = "claim", _("Claim")
    SUCCEED = "succeed", _("Succeed")
    REFUSE = "refuse", _("Refuse")
    WAIT = "wait", _("Wait")
    NEED_ATTENTION = "need_attention", _("Need attention")
    RETRY = "retry", _("Retry")
    MARK_DONE = "mark_done", _("Mark done")
    GIVE_UP = "give_up", _("Give up")


_O, _V = OperationState, OperationEvent

OPERATION_MACHINE = Machine(
    "operation",
    "state",
    {
        (_O.QUEUED, _V.CLAIM): _O.RUNNING,
        (_O.WAITING, _V.CLAIM): _O.RUNNING,
        (_O.RUNNING, _V.CLAIM): _O.RUNNING,
        (_O.RUNNING, _V.SUCCEED): _O.DONE,
        (_O.RUNNING, _V.REFUSE): _O.REFUSED,
        (_O.RUNNING, _V.WAIT): _O.WAITING,
        (_O.RUNNING, _V.NEED_ATTENTION): _O.ATTENTION,
        (_O.ATTENTION, _V.RETRY): _O.QUEUED,
        (_O.ATTENTION, _V.CLAIM): _O.RUNNING,
        (_O.ATTENTION, _V.MARK_DONE): _O.DONE,
        (_O.ATTENTION, _V.GIVE_UP): _O.GIVEN_UP,
        (_O.REFUSED, _V.GIVE_UP): _O.GIVEN_UP,
        (_O.QUEUED, _V.GIVE_UP): _O.GIVEN_UP,
        (_O.WAITING, _V.GIVE_UP): _O.GIVEN_UP,
    },
)

OPEN_STATES = (_O.QUEUED, _O.RUNNING, _O.WAITING, _O.ATTENTION)
DUE_STATES = frozenset({_O.QUEUED.value, _O.RUNNING.value, _O.WAITING.value, _O.ATTENTION.value})
DESK_STATES = (_O.ATTENTION, _O.REFUSED)
