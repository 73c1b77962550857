"""From a registration to a customer: account, contact, Admin user and consent (``channel.md`` 4.5)."""

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.errors import Conflict
from core.tenancy import Actor, system_actor
from resellers.enums import AccountKind, AccountStatus
from resellers.models import Account, Contact, Membership, realm_of
from resellers.services.accounts import create_account, save_contact, set_credit
from sso.enums import REGISTRATION_MACHINE, ConsentPurpose, RegistrationEvent
from sso.models import Registration
from sso.services.consent import record_consent
from sso.services.people import user_of_realm
from users.models import User
from users.permissions import StorefrontRole


@transaction.atomic
def make_customer(actor: Actor, row: Registration, *, label: str) -> Account:
    """Make what a registration asks for; the row is locked by the caller, ``label`` is who decided.

    The Admin has no password yet: following the link of the activation mail gives him the one he chose.
    Raises Conflict ``reseller_away`` if the reseller is on hold or closed.
    """
    reseller = row.reseller
    if reseller is not None and reseller.status != AccountStatus.ACTIVE:
        raise Conflict("reseller_away", _("This account is on hold."))
    system = system_actor(row.organization_id, label=label[:200])
    account = _account(row, system)
    contact = save_contact(system, account=account, contact=None, values=_person(row) | {"is_primary": True})
    realm = realm_of(row.site, row.organization)
    user = user_of_realm(realm, row.email, row.first_name, row.last_name)
    if row.language and not user.language:
        user.language = row.language
        user.save(update_fields=["language"])
    Contact.objects.filter(pk=contact.pk).update(user=user)
    Membership.objects.get_or_create(
        organization_id=row.organization_id,
        user=user,
        account=account,
        defaults={"roles": [StorefrontRole.ADMIN.value]},
    )
    done = {"account": account, "user": user, "decided_at": clock.now(), "decided_by": label[:200]}
    REGISTRATION_MACHINE.fire(row, RegistrationEvent.APPROVE, **done)
    after = {"name": account.name, "email": row.email, "kind": row.kind}
    audit.record(actor, "registration.approved", row, after=after, account=account)
    _consents(system, row, account, user)
    return account


def _account(row: Registration, system: Actor) -> Account:
    organization = row.organization
    values = {
        "name": row.company,
        "email": row.email,
        "phone": row.phone,
        "address_line1": row.address_line1,
        "address_line2": row.address_line2,
        "postal_code": row.postal_code,
        "city": row.city,
        "state": row.region,
        "country": row.country,
        "tax_id": row.tax_id,
        "currency": organization.registration_currency or organization.currency,
    }
    account = create_account(system, kind=row.kind, values=values, bill_to=row.reseller, organization=organization)
    if row.kind == AccountKind.END_CUSTOMER:
        return account
    terms = {
        "payment_method": organization.registration_payment_method,
        "prorate_billing": organization.registration_prorate,
        "billing_day": organization.registration_billing_day,
    }
    return set_credit(system, account=account, values=terms)


def _person(row: Registration) -> dict[str, str]:
    return {"first_name": row.first_name, "last_name": row.last_name, "email": row.email, "phone": row.phone}


def _consents(system: Actor, row: Registration, account: Account, user: User) -> None:
    """Terms and privacy notice were accepted when he asked; written only now, so that a rejection leaves nothing."""
    for purpose in (ConsentPurpose.TERMS, ConsentPurpose.PRIVACY):
        record_consent(
            system,
            site=row.site,
            purpose=purpose,
            version=row.terms_version,
            is_given=True,
            user=user,
            account=account,
            at=row.submitted_at,
            ip=row.ip,
            browser=row.browser,
        )
