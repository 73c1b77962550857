"""The data of a Professional reseller 90 days after his organization was marked as deleted (``channel.md`` 5.1).

What is about people and what lets somebody in or pays a vendor goes: users, contacts, company data, baskets, mails,
mail accounts, secrets, keys, programs. Orders, services, charges, consents and the audit log stay as the documents they
are, with the accounts' numbers in place of their names. The distributor's managed copies are his own records and stay.
"""

import uuid
from typing import Any

from django.db import transaction

from clients.models import ApiClient, ApiToken
from core import audit, clock
from core.custom_fields import CustomValues, Entity
from core.tenancy import system_actor
from notifications.models import ERASED, MailState, OutgoingMail
from orders.models import Basket
from resellers.enums import SITE_MACHINE, SiteEvent
from resellers.models import Account, Contact, Invitation, Organization, Site
from resellers.services.accounts import COMPANY_FIELDS, KEY_FIELDS, STAFF_FIELDS
from resellers.services.site_end import erase_site
from resellers.services.sites import KEPT_FOR
from tenants.enums import TenantStatus
from tenants.models import ProfessionalTenant
from users.models import User, username_for
from vendors.inherited import BACK_ORDERING
from vendors.models import Certificate, Instance, InstanceSecret

# Documents name an account's country, and its number in the accounts stays what it was.
KEPT_FIELDS = ("name", "country", "accounting_number")


def erase_due() -> int:
    """Erase every organization whose 90 days are over; each in its own transaction. Returns how many were."""
    rows = ProfessionalTenant.objects.filter(
        status=TenantStatus.DELETED, erased_at=None, deleted_at__lte=clock.now() - KEPT_FOR
    )
    return sum(erase_tenant(key) for key in list(rows.order_by("pk").values_list("pk", flat=True)))


@transaction.atomic
def erase_tenant(key: int) -> bool:
    """Erase one organization's data, once; returns whether there was anything to do."""
    rows = ProfessionalTenant.objects.select_for_update(of=("self",)).select_related("own", "account")
    row = rows.filter(pk=key, status=TenantStatus.DELETED, erased_at=None).first()
    if row is None:
        return False
    if row.own is not None:
        _forget_secrets(row.own)
        _forget_people(row.own)
        for site in Site.objects.select_for_update(of=("self",)).filter(organization=row.own):
            if SITE_MACHINE.allows(site.status, SiteEvent.DELETE):
                erase_site(site)
    row.admin_email, row.admin_first_name, row.admin_last_name, row.note = "", "-", "-", ""
    row.erased_at = clock.now()
    row.save(update_fields=["admin_email", "admin_first_name", "admin_last_name", "note", "erased_at", "updated_at"])
    audit.record(system_actor(row.organization_id), "professional.erased", row, account=row.account)
    return True


def _forget_secrets(own: Organization) -> None:
    """Nothing of his can be done in his name any more, here or at a vendor."""
    InstanceSecret.objects.filter(organization=own).delete()
    Instance.objects.filter(organization=own).exclude(application__code=BACK_ORDERING).update(settings_cipher="")
    Certificate.objects.filter(organization=own).update(key_cipher="")
    ApiToken.objects.filter(organization=own).delete()
    ApiClient.objects.filter(organization=own).update(email="", revoked_at=clock.now())
    Invitation.objects.filter(organization=own).update(expires_at=clock.now())


def _forget_people(own: Organization) -> None:
    """Users, contacts, companies, and what was written to them."""
    Basket.objects.filter(organization=own).delete()
    Contact.objects.filter(organization=own).update(
        first_name="-", last_name="-", email="", phone="", job_title="", user=None
    )
    every = (*COMPANY_FIELDS, *STAFF_FIELDS, *KEY_FIELDS)
    blank: dict[str, Any] = {name: "" for name in every if name not in KEPT_FIELDS}
    for account in Account.objects.filter(organization=own).order_by("pk"):
        Account.objects.filter(pk=account.pk).update(**blank, name=f"#{account.pk}", account_manager=None)
    people = (Entity.ACCOUNT, Entity.CONTACT, Entity.ORDER, Entity.LINE)
    CustomValues.objects.filter(organization=own, entity__in=people).delete()
    mails = OutgoingMail.objects.filter(organization=own)
    mails.exclude(state=MailState.SENT).update(state=MailState.FAILED)
    mails.update(recipient="erased@localhost.invalid", subject="-", text=str(ERASED), html="")
    for user in User.objects.filter(realm=own.public_id).order_by("pk"):
        email = f"{uuid.uuid4().hex}@erased.invalid"
        user.email, user.username = email, username_for(user.realm, email)
        user.first_name = user.last_name = ""
        user.is_active = False
        user.set_unusable_password()
        user.save()
