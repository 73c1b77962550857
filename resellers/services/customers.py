"""A reseller's own customers, made where he needs them: at the basket or in My Customers (``channel.md`` 6.2)."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from core.errors import BusinessError, NotVisible
from core.tenancy import Actor, ActorKind
from resellers.enums import AccountKind
from resellers.models import Account
from resellers.selectors import own_account
from resellers.services.accounts import create_account, save_contact, update_account
from users.permissions import Perm

KINDS = (AccountKind.END_CUSTOMER, AccountKind.AFFILIATE)
REQUIRED = (
    "name", "first_name", "last_name", "email", "phone", "address_line1", "city", "postal_code", "country",
)  # fmt: skip


@transaction.atomic
def create_customer(actor: Actor, *, kind: str, values: Mapping[str, Any], bill_to: Account | None = None) -> Account:
    """Make an end customer or affiliate account with its first contact, billed to ``bill_to`` (default: the own one).

    It is there at once and stays, whatever becomes of the basket. Currency, and with it the price list, are the
    reseller's. Raises ``bill_to_not_reseller`` "Choose a reseller.", and ``field_missing`` with the field's name.
    """
    payer = bill_to if actor.is_staff or actor.kind == ActorKind.SYSTEM else own_account(actor)
    if not actor.is_staff:
        actor.require(Perm.SHOP_CUSTOMER_CREATE)
    if kind not in KINDS:
        raise BusinessError("kind_invalid", _("Choose end customer or affiliate account."), field="kind")
    if payer is None or not payer.is_reseller:
        raise BusinessError("bill_to_not_reseller", _("Choose a reseller."), field="bill_to")
    _demand_complete(values)
    account = create_account(actor, kind=kind, values=values, bill_to=payer, organization=payer.organization)
    note = str(values.get("notes") or "").strip()
    if note:
        account.notes = note
        account.save(update_fields=["notes", "updated_at"])
    person = {name: values[name] for name in ("first_name", "last_name", "email", "phone")}
    save_contact(actor, account=account, contact=None, values=person | {"is_primary": True})
    return account


@transaction.atomic
def update_customer(actor: Actor, *, account: Account, values: Mapping[str, Any]) -> Account:
    """Change company data and first contact of one of the own customers; anybody else's does not exist."""
    if account.bill_to_id is None or account.bill_to_id != actor.account_id:
        raise NotVisible("account_missing", _("This account does not exist."))
    _demand_complete(values)
    row = update_account(actor, account=account, values=values)
    person = {name: values[name] for name in ("first_name", "last_name")}
    contact = row.contacts.filter(is_primary=True).first()
    if contact is None:
        person |= {"email": values["email"], "phone": values["phone"]}
    save_contact(actor, account=row, contact=contact, values=person | {"is_primary": True})
    return row


def _demand_complete(values: Mapping[str, Any]) -> None:
    for name in REQUIRED:
        if not str(values.get(name) or "").strip():
            raise BusinessError("field_missing", _("Fill in this field."), field=name)


def look_alikes(actor: Actor, account: Account) -> list[str]:
    """What might be a mistake, in words: another customer of the same reseller with this name or tax ID."""
    others = Account.objects.visible_to(actor).filter(bill_to_id=account.bill_to_id).exclude(pk=account.pk)
    found = []
    if others.filter(name__iexact=account.name).exists():
        found.append(_("Another of your customers has the name %(name)s.") % {"name": account.name})
    if account.tax_id and others.filter(tax_id__iexact=account.tax_id).exists():
        found.append(_("Another of your customers has the tax ID %(number)s.") % {"number": account.tax_id})
    return found
