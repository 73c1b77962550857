"""Accounts and contacts: make, change, hold (``channel.md`` 2)."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from core import audit
from core.errors import BusinessError, Conflict, NotVisible
from core.events import emit
from core.tenancy import Actor, ActorKind
from resellers.enums import SUB_KINDS, AccountKind, AccountStatus, Edition
from resellers.models import Account, Contact, Organization, PermissionRule
from resellers.services.rules import check_manager, may_use, rule_for_new
from users.permissions import Perm

COMPANY_FIELDS = (
    "name",
    "email",
    "phone",
    "fax",
    "website",
    "trading_name",
    "business_activity",
    "address_line1",
    "address_line2",
    "city",
    "state",
    "postal_code",
    "country",
    "tax_id",
)
# The keys that programs know an account by: of the organization's side, and of the reseller's.
KEY_FIELDS = ("integration_id", "reseller_integration_id")
STAFF_FIELDS = ("accounting_number", "notes")
CREDIT_FIELDS = (
    "credit_limit",
    "credit_unlimited",
    "payment_method",
    "payment_days",
    "is_taxable",
    "tax_exempt_reason",
    "prorate_billing",
    "billing_day",
    "note_type",
)
# The members of the API behind company data.
MEMBERS = {name: name for name in ("name", "email", "phone", "fax", "website")}
MEMBERS |= {"trading_name": "tradingName", "business_activity": "businessActivity"}
ADDRESS_FIELDS = ("address_line1", "address_line2", "city", "state", "postal_code", "country")
MEMBERS |= dict.fromkeys(ADDRESS_FIELDS, "billingAddress")
_COUNTRY = re.compile(r"^[A-Z]{2}$")


def _require_edit(actor: Actor, account: Account | None, bill_to: Account | None) -> None:
    if actor.is_staff or actor.kind == ActorKind.SYSTEM:
        actor.require(Perm.ACCOUNT_EDIT, account)
    elif account is not None and account.pk == actor.account_id:
        actor.require(Perm.SHOP_COMPANY_EDIT, account)
    else:
        actor.require(Perm.SHOP_CUSTOMER_CREATE, account or bill_to)


def _clean(account: Account) -> None:
    account.name = account.name.strip()
    account.country = account.country.strip().upper()
    if not account.name:
        raise BusinessError("name_missing", _("Type the company's name."), field="name")
    if account.country and not _COUNTRY.match(account.country):
        raise BusinessError("country_invalid", _("Choose a country."), field="country")
    number = account.accounting_number
    same = Account.objects.filter(organization_id=account.organization_id, accounting_number=number).exclude(
        pk=account.pk
    )
    if number and same.exists():
        raise BusinessError(
            "accounting_number_taken", _("Another account has this accounting number."), field="accounting_number"
        )


def check_bill_to(kind: str, bill_to: Account | None, organization_id: int) -> None:
    """Raise unless the Bill To fits the kind: sub accounts need an active reseller, all others need none."""
    if kind not in SUB_KINDS:
        if bill_to is not None:
            raise BusinessError(
                "bill_to_not_allowed", _("Only sub accounts are billed to a reseller."), field="bill_to"
            )
        return
    if bill_to is None or bill_to.kind != AccountKind.RESELLER or bill_to.organization_id != organization_id:
        raise BusinessError("bill_to_not_reseller", _("Choose a reseller."), field="bill_to")


@transaction.atomic
def create_account(
    actor: Actor, *, kind: str, values: Mapping[str, Any], bill_to: Account | None = None, organization: Organization
) -> Account:
    """Make an account of ``kind``. Sub accounts take currency from their Bill To; a Reseller starts as Basic.

    Its permission rule is ``values["permission_rule"]``, else its Bill To's, else the organization's default. Users,
    price list and vendor links are made by their own services. Raises BusinessError with the field's name.
    """
    _require_edit(actor, None, bill_to)
    check_bill_to(kind, bill_to, organization.pk)
    account = Account(
        organization=organization,
        kind=kind,
        bill_to=bill_to,
        edition=Edition.BASIC if kind == AccountKind.RESELLER else "",
        currency=bill_to.currency if bill_to else values.get("currency") or organization.currency,
    )
    _set_access(actor, account, values)
    allowed = COMPANY_FIELDS + (STAFF_FIELDS if actor.is_staff or actor.kind == ActorKind.SYSTEM else ())
    for name in allowed:
        if name in values:
            setattr(account, name, values[name] or "")
    _clean(account)
    if kind != AccountKind.PROSPECT and not account.country:
        raise BusinessError("country_missing", _("An account that orders needs a country."), field="country")
    account.save(force_insert=True)
    access = {"account_manager": account.account_manager or "", "permission_rule": account.permission_rule or ""}
    audit.record(actor, "account.created", account, after=_shown(account) | access, account=account)
    tell_account(account, "created")
    return account


def _set_access(actor: Actor, account: Account, values: Mapping[str, Any]) -> None:
    """Account manager and permission rule of a new account; customers choose neither."""
    chosen: PermissionRule | None = values.get("permission_rule") if actor.is_staff else None
    if chosen is None:
        organization_id = account.organization_id
        account.permission_rule = rule_for_new(actor, organization_id=organization_id, bill_to=account.bill_to)
    elif chosen.organization_id == account.organization_id and may_use(actor, chosen):
        account.permission_rule = chosen
    else:
        raise BusinessError("rule_not_yours", _("Choose a rule that lets you edit."), field="permission_rule")
    if actor.is_staff:
        account.account_manager = values.get("account_manager")
        check_manager(account.account_manager, account.organization_id)


@transaction.atomic
def update_account(actor: Actor, *, account: Account, values: Mapping[str, Any]) -> Account:
    """Change company data; staff also the accounting number and notes.

    ``values["integration_key"]`` is the key that the actor's side knows the account by; the other side has its own.
    """
    row = lock_account(actor, account)
    _require_edit(actor, row, None)
    before = _shown(row)
    for name in COMPANY_FIELDS + (STAFF_FIELDS if actor.is_staff else ()):
        if name in values:
            setattr(row, name, values[name] or "")
    if actor.is_staff and row.kind == AccountKind.RESELLER and "mail_licences" in values:
        row.mail_licences = bool(values["mail_licences"])
    if "integration_key" in values:
        _set_key(actor, row, values["integration_key"])
    _demand_not_managed(actor, row, before)
    _clean(row)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        if "integration_id" in str(error):  # Another account got the key meanwhile.
            raise _key_taken() from error
        raise
    audit.record(actor, "account.updated", row, before=before, after=_shown(row), account=row)
    if _shown(row) != before:
        tell_account(row, "updated", [name for name in COMPANY_FIELDS if getattr(row, name) != before[name]])
    return row


def _set_key(actor: Actor, row: Account, key: str) -> None:
    """The key of the actor's side, which no other account of that side has."""
    same = Account.objects.filter(organization_id=row.organization_id).exclude(pk=row.pk)
    if actor.is_staff or actor.kind == ActorKind.SYSTEM:
        row.integration_id = key
        same = same.filter(integration_id=key)
    else:
        row.reseller_integration_id = key
        same = same.filter(Q(bill_to_id=row.payer_id) | Q(pk=row.payer_id), reseller_integration_id=key)
    if key and same.exists():
        raise _key_taken()


def _key_taken() -> BusinessError:
    words = _("Another account has this integration ID.")
    return BusinessError("integration_id_taken", words, field="integration_key")


def _demand_not_managed(actor: Actor, row: Account, before: Mapping[str, Any]) -> None:
    """A managed copy's company data and number follow the Professional reseller's account; notes are ours."""
    if row.kind != AccountKind.MANAGED_COPY or actor.kind == ActorKind.SYSTEM:
        return
    changed = [name for name in (*COMPANY_FIELDS, "accounting_number") if getattr(row, name) != before[name]]
    if changed:
        words = _("%(name)s manages this customer. His data are changed there.") % {"name": row.bill_to}
        raise BusinessError("managed_by_reseller", words, field=changed[0])


@transaction.atomic
def set_credit(actor: Actor, *, account: Account, values: Mapping[str, Any]) -> Account:
    """Change credit, payment and tax options; a Bill To's credit covers all its sub accounts together."""
    row = lock_account(actor, account)
    actor.require(Perm.ACCOUNT_CREDIT, row)
    if row.bill_to_id:
        raise BusinessError("credit_of_payer", _("This account uses the credit of the account it is billed to."))
    before = {name: getattr(row, name) for name in CREDIT_FIELDS}
    for name in CREDIT_FIELDS:
        if name in values:
            setattr(row, name, values[name])
    if Decimal(row.credit_limit) < 0:
        raise BusinessError("credit_negative", _("Type a credit limit of 0 or more."), field="credit_limit")
    if not row.is_taxable and not row.tax_exempt_reason.strip():
        raise BusinessError("exemption_reason", _("Say why this account is exempt."), field="tax_exempt_reason")
    if row.is_taxable:
        row.tax_exempt_reason = ""
    row.save()
    audit.record(
        actor,
        "account.credit",
        row,
        before=before,
        after={name: getattr(row, name) for name in CREDIT_FIELDS},
        account=row,
    )
    tell_account(row, "updated")
    return row


@transaction.atomic
def enable_reselling(actor: Actor, *, account: Account, has_price_list: bool) -> Account:
    """Turn a direct customer into a Basic reseller; refused without a price list (the caller looks it up)."""
    row = lock_account(actor, account)
    actor.require(Perm.ACCOUNT_EDIT, row)
    if row.kind != AccountKind.DIRECT:
        raise Conflict("kind_change", _("Only a direct customer can become a reseller."))
    if not has_price_list:
        raise BusinessError("price_list_missing", _("Assign a price list first."))
    row.kind, row.edition = AccountKind.RESELLER, Edition.BASIC
    row.save(update_fields=["kind", "edition", "updated_at"])
    audit.record(actor, "account.reselling", row, before={"kind": "direct"}, after={"kind": "reseller"}, account=row)
    tell_account(row, "updated")
    return row


@transaction.atomic
def set_status(actor: Actor, *, account: Account, status: str, reason: str, busy: bool = False) -> Account:
    """Hold, release, close or reopen an account. Closing is refused while ``busy`` (live services, open orders)."""
    row = lock_account(actor, account)
    closing = AccountStatus.CLOSED in (status, row.status)
    actor.require(Perm.ACCOUNT_BILL_TO if closing else Perm.ACCOUNT_CREDIT, row)
    if status == row.status:
        raise Conflict("status_same", _("The account is in this state already."))
    if status == AccountStatus.CLOSED and busy:
        raise Conflict("account_busy", _("Cancel its services and open orders before closing the account."))
    if row.status == AccountStatus.CLOSED and status == AccountStatus.SUSPENDED:
        raise Conflict("account_closed", _("Reopen the account first."))
    before = row.status
    row.status = status
    row.save(update_fields=["status", "updated_at"])
    audit.record(
        actor, "account.status", row, before={"status": before}, after={"status": status}, reason=reason, account=row
    )
    tell_account(row, "updated")
    return row


@transaction.atomic
def save_contact(actor: Actor, *, account: Account, contact: Contact | None, values: Mapping[str, Any]) -> Contact:
    """Add or change a contact; making one primary takes the mark from the former one."""
    _require_edit(actor, account, None)
    row = contact or Contact(organization_id=account.organization_id, account=account)
    if row.account_id != account.pk:
        raise NotVisible("contact_missing", _("This contact does not exist."))
    for name in ("first_name", "last_name", "email", "phone", "job_title"):
        if name in values:
            setattr(row, name, values[name])
    row.is_primary = bool(values.get("is_primary", row.is_primary))
    if row.is_primary:
        Contact.objects.filter(account=account, is_primary=True).exclude(pk=row.pk).update(is_primary=False)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Conflict("changed_meanwhile", _("Somebody else changed this meanwhile. Try again.")) from error
    audit.record(
        actor,
        "contact.saved",
        row,
        after={"name": str(row), "email": row.email, "primary": row.is_primary},
        account=account,
    )
    return row


def take_order_number(organization_id: int) -> str:
    """The next order number of an organization, without gaps by concurrency: ``ORD-000123``.

    Called inside the order's transaction. The row is locked but not its key (no key column changes): whoever writes a
    row of this organization meanwhile must not wait, let alone in a circle.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE resellers_organization SET next_order_number = next_order_number + 1 WHERE id = %s "
            "RETURNING next_order_number - 1",
            [organization_id],
        )
        (number,) = cursor.fetchone()
    return f"ORD-{number:06d}"


def billing_address(account: Account) -> dict[str, str]:
    """The address on documents: the account's own, or its Bill To's where it has none."""
    source = account if account.address_line1 or account.bill_to is None else account.bill_to
    address = {name: getattr(source, name) for name in ADDRESS_FIELDS}
    return {"name": source.name, "tax_id": source.tax_id, **address}


def tell_account(account: Account, what: str, fields: Sequence[str] = ()) -> None:
    """Emit ``account.<what>``; of company data it says which members changed, of anything else nothing."""
    changed = list(dict.fromkeys(MEMBERS[name] for name in fields if name in MEMBERS))
    emit(
        f"account.{what}",
        {"account": account.pk, "changed": changed},
        organization_id=account.organization_id,
        account_id=account.pk,
    )


def _shown(account: Account) -> dict[str, Any]:
    names = ("kind", "edition", *COMPANY_FIELDS, *STAFF_FIELDS, *KEY_FIELDS)
    own = {"mail_licences": account.mail_licences} if account.kind == AccountKind.RESELLER else {}
    return {name: getattr(account, name) for name in names} | {"bill_to": account.bill_to or ""} | own


def lock_account(actor: Actor, account: Account) -> Account:
    """The account's row under a lock; somebody else's does not exist."""
    rows = Account.objects.visible_to(actor).select_for_update(of=("self",))
    row = rows.filter(pk=account.pk).first()
    if row is None:
        raise NotVisible("account_missing", _("This account does not exist."))
    return row
