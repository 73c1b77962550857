"""API clients (application users), an organization's rules for them, their tokens, and replies kept for repeats."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.crypto import CipherField
from core.tenancy import TenantOwned

# The addresses of application users, to which no mail can go.
PROGRAM_DOMAIN = "@application.invalid"


class ApiPolicy(TenantOwned):
    """What an organization allows at its API; without a row everything here is off.

    ``shared_key`` and the hash of its secret are the *Reseller API key*: as long as there is one, application users may
    sign in with user name and password. The other switches open more of the subscriptions to resellers.
    """

    require_version = models.BooleanField(
        _("require the API version"),
        default=False,
        help_text=_("Calls without the header X-Api-Version are refused; otherwise they get version 3.0."),
    )
    resellers_pricing = models.BooleanField(_("resellers read the prices of subscriptions"), default=False)
    resellers_synchronization = models.BooleanField(_("resellers read the synchronization"), default=False)
    resellers_usages = models.BooleanField(_("resellers read usages"), default=False)
    resellers_custom_fields = models.BooleanField(_("resellers write custom fields"), default=False)
    shared_key = models.CharField(_("key"), max_length=64, blank=True, editable=False)
    shared_secret_hash = models.CharField(max_length=64, blank=True, editable=False)
    previous_secret_hash = models.CharField(max_length=64, blank=True, editable=False)
    previous_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "API policies"
        constraints = [
            models.UniqueConstraint(fields=["organization"], name="api_policy_once"),
            models.UniqueConstraint(fields=["shared_key"], condition=~Q(shared_key=""), name="api_shared_key_once"),
        ]

    def __str__(self) -> str:
        return f"API of {self.organization}"


class ApiClient(TenantOwned):
    """An application user: a program of the organization (no account) or of a reseller that calls the API.

    ``key`` names it, the secret is kept as a hash alone; after a rotation the old one counts until ``previous_until``.
    ``user`` is the user its deeds are written down for; nobody can sign in with it. No ``scopes`` means all it can
    have. ``permission_rule`` narrows what an organization's program sees; without one it sees every account.
    """

    tenant_account = "account"

    account = models.ForeignKey(
        "resellers.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="api_clients"
    )
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(_("name"), max_length=100)
    user_name = models.CharField(_("user name"), max_length=100)
    email = models.EmailField(_("e-mail"), blank=True, help_text=_("Who is told if something is wrong with it."))
    key = models.CharField(_("key"), max_length=64, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    previous_secret_hash = models.CharField(max_length=64, blank=True, editable=False)
    previous_until = models.DateTimeField(null=True, blank=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    permission_rule = models.ForeignKey(
        "resellers.PermissionRule", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    compatible_only = models.BooleanField(
        _("compatible members only"),
        default=False,
        help_text=_("Answers carry only what older clients know, for those that refuse unknown members."),
    )
    created_by = models.CharField(_("made by"), max_length=200)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "user_name"], name="api_client_user_name_once"),
            models.CheckConstraint(condition=~Q(secret_hash=""), name="api_client_has_secret"),
            models.CheckConstraint(
                condition=Q(account=None) | Q(permission_rule=None), name="api_client_rule_of_the_organization"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        """Whether it may still get tokens."""
        return self.revoked_at is None


class ApiToken(TenantOwned):
    """An access token: opaque, one hour, known here by its hash alone; it is checked with its client at every call."""

    tenant_account = "client__account"

    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="tokens")
    token_hash = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=40), default=list)
    by_password = models.BooleanField(default=False)
    expires_at = models.DateTimeField()

    # Whether its organization refuses calls that name no version; read along by ``clients.selectors.token_of``.
    requires_version: bool = False

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["expires_at"], name="api_token_expiry")]

    def __str__(self) -> str:
        return f"{self.client} until {self.expires_at:%Y-%m-%d %H:%M}"


class ApiReply(TenantOwned):
    """What was answered to a write with an ``Idempotency-Key``, so that the same call again gets the same answer.

    Claimed first (``status`` 0, until ``claimed_until``), filled in the transaction of the change; kept a day. An
    answer that tells a secret is kept in ``sealed_body`` instead.
    """

    tenant_account = "client__account"

    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="replies")
    key = models.CharField(max_length=255)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=500)
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    location = models.CharField(max_length=500, blank=True)
    body = models.TextField(blank=True)
    sealed_body = CipherField()
    claimed_until = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "API replies"
        constraints = [models.UniqueConstraint(fields=["client", "method", "path", "key"], name="api_reply_once")]
        indexes = [models.Index(fields=["expires_at"], name="api_reply_expiry")]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
