"""States of a registration, and what consent is given for (``channel.md`` 4.5, 14)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.states import Machine


class RegistrationState(models.TextChoices):
    """Where somebody's wish to become a customer stands."""

    UNCONFIRMED = "unconfirmed", _("Waits for the e-mail's link")
    PENDING = "pending", _("Waits for a decision")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    EXPIRED = "expired", _("Expired")


OPEN_STATES = (RegistrationState.UNCONFIRMED, RegistrationState.PENDING)


class RegistrationEvent(models.TextChoices):
    """What happens to a registration."""

    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    EXPIRE = "expire"


REGISTRATION_MACHINE = Machine(
    _("registration"),
    "state",
    {
        (RegistrationState.UNCONFIRMED, RegistrationEvent.SUBMIT): RegistrationState.PENDING,
        (RegistrationState.UNCONFIRMED, RegistrationEvent.APPROVE): RegistrationState.APPROVED,
        (RegistrationState.UNCONFIRMED, RegistrationEvent.EXPIRE): RegistrationState.EXPIRED,
        (RegistrationState.PENDING, RegistrationEvent.APPROVE): RegistrationState.APPROVED,
        (RegistrationState.PENDING, RegistrationEvent.REJECT): RegistrationState.REJECTED,
        (RegistrationState.PENDING, RegistrationEvent.EXPIRE): RegistrationState.EXPIRED,
    },
)


class ConsentPurpose(models.TextChoices):
    """What somebody agrees to."""

    TERMS = "terms", _("Terms of use")
    PRIVACY = "privacy", _("Privacy notice")
    ANALYTICS = "analytics", _("Analytics")
