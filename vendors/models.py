"""Applications, instances, and the links between accounts and instances (``service-manager.md`` 3, 4, 7)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core import crypto
from core.base import BaseModel
from core.crypto import CipherField
from core.tenancy import TenantOwned


class Application(BaseModel):
    """A kind of vendor service, registered once per installation (a service manager)."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.TextField(_("description"), blank=True)
    is_enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class InstanceState(models.TextChoices):
    """The life of an instance (``service-manager.md`` 4)."""

    DRAFT = "draft", _("Draft")
    READY = "ready", _("Ready")
    ACTIVE = "active", _("Active")
    INACTIVE = "inactive", _("Inactive")
    DELETED = "deleted", _("Deleted")


class ConsentState(models.TextChoices):
    """What the vendor's administrator allowed us (``office365.md`` 2)."""

    NOT_GIVEN = "not_given", _("Not given")
    GIVEN = "given", _("Given")
    LOST = "lost", _("Lost")


class Instance(TenantOwned):
    """One organization's configuration of an application. All setting values are stored encrypted."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="instances")
    system_name = models.CharField(_("system name"), max_length=100)
    state = models.CharField(max_length=20, choices=InstanceState.choices, default=InstanceState.DRAFT)
    settings_cipher = CipherField()
    settings_version = models.PositiveIntegerField(default=0)
    consent = models.CharField(max_length=20, choices=ConsentState.choices, default=ConsentState.NOT_GIVEN)
    consent_note = models.CharField(max_length=255, blank=True)
    consent_at = models.DateTimeField(null=True, blank=True)
    credentials_refused_at = models.DateTimeField(null=True, blank=True)
    last_definition_at = models.DateTimeField(null=True, blank=True)
    last_definition_counts = models.JSONField(default=dict)

    class Meta:
        ordering = ["system_name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "application", "system_name"],
                condition=~Q(state="deleted"),
                name="instance_name_once",
            )
        ]

    def __str__(self) -> str:
        return self.system_name

    def read_settings(self) -> dict[str, object]:
        """The decrypted setting values; raises SecretUnreadable if the key is missing."""
        return crypto.decrypt_json(self.settings_cipher)


class InstanceSecret(TenantOwned):
    """A secret of an instance that changes by itself: a rotated refresh token."""

    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=60)
    value_cipher = CipherField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["instance", "name"], name="instance_secret_once")]

    def __str__(self) -> str:
        return self.name


class SyncStatus(models.TextChoices):
    """How far the vendor knows (``service-manager.md`` 8.1)."""

    NOT_REQUIRED = "not_required", _("Not required")
    UNSYNCHRONISED = "unsynchronised", _("Unsynchronised")
    IN_PROGRESS = "in_progress", _("In Progress")
    SYNCHRONIZED = "synchronized", _("Synchronized")
    FAILED = "failed", _("Failed")


class LinkState(models.TextChoices):
    """The state of a customer's tenant (``office365.md`` 4)."""

    UNSYNCHRONISED = "unsynchronised", _("Unsynchronised")
    IN_PROGRESS = "in_progress", _("In Progress")
    AWAITING_RELATIONSHIP = "awaiting_relationship", _("Awaiting relationship")
    SYNCHRONIZED = "synchronized", _("Synchronized")
    FAILED = "failed", _("Failed")
    RELATIONSHIP_LOST = "relationship_lost", _("Relationship lost")


class AccountLink(TenantOwned):
    """An account at an instance: the vendor's id of it, and what the vendor asked about it.

    On a reseller's own link ``mpn_id`` is stamped on what he buys for end customers and ``reseller_tenant_id`` names
    him at Microsoft. ``options`` holds the answers to the connector's account fields (no secrets).
    """

    tenant_account = "account"

    account = models.ForeignKey("resellers.Account", on_delete=models.PROTECT, related_name="vendor_links")
    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="account_links")
    external_id = models.CharField(_("external id"), max_length=255, blank=True)
    state = models.CharField(max_length=30, choices=LinkState.choices, default=LinkState.UNSYNCHRONISED)
    state_note = models.CharField(max_length=500, blank=True)
    options = models.JSONField(default=dict)
    mpn_id = models.CharField(_("MPN ID"), max_length=10, blank=True)
    mpn_checked_at = models.DateTimeField(null=True, blank=True)
    reseller_tenant_id = models.CharField(_("reseller's tenant id"), max_length=64, blank=True)
    admin_password_cipher = CipherField()
    admin_password_until = models.DateTimeField(null=True, blank=True)
    synchronized_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "instance"], name="link_once_per_instance"),
            models.UniqueConstraint(
                fields=["instance", "external_id"], condition=~Q(external_id=""), name="link_external_id_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} at {self.instance}"


class AgreementRecord(TenantOwned):
    """The log of accepted customer agreements, kept for ever (``office365.md`` 5)."""

    tenant_account = "account"

    account = models.ForeignKey("resellers.Account", on_delete=models.PROTECT, related_name="agreements")
    instance = models.ForeignKey(Instance, on_delete=models.PROTECT, related_name="+")
    first_name = models.CharField(max_length=50)
    last_name = models.CharField(max_length=50)
    email = models.EmailField()
    phone = models.CharField(max_length=40, blank=True)
    date_agreed = models.DateField()
    recorded_at = models.DateTimeField()
    user_label = models.CharField(max_length=200)
    ip = models.CharField(max_length=45, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.account}: {self.first_name} {self.last_name}, {self.date_agreed}"
