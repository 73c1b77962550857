"""Organizations, sites, accounts, contacts and memberships (``channel.md`` 1, 2, 4)."""

import datetime as dt
import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Lower, Upper
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.base import BaseModel
from core.money import CurrencyField, MoneyField
from core.tenancy import TenantOwned
from resellers.enums import (
    SUB_KINDS,
    AccountKind,
    AccountStatus,
    AliasState,
    Edition,
    NoteType,
    PaymentMethod,
    RuleLevel,
    SiteStatus,
    ViewingEnd,
)
from resellers.site_models import DesignState, SiteDesign, SiteDomain, SiteImage, SiteMail, SiteMailText
from users.permissions import StaffRole, StorefrontRole

# Django finds the models of an app through this module.
__all__ = ["DesignState", "SiteDesign", "SiteDomain", "SiteImage", "SiteMail", "SiteMailText"]


class Organization(BaseModel):
    """One BSS: the distributor's, or a Professional reseller's own. The tenant everything belongs to."""

    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(unique=True)
    country = models.CharField(_("country"), max_length=2)
    currency = CurrencyField(_("currency"), default="EUR")
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    language = models.CharField(_("language"), max_length=8, default="en")
    email = models.EmailField(_("e-mail"), blank=True)
    sub_customer_billing_address = models.BooleanField(
        _("sub customers billing address"),
        default=False,
        help_text=_("End customers need an address of their own; otherwise the reseller's is used."),
    )
    next_order_number = models.PositiveBigIntegerField(default=1, editable=False)
    # What a direct customer or reseller starts with who registers himself at the organization's own storefront.
    registration_payment_method = models.CharField(
        _("payment method"), max_length=20, choices=PaymentMethod.choices, default=PaymentMethod.INVOICE
    )
    registration_prorate = models.BooleanField(_("prorate billing"), default=False)
    registration_billing_day = models.PositiveSmallIntegerField(
        _("billing day"), default=1, validators=[MinValueValidator(1), MaxValueValidator(28)]
    )
    registration_currency = CurrencyField(_("currency"), blank=True)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class Site(TenantOwned):
    """A storefront. Without an account it is the organization's own, with one it is a reseller's white-label site.

    A reseller's site is opened and closed by his plan: ``plan_id`` is the public id of the plan's subscription, whose
    present term ends at ``plan_ends_at``; ``next_plan_id`` is a smaller plan that waits for its end. What
    :class:`StorefrontAlias` says about who has which alias is the truth; ``alias`` is the one its addresses carry now.
    A closed site keeps its data until ``kept_until``. Without ``has_storefront`` only the BSS is reached at its host.
    """

    account = models.ForeignKey(
        "resellers.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="sites"
    )
    name = models.CharField(_("company name"), max_length=100)
    host = models.CharField(_("host"), max_length=253, blank=True)
    alias = models.CharField(_("alias"), max_length=40, blank=True)
    status = models.CharField(max_length=20, choices=SiteStatus.choices, default=SiteStatus.LIVE)
    plan_id = models.UUIDField(null=True, blank=True, editable=False)
    plan_ends_at = models.DateTimeField(null=True, blank=True, editable=False)
    next_plan_id = models.UUIDField(null=True, blank=True, editable=False)
    next_edition = models.CharField(max_length=20, choices=Edition.choices, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    kept_until = models.DateTimeField(null=True, blank=True, editable=False)
    reminded_days = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    alias_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    tagline = models.CharField(_("headline"), max_length=200, blank=True)
    introduction = models.TextField(_("introduction"), blank=True)
    brand_color = models.CharField(_("brand colour"), max_length=7, blank=True)
    has_storefront = models.BooleanField(default=True, editable=False)
    anonymous_access = models.BooleanField(_("anonymous access"), default=False)
    anonymous_prices = models.BooleanField(_("prices to anonymous visitors"), default=False)
    anonymous_price_list_id = models.BigIntegerField(null=True, blank=True, editable=False)
    self_registration = models.BooleanField(_("self-registration"), default=False)
    registration_approval = models.BooleanField(_("approval of registrations"), default=True)
    reseller_registration = models.BooleanField(_("allow registration of resellers"), default=False)
    support_email = models.EmailField(_("support e-mail"), blank=True)
    support_phone = models.CharField(_("support phone"), max_length=40, blank=True)
    mail_sender = models.EmailField(_("mail sender"), blank=True)
    terms = models.TextField(_("terms of use"), blank=True)
    terms_version = models.PositiveIntegerField(default=1)
    privacy = models.TextField(_("privacy notice"), blank=True)
    look = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization"], condition=Q(account=None), name="site_one_per_organization"
            ),
            models.UniqueConstraint(fields=["account"], condition=~Q(status="deleted"), name="site_one_per_reseller"),
            models.CheckConstraint(
                condition=Q(plan_id=None) | Q(account__isnull=False), name="site_plan_of_a_reseller"
            ),
            models.CheckConstraint(
                condition=~Q(status="closed") | Q(kept_until__isnull=False), name="site_closed_is_kept"
            ),
            models.UniqueConstraint(fields=["host"], condition=~Q(host=""), name="site_host_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Account(TenantOwned):
    """A customer record: prospect, direct customer, reseller, end customer, affiliate account or managed copy.

    ``credit_limit`` is in the account's currency; 0 means he may never owe. Sub accounts owe through ``bill_to``, which
    must be a Reseller of the same organization (a database trigger holds that).
    """

    tenant_account = "pk"

    kind = models.CharField(_("kind"), max_length=20, choices=AccountKind.choices)
    status = models.CharField(max_length=20, choices=AccountStatus.choices, default=AccountStatus.ACTIVE)
    name = models.CharField(_("account name"), max_length=100)
    accounting_number = models.CharField(_("accounting no."), max_length=30, blank=True)
    bill_to = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="sub_accounts", verbose_name=_("bill to")
    )
    edition = models.CharField(_("edition"), max_length=20, choices=Edition.choices, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    fax = models.CharField(_("fax"), max_length=40, blank=True)
    website = models.URLField(_("web site"), blank=True)
    trading_name = models.CharField(_("trading name"), max_length=100, blank=True)
    business_activity = models.CharField(_("business activity"), max_length=200, blank=True)
    # The key a program knows the account by: the organization's programs and the reseller's each have their own.
    integration_id = models.CharField(_("integration ID"), max_length=100, blank=True)
    reseller_integration_id = models.CharField(_("reseller's integration ID"), max_length=100, blank=True)
    address_line1 = models.CharField(_("address"), max_length=200, blank=True)
    address_line2 = models.CharField(_("address, second line"), max_length=200, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    state = models.CharField(pgettext_lazy("address", "state"), max_length=100, blank=True)
    postal_code = models.CharField(_("post code"), max_length=20, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    tax_id = models.CharField(_("tax ID"), max_length=30, blank=True)
    currency = CurrencyField(_("currency"), blank=True)
    payment_method = models.CharField(
        _("payment method"), max_length=20, choices=PaymentMethod.choices, default=PaymentMethod.INVOICE
    )
    payment_days = models.PositiveSmallIntegerField(_("payment days"), default=30)
    note_type = models.CharField(
        _("billing document"), max_length=20, choices=NoteType.choices, default=NoteType.INVOICE
    )
    is_taxable = models.BooleanField(_("is taxable"), default=True)
    tax_exempt_reason = models.CharField(_("reason of the exemption"), max_length=200, blank=True)
    credit_limit = MoneyField(_("credit limit"), default=0, validators=[MinValueValidator(0)])
    credit_unlimited = models.BooleanField(_("unlimited credit"), default=False)
    prorate_billing = models.BooleanField(_("prorate billing"), default=False)
    billing_day = models.PositiveSmallIntegerField(
        _("billing day"), default=1, validators=[MinValueValidator(1), MaxValueValidator(28)]
    )
    notes = models.TextField(_("notes"), blank=True)
    mail_licences = models.BooleanField(
        _("mail licences to my customers"),
        default=True,
        help_text=_("Licences a reseller sells go to his customer's contact by e-mail; without it, to the reseller."),
    )
    order_approval = models.BooleanField(
        _("orders need approval"),
        default=True,
        help_text=_("What this end customer orders at his reseller's site waits until the reseller approves it."),
    )
    account_manager = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("account manager"),
    )
    permission_rule = models.ForeignKey(
        "resellers.PermissionRule",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="accounts",
        verbose_name=_("permission rule"),
        help_text=_("Who of the employees may see this account; without one, everybody whose role allows it."),
    )

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in SUB_KINDS], bill_to__isnull=False)
                | (~Q(kind__in=[kind.value for kind in SUB_KINDS]) & Q(bill_to__isnull=True)),
                name="account_bill_to_by_kind",
            ),
            models.CheckConstraint(
                condition=Q(kind=AccountKind.RESELLER.value, edition__in=[item.value for item in Edition])
                | (~Q(kind=AccountKind.RESELLER.value) & Q(edition="")),
                name="account_edition_by_kind",
            ),
            models.CheckConstraint(condition=Q(credit_limit__gte=0), name="account_credit_not_negative"),
            models.CheckConstraint(
                condition=Q(is_taxable=True) | ~Q(tax_exempt_reason=""), name="account_exemption_has_reason"
            ),
            models.UniqueConstraint(
                fields=["organization", "accounting_number"],
                condition=~Q(accounting_number=""),
                name="account_accounting_number_once",
            ),
            models.UniqueConstraint(
                fields=["organization", "integration_id"],
                condition=~Q(integration_id=""),
                name="account_integration_id_once",
            ),
            models.UniqueConstraint(
                Coalesce("bill_to", "id"),
                "reseller_integration_id",
                condition=~Q(reseller_integration_id=""),
                name="account_reseller_integration_id",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "name", "id"], name="account_name"),
            models.Index(fields=["bill_to", "name"], name="account_bill_to"),
            models.Index(fields=["organization", "updated_at", "id"], name="account_changed"),
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="account_name_parts"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_reseller(self) -> bool:
        """Whether this account sells to others."""
        return self.kind == AccountKind.RESELLER

    @property
    def payer_id(self) -> int:
        """The id of the account that owes for this one: its Bill To, else itself."""
        return self.bill_to_id or self.pk


class StorefrontAlias(TenantOwned):
    """Who has which first path segment, for as long as he has it: held by an order, live, kept, or redirecting.

    One row per alias and organization, so nobody else can get it (``channel.md`` 3.4). ``until`` is when it becomes
    free; ``holder`` is the public id of the order that holds it.
    """

    tenant_account = "account"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="aliases")
    alias = models.CharField(_("alias"), max_length=40)
    state = models.CharField(max_length=20, choices=AliasState.choices)
    holder = models.UUIDField(null=True, blank=True, editable=False)
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "alias"], name="alias_once"),
            models.UniqueConstraint(
                fields=["account"], condition=Q(state__in=["live", "kept"]), name="alias_one_of_a_site"
            ),
            models.CheckConstraint(condition=Q(alias=Lower("alias")) & ~Q(alias=""), name="alias_in_lower_case"),
            models.CheckConstraint(
                condition=Q(state="held", holder__isnull=False) | (~Q(state="held") & Q(holder=None)),
                name="alias_held_by_an_order",
            ),
        ]

    def __str__(self) -> str:
        return self.alias


class Contact(TenantOwned):
    """A person at an account; not necessarily one who can sign in."""

    tenant_account = "account"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="contacts")
    first_name = models.CharField(_("first name"), max_length=100)
    last_name = models.CharField(_("last name"), max_length=100)
    email = models.EmailField(_("e-mail"))
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    job_title = models.CharField(_("job title"), max_length=100, blank=True)
    is_primary = models.BooleanField(_("primary contact"), default=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="contacts"
    )

    class Meta:
        ordering = ["-is_primary", "last_name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["account"], condition=Q(is_primary=True), name="contact_one_primary"),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class Membership(TenantOwned):
    """What a user is: an employee of the organization (no account) or a user of an account, with roles."""

    tenant_account = "account"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.PROTECT, related_name="memberships")
    roles = ArrayField(models.CharField(max_length=40), default=list)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organization", "account"], nulls_distinct=False, name="membership_once"
            ),
        ]

    def __str__(self) -> str:
        return str(self.user)

    @property
    def role_names(self) -> str:
        """The roles in words."""
        known = dict(StorefrontRole.choices if self.account_id else StaffRole.choices)
        return ", ".join(str(known.get(role, role)) for role in self.roles)


class Invitation(TenantOwned):
    """A one-time link that lets a new user set his password; 72 hours, single use. Only the token's hash is kept."""

    tenant_account = "account"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invitations")
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.user} until {self.expires_at:%Y-%m-%d %H:%M}"


class ViewAsSession(TenantOwned):
    """An employee looks at the storefront as a customer: read-only, for a while, with a reason the customer can read.

    Only the hash of the token in the employee's session is kept. ``ended_at`` is empty as long as it may go on.
    """

    tenant_account = "account"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(_("reason"), max_length=500)
    token_hash = models.CharField(max_length=64, unique=True)
    started_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    ended_at = models.DateTimeField(null=True, blank=True)
    end = models.CharField(max_length=20, choices=ViewingEnd.choices, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organization"], condition=Q(ended_at=None), name="view_as_one_at_a_time"
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=models.F("started_at")), name="view_as_takes_time"),
            models.CheckConstraint(
                condition=Q(ended_at=None, end="") | (Q(ended_at__isnull=False) & ~Q(end="")), name="view_as_end_named"
            ),
        ]
        indexes = [models.Index(fields=["account", "-id"], name="view_as_account")]

    def __str__(self) -> str:
        return str(self.account)

    @property
    def until(self) -> dt.datetime:
        """When it ended, or will end by itself."""
        return self.ended_at or self.ends_at


class PermissionRule(TenantOwned):
    """Which employees may see an account and everything that hangs on it (``channel.md`` 10.1, last paragraph).

    A right of the role is needed besides. New accounts get the default rule; Administrators are never restricted.
    """

    name = models.CharField(_("name"), max_length=100)
    note = models.CharField(_("note"), max_length=500, blank=True)
    is_default = models.BooleanField(_("for new accounts"), default=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint("organization", Lower("name"), name="permission_rule_name_once"),
            models.UniqueConstraint(
                fields=["organization"], condition=Q(is_default=True), name="permission_rule_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class StaffGroup(TenantOwned):
    """Employees who get the same levels of permission rules, such as a sales team."""

    name = models.CharField(_("name"), max_length=100)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="staff_groups", verbose_name=_("members")
    )

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint("organization", Lower("name"), name="staff_group_name_once")]

    def __str__(self) -> str:
        return self.name


class PermissionGrant(TenantOwned):
    """What a permission rule gives to one employee or to one group; of several levels the highest counts."""

    rule = models.ForeignKey(PermissionRule, on_delete=models.CASCADE, related_name="grants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    group = models.ForeignKey(StaffGroup, null=True, blank=True, on_delete=models.CASCADE, related_name="grants")
    level = models.CharField(_("level"), max_length=10, choices=RuleLevel.choices)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(user=None, group__isnull=False) | Q(user__isnull=False, group=None),
                name="permission_grant_user_or_group",
            ),
            models.CheckConstraint(
                condition=Q(level__in=[level.value for level in RuleLevel]), name="permission_grant_level"
            ),
            models.UniqueConstraint(
                fields=["rule", "user", "group"], nulls_distinct=False, name="permission_grant_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.group}: {self.get_level_display()}"


def realm_of(site: Site | None, organization: Organization) -> uuid.UUID:
    """The realm in which e-mail addresses are unique: a reseller's site, or the organization."""
    return site.public_id if site is not None and site.account_id else organization.public_id
