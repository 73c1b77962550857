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


class SuspendReason(models.TextChoices):
    """Why a service is suspended, after who asked for it; none of these where the vendor did it unasked."""

    NON_PAYMENT = "non_payment", _("Not paid")
    STAFF = "staff", _("By the distributor")
    CUSTOMER = "customer", _("By the reseller")


_S, _E = SubscriptionStatus, SubscriptionEvent

SUBSCRIPTION_MACHINE = Machine(
    _("subscription"),
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
    UPGRADE = "upgrade", _("Upgrade")
    STAMP = "stamp", _("Change the MPN ID")
    RENEW = "renew", _("Follow the renewal")
    ASSET_CREATE = "asset_create", _("Get the licence")
    ASSET_CANCEL = "asset_cancel", _("Return the licence")


class Purpose(models.TextChoices):
    """Why an operation was opened: what is written here once the vendor has done it."""

    PROVISION = "provision", _("Provision")
    LICENCES = "licences", _("Buy licences")
    REDUCE = "reduce", _("Reduce licences")
    ADDON = "addon", _("Buy an add-on")
    ADDON_REDUCE = "addon_reduce", _("Reduce an add-on")
    ADDON_CANCEL = "addon_cancel", _("Cancel an add-on")
    AUTO_RENEW = "auto_renew", _("Change automatic renewal")
    SCHEDULE = "schedule", _("Schedule a change for the renewal")
    REVOKE_SCHEDULE = "revoke_schedule", _("Revoke the scheduled change")
    SUSPEND = "suspend", _("Suspend")
    ACTIVATE = "activate", _("Reactivate")
    CANCEL = "cancel", _("Cancel now")
    CANCEL_AT_END = "cancel_at_end", _("Cancel at the end of the term")
    REVOKE_CANCEL = "revoke_cancel", _("Keep after all")
    UPGRADE = "upgrade", _("Upgrade")
    STAMP = "stamp", _("Change the MPN ID")
    RENEW = "renew", _("Follow the renewal")
    RETURN = "return", _("Return the licence")


class ScheduleStatus(models.TextChoices):
    """The life of a change that is scheduled for the renewal (``channel.md`` 9.4)."""

    PENDING = "pending", _("Pending")
    APPLIED = "applied", _("Applied")
    FAILED = "failed", _("Failed")
    REVOKED = "revoked", _("Revoked")


SCHEDULE_MACHINE = Machine(
    _("scheduled change"),
    "status",
    {
        (ScheduleStatus.PENDING, "apply"): ScheduleStatus.APPLIED,
        (ScheduleStatus.PENDING, "fail"): ScheduleStatus.FAILED,
        (ScheduleStatus.PENDING, "revoke"): ScheduleStatus.REVOKED,
    },
)


class RequestKind(models.TextChoices):
    """What a customer asks to give back."""

    CANCEL = "cancel", _("Cancel the subscription")
    REDUCE = "reduce", _("Reduce licences")
    ADDON_CANCEL = "addon_cancel", _("Cancel an add-on")
    ADDON_REDUCE = "addon_reduce", _("Reduce an add-on")


class Execution(models.TextChoices):
    """When a cancellation takes effect."""

    NOW = "now", _("Now")
    PERIOD_END = "period_end", _("At the end of the term")


class RequestStatus(models.TextChoices):
    """The life of a cancellation request (``channel.md`` 9.3)."""

    SUBMITTED = "submitted", _("Submitted")
    ACCEPTED = "accepted", _("Accepted")
    COMPLETED = "completed", _("Completed")
    FAILED = "failed", _("Failed")
    REJECTED = "rejected", _("Rejected")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class RequestEvent(models.TextChoices):
    """What can happen to a cancellation request."""

    ACCEPT = "accept", _("Accept")
    COMPLETE = "complete", _("Complete")
    FAIL = "fail", _("Fail")
    RETRY = "retry", _("Retry")
    REJECT = "reject", _("Reject")
    WITHDRAW = "withdraw", _("Withdraw")


_R, _Q = RequestStatus, RequestEvent

REQUEST_MACHINE = Machine(
    _("request"),
    "status",
    {
        (_R.SUBMITTED, _Q.ACCEPT): _R.ACCEPTED,
        (_R.SUBMITTED, _Q.REJECT): _R.REJECTED,
        (_R.SUBMITTED, _Q.WITHDRAW): _R.WITHDRAWN,
        (_R.ACCEPTED, _Q.COMPLETE): _R.COMPLETED,
        (_R.ACCEPTED, _Q.FAIL): _R.FAILED,
        (_R.FAILED, _Q.RETRY): _R.ACCEPTED,
        (_R.FAILED, _Q.REJECT): _R.REJECTED,
    },
)

LIVE_STATUSES = (_S.INACTIVE, _S.ACTIVE, _S.SUSPENDED, _S.PENDING_CANCEL, _S.FAILED)
BILLED_STATUSES = (_S.ACTIVE, _S.SUSPENDED, _S.PENDING_CANCEL)
OPEN_REQUESTS = (_R.SUBMITTED, _R.ACCEPTED, _R.FAILED)


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
    _("operation"),
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


class StampKind(models.TextChoices):
    """Why the MPN ID of several services is changed (``channel.md`` 6.4)."""

    RESTAMP = "restamp", _("New MPN ID")
    RELATIONSHIP = "relationship", _("Change of relationship")


class StampState(models.TextChoices):
    """The life of a run that changes the MPN ID of several services."""

    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    PARTLY = "partly", _("Partly done")
    CANCELLED = "cancelled", _("Cancelled")


class StampEvent(models.TextChoices):
    """What can happen to such a run."""

    FINISH = "finish", _("Every service is done")
    STOP_SHORT = "stop_short", _("Some services failed")
    RETRY = "retry", _("Try the failed ones again")
    CANCEL = "cancel", _("Cancel")


STAMP_MACHINE = Machine(
    _("MPN ID run"),
    "state",
    {
        (StampState.RUNNING, StampEvent.FINISH): StampState.DONE,
        (StampState.RUNNING, StampEvent.STOP_SHORT): StampState.PARTLY,
        (StampState.PARTLY, StampEvent.RETRY): StampState.RUNNING,
        (StampState.RUNNING, StampEvent.CANCEL): StampState.CANCELLED,
        (StampState.PARTLY, StampEvent.CANCEL): StampState.CANCELLED,
    },
)


class StampRowState(models.TextChoices):
    """How far one service of a run is."""

    PENDING = "pending", _("Waits")
    SENT = "sent", _("Sent to the vendor")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    SKIPPED = "skipped", _("Left out")


STAMP_ROW_MACHINE = Machine(
    _("MPN ID row"),
    "state",
    {
        (StampRowState.PENDING, "send"): StampRowState.SENT,
        (StampRowState.SENT, "finish"): StampRowState.DONE,
        (StampRowState.SENT, "fail"): StampRowState.FAILED,
        (StampRowState.PENDING, "fail"): StampRowState.FAILED,
        (StampRowState.FAILED, "retry"): StampRowState.PENDING,
        (StampRowState.FAILED, "send"): StampRowState.SENT,
        (StampRowState.FAILED, "finish"): StampRowState.DONE,
        (StampRowState.PENDING, "skip"): StampRowState.SKIPPED,
    },
)
OPEN_ROWS = (StampRowState.PENDING, StampRowState.SENT)
