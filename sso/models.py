"""Registrations that wait, and the log of consent (``channel.md`` 4.5, 14)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.tenancy import TenantOwned
from resellers.enums import AccountKind
from sso.enums import ConsentPurpose, RegistrationState


class Registration(TenantOwned):
    """Somebody's wish to become a customer of a site; no account, contact or user is there before it is approved.

    ``reseller`` is whose site it is (empty: the organization's own), so that he sees his own alone. Of the password and
    of the activation link only hashes are kept. Once rejected or expired, the row says that and when and by whom, and
    nothing about the person any more; its mails have gone with it.
    """

    tenant_account = "reseller"

    site = models.ForeignKey("resellers.Site", on_delete=models.PROTECT, related_name="+")
    reseller = models.ForeignKey("resellers.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(_("state"), max_length=20, choices=RegistrationState.choices)
    kind = models.CharField(_("kind"), max_length=20, choices=AccountKind.choices)
    company = models.CharField(_("company"), max_length=100, blank=True)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    address_line1 = models.CharField(_("address"), max_length=200, blank=True)
    address_line2 = models.CharField(_("address, second line"), max_length=200, blank=True)
    postal_code = models.CharField(_("post code"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    region = models.CharField(pgettext_lazy("address", "state"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    tax_id = models.CharField(_("tax ID"), max_length=30, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)
    password_hash = models.CharField(max_length=128, blank=True, editable=False)
    token_hash = models.CharField(max_length=64, blank=True, editable=False)
    token_ends_at = models.DateTimeField(null=True, blank=True, editable=False)
    terms_version = models.PositiveIntegerField(default=1)
    ip = models.CharField(max_length=45, blank=True)
    browser = models.CharField(max_length=255, blank=True)
    submitted_at = models.DateTimeField(_("asked"))
    expires_at = models.DateTimeField(_("erased on"))
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=200, blank=True)
    activated_at = models.DateTimeField(_("activated"), null=True, blank=True)
    account = models.ForeignKey("resellers.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                "site", Lower("email"), condition=Q(state="pending"), name="registration_one_pending"
            ),
            models.UniqueConstraint(fields=["token_hash"], condition=~Q(token_hash=""), name="registration_token_once"),
            models.CheckConstraint(
                condition=Q(account__isnull=True) | Q(state="approved"), name="registration_account_if_approved"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["rejected", "expired"])
                | Q(company="", first_name="", last_name="", email="", phone="", address_line1="", tax_id="")
                & Q(password_hash="", token_hash="", ip="", browser=""),
                name="registration_erased_if_ended",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "reseller", "-id"], name="registration_of_site"),
            models.Index(
                fields=["expires_at"], condition=Q(state__in=["unconfirmed", "pending"]), name="registration_open"
            ),
        ]

    def __str__(self) -> str:
        return self.company or "-"

    @property
    def person(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


class ConsentEntry(TenantOwned):
    """One consent that was given or withdrawn; a row is never changed or deleted (a database trigger holds that).

    The person is a user, whose own row can be made a pseudonym, or a ``visitor`` known by a random word of his browser.
    """

    tenant_account = "account"

    site = models.ForeignKey("resellers.Site", on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey("resellers.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    visitor = models.CharField(max_length=64, blank=True)
    purpose = models.CharField(_("purpose"), max_length=20, choices=ConsentPurpose.choices)
    version = models.PositiveIntegerField(_("version"))
    is_given = models.BooleanField(_("given"))
    at = models.DateTimeField(_("time"))
    ip = models.CharField(_("IP address"), max_length=45, blank=True)
    browser = models.CharField(_("browser"), max_length=255, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(user__isnull=False) | ~Q(visitor=""), name="consent_of_somebody"),
        ]
        indexes = [models.Index(fields=["organization", "-id"], name="consent_org")]
        verbose_name_plural = "consent entries"

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.version}"
