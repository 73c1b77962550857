"""Applications, instances, and the links between accounts and instances (``service-manager.md`` 3, 4, 7)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core import crypto
from core.base import BaseModel
from core.crypto import CipherField
from core.money import CurrencyField
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


class CertificateState(models.TextChoices):
    """What was decided about a certificate; whether it is expiring or expired follows from its dates (``esd.md`` 2)."""

    INSTALLED = "installed", _("Installed")
    RETIRED = "retired", _("Retired")


class DnsState(models.TextChoices):
    """What the last look at the CNAME of a certificate's host name found."""

    UNCHECKED = "unchecked", _("Not checked yet")
    OK = "ok", _("OK")
    MISSING = "missing", _("Missing")
    OTHER = "other", _("Other target")


class Certificate(TenantOwned):
    """A certificate with its private key, by which an organization proves itself to a vendor, for one currency.

    ``thumbprint`` is the SHA-1 of its DER form, 40 capital hex digits. The key is stored encrypted and never exported;
    ``chain_pem`` holds the leaf first. ``reminded_days`` is the step of the expiry warnings (30, 14, 7, 1) sent last.
    """

    label = models.CharField(_("label"), max_length=60)
    subject = models.CharField(_("subject"), max_length=255)
    issuer = models.CharField(_("issuer"), max_length=255, blank=True)
    thumbprint = models.CharField(_("thumbprint"), max_length=40)
    currency = CurrencyField(_("currency"))
    host_name = models.CharField(_("host name"), max_length=253)
    valid_from = models.DateTimeField(_("valid from"))
    valid_to = models.DateTimeField(_("valid to"))
    chain_pem = models.TextField(editable=False)
    has_chain = models.BooleanField(_("chain included"), default=True)
    key_cipher = CipherField()
    state = models.CharField(
        _("state"), max_length=20, choices=CertificateState.choices, default=CertificateState.INSTALLED
    )
    dns_state = models.CharField(_("DNS"), max_length=20, choices=DnsState.choices, default=DnsState.UNCHECKED)
    dns_target = models.CharField(_("DNS target found"), max_length=253, blank=True)
    dns_checked_at = models.DateTimeField(null=True, blank=True)
    reminded_days = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["valid_to", "id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "label"], name="certificate_label_once"),
            models.UniqueConstraint(fields=["organization", "thumbprint"], name="certificate_once"),
        ]
        indexes = [
            models.Index(fields=["valid_to", "id"], name="certificate_expiry", condition=Q(state="installed")),
        ]

    def __str__(self) -> str:
        return self.label


class Instance(TenantOwned):
    """One organization's configuration of an application. All setting values are stored encrypted.

    ``client_key``, ``certificate``, ``country`` and ``language`` repeat the settings of those roles
    (``provisioning.ports.Field.role``), so that no two instances share what must be single; ``currency`` is the
    certificate's. ``definition_marker`` is what the connector wants to know again at the next definition run.
    """

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
    definition_marker = models.TextField(blank=True, editable=False)
    client_key = models.CharField(max_length=64, blank=True)
    certificate = models.ForeignKey(
        Certificate, null=True, blank=True, on_delete=models.PROTECT, related_name="instances"
    )
    country = models.CharField(_("country"), max_length=2, blank=True)
    language = models.CharField(_("language"), max_length=20, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)

    class Meta:
        ordering = ["system_name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "application", "system_name"],
                condition=~Q(state="deleted"),
                name="instance_name_once",
            ),
            models.UniqueConstraint(
                fields=["certificate"], condition=~Q(state="deleted"), name="instance_certificate_once"
            ),
            models.UniqueConstraint(
                fields=["organization", "application", "country", "language", "currency"],
                condition=Q(state="active") & ~Q(country=""),
                name="instance_market_once",
            ),
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
        return f"{self.account} · {self.instance}"


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
