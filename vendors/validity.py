"""How long a certificate is good for, and when somebody is told that it ends (``esd.md`` 2)."""

import datetime as dt

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.pfx import day_words
from vendors.models import Certificate, CertificateState, Instance

EXPIRING = dt.timedelta(days=30)
STEPS = (30, 14, 7, 1)


class Validity(models.TextChoices):
    """The state of a certificate as people see it."""

    VALID = "valid", gettext_lazy("Valid")
    EXPIRING = "expiring", gettext_lazy("Expiring")
    EXPIRED = "expired", gettext_lazy("Expired")
    RETIRED = "retired", gettext_lazy("Retired")


USABLE = (Validity.VALID, Validity.EXPIRING)


def certificate_state(row: Certificate, now: dt.datetime) -> Validity:
    """Whether a certificate is valid, expiring (30 days or less are left), expired or retired."""
    if row.state == CertificateState.RETIRED:
        return Validity.RETIRED
    if row.valid_to <= now:
        return Validity.EXPIRED
    return Validity.EXPIRING if row.valid_to - now <= EXPIRING else Validity.VALID


def reminder_step(row: Certificate, now: dt.datetime) -> int | None:
    """The warning (30, 14, 7 or 1 days) that is due and was not sent yet; None if there is none."""
    left = row.valid_to - now
    if certificate_state(row, now) != Validity.EXPIRING:
        return None
    step = min(days for days in STEPS if left <= dt.timedelta(days=days))
    return step if row.reminded_days is None or step < row.reminded_days else None


def certificate_problem(instance: Instance, now: dt.datetime) -> str:
    """Why the instance takes no orders because of its certificate, in words; empty if there is no such reason."""
    row = instance.certificate
    return expired_words(row) if row is not None and row.valid_to <= now else ""


def expired_words(row: Certificate) -> str:
    """That a certificate has expired, and when."""
    return _("The certificate expired on %(date)s.") % {"date": day_words(row.valid_to)}
