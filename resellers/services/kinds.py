"""Another kind for an account (``channel.md`` 2.1): what the row must fulfil, and the one place that writes it."""

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core import audit
from core.errors import BusinessError, Conflict
from core.tenancy import Actor
from resellers.enums import SUB_KINDS, AccountKind, Edition
from resellers.models import Account
from resellers.services.accounts import check_bill_to, tell_account

# Countries whose addresses are taxed and delivered by state.
STATE_COUNTRIES = frozenset({"AU", "BR", "CA", "IN", "MX", "US"})


def missing_for_orders(account: Account) -> list[str]:
    """What an account lacks to order, in words: country, state, payment method, currency."""
    lacks = {
        _("country"): not account.country,
        pgettext("address", "state"): account.country in STATE_COUNTRIES and not account.state,
        _("payment method"): not account.payment_method,
        _("currency"): not account.currency,
    }
    return [word for word, is_missing in lacks.items() if is_missing]


@transaction.atomic
def turn_account(actor: Actor, *, account: Account, kind: str, bill_to: Account | None = None) -> Account:
    """Write another kind, with Bill To, edition and currency as that kind needs; the caller has asked who may.

    Between two kinds of sub accounts the Bill To stays. Raises ``kind_same``, ``kind_data_missing``,
    ``bill_to_not_reseller``, ``currency_differs``.
    """
    # Not the key: whoever holds a service of the account writes rows that refer to it, and the services come next.
    row = Account.objects.select_for_update(of=("self",), no_key=True).get(pk=account.pk)
    if row.kind == kind:
        raise Conflict("kind_same", _("The account is of this kind already."))
    payer = (bill_to or row.bill_to) if kind in SUB_KINDS else None
    check_bill_to(kind, payer, row.organization_id)
    missing = missing_for_orders(row)
    if kind != AccountKind.PROSPECT and missing:
        words = _("Complete the account first: %(missing)s.") % {"missing": ", ".join(missing)}
        raise BusinessError("kind_data_missing", words)
    if payer is not None and payer.currency != row.currency:
        raise BusinessError(
            "currency_differs",
            _("%(name)s pays in %(currency)s. Choose a reseller who pays in %(own)s.")
            % {"name": payer.name, "currency": payer.currency, "own": row.currency},
            field="bill_to",
        )
    before = {"kind": row.kind, "bill_to": row.bill_to or ""}
    if payer != row.bill_to:
        row.reseller_integration_id = ""  # It was the key of the former reseller's programs.
    row.kind, row.bill_to = kind, payer
    row.edition = Edition.BASIC if kind == AccountKind.RESELLER else ""
    row.save(update_fields=["kind", "bill_to", "edition", "reseller_integration_id", "updated_at"])
    audit.record(actor, "account.kind", row, before=before, after={"kind": kind, "bill_to": payer or ""}, account=row)
    tell_account(row, "updated")
    return row
