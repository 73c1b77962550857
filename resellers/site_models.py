"""What belongs to a storefront besides the site itself: its designs and pictures (``channel.md`` 4.1, 4.6)."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from core.crypto import CipherField
from core.pictures import MAX_BYTES
from core.tenancy import TenantOwned
from resellers.domain_rules import DomainStatus


class DesignState(models.TextChoices):
    """Whether a design is worked on or was shown to people."""

    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")


class SiteDesign(TenantOwned):
    """One version of a site's look: the draft, or one that was published; ``number`` counts the published ones.

    ``content`` is a look as :mod:`resellers.look` cleans it. ``author`` is who published it, in words.
    """

    tenant_account = "site__account"

    site = models.ForeignKey("resellers.Site", on_delete=models.CASCADE, related_name="designs")
    state = models.CharField(max_length=20, choices=DesignState.choices, default=DesignState.DRAFT)
    number = models.PositiveIntegerField(default=0)
    content = models.JSONField(default=dict)
    author = models.CharField(max_length=200, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    restored_from = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["-number", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["site"], condition=Q(state="draft"), name="design_one_draft"),
            models.UniqueConstraint(fields=["site", "number"], condition=~Q(number=0), name="design_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.site_id}/{self.number or 'draft'}"


class SiteImage(TenantOwned):
    """A picture of a site, written anew by :mod:`core.pictures`; ``name`` is the hash of its bytes with the ending."""

    tenant_account = "site__account"

    site = models.ForeignKey("resellers.Site", on_delete=models.CASCADE, related_name="images")
    name = models.CharField(max_length=80)
    content_type = models.CharField(max_length=20)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    data = models.BinaryField(max_length=MAX_BYTES)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["site", "name"], name="site_image_once")]

    def __str__(self) -> str:
        return self.name


class SiteDomain(TenantOwned):
    """A host name of a reseller's own for his site, on its way from the request to being live.

    ``token`` is what must stand in the TXT record; it proves who rules the name. ``deadline`` ends the present
    waiting, ``next_check_at`` says when the DNS is asked next, ``found`` what it said last, in words. ``own_chain``
    and ``own_key_cipher`` are the reseller's own certificate, good until ``own_until``; without, one is fetched.
    """

    tenant_account = "site__account"

    site = models.ForeignKey("resellers.Site", on_delete=models.CASCADE, related_name="domains")
    host = models.CharField(_("host name"), max_length=253)
    status = models.CharField(max_length=20, choices=DomainStatus.choices, default=DomainStatus.REQUESTED)
    token = models.CharField(max_length=64)
    deadline = models.DateTimeField()
    next_check_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)
    txt_found = models.BooleanField(default=False)
    points_here = models.BooleanField(default=False)
    found = models.TextField(blank=True)
    lost_since = models.DateTimeField(null=True, blank=True)
    live_since = models.DateTimeField(null=True, blank=True)
    certificate_until = models.DateTimeField(null=True, blank=True)
    warned_days = models.PositiveSmallIntegerField(null=True, blank=True)
    own_chain = models.TextField(blank=True, editable=False)
    own_key_cipher = CipherField()
    own_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["host"], condition=~Q(status="removed"), name="domain_host_once"),
            models.UniqueConstraint(fields=["site"], condition=~Q(status="removed"), name="domain_one_of_a_site"),
            models.CheckConstraint(condition=Q(host=Lower("host")) & ~Q(host=""), name="domain_host_in_lower_case"),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at", "id"], name="domain_due", condition=~Q(status__in=["removed", "failed"])
            )
        ]

    def __str__(self) -> str:
        return self.host


class MailKind(models.TextChoices):
    """By which way a reseller's mail leaves."""

    SMTP = "smtp", _("SMTP with a password")
    GOOGLE = "google", _("Gmail (OAuth2)")
    OFFICE365 = "office365", _("Microsoft 365 (OAuth2)")


class MailSecurity(models.TextChoices):
    """How the connection to a mail server is protected; without protection no password is sent."""

    TLS = "tls", _("TLS from the start (465)")
    STARTTLS = "starttls", _("STARTTLS (587)")


class SiteMail(TenantOwned):
    """The mail account a site's mail leaves through. The password or client secret is kept as cipher text only.

    ``refresh_cipher`` is what Google gave when the mailbox's owner agreed; a Gmail account is of no use before.
    """

    tenant_account = "site__account"

    site = models.OneToOneField("resellers.Site", on_delete=models.CASCADE, related_name="mail_account")
    kind = models.CharField(max_length=20, choices=MailKind.choices, default=MailKind.SMTP)
    name = models.CharField(_("account name"), max_length=100)
    address = models.EmailField(_("address"))
    server = models.CharField(_("server"), max_length=253, blank=True)
    port = models.PositiveIntegerField(_("port"), default=587)
    security = models.CharField(max_length=20, choices=MailSecurity.choices, default=MailSecurity.STARTTLS)
    client_id = models.CharField(_("client ID"), max_length=100, blank=True)
    secret_cipher = CipherField()
    refresh_cipher = CipherField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.address

    @property
    def is_usable(self) -> bool:
        """Whether mail can leave through it; Gmail's owner must have agreed first."""
        return self.kind != MailKind.GOOGLE or bool(self.refresh_cipher)


class SiteMailText(TenantOwned):
    """How a site words one of its mails in one language, instead of the standard text.

    ``template`` names a mail of ``notifications.services.mail_types``; ``text`` is marked up as :mod:`resellers.prose`
    has it, with merge fields, and holds no HTML.
    """

    tenant_account = "site__account"

    site = models.ForeignKey("resellers.Site", on_delete=models.CASCADE, related_name="mail_texts")
    template = models.CharField(max_length=80)
    language = models.CharField(max_length=8)
    subject = models.CharField(_("subject"), max_length=150)
    text = models.TextField(_("text"), max_length=5000)

    class Meta:
        ordering = ["site", "template", "language"]
        constraints = [
            models.UniqueConstraint(fields=["site", "template", "language"], name="mail_text_once"),
        ]

    def __str__(self) -> str:
        return f"{self.template} ({self.language})"
