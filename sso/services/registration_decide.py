"""Deciding registrations, and what a site asks of those who register (``channel.md`` 4.5)."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.models import PriceList
from catalog.services.price_lists import assign_price_list
from core import audit
from core.errors import BusinessError, Conflict, NotVisible
from core.tenancy import Actor
from resellers.editions import Capability, require_capability
from resellers.enums import AccountKind
from resellers.models import Account, Organization, Site
from sso.enums import RegistrationEvent, RegistrationState
from sso.models import Registration
from sso.services.registration import is_known, send_link
from sso.services.registration_customer import make_customer
from sso.services.registration_ends import end_registration
from users.permissions import Perm

SITE_FIELDS = ("self_registration", "registration_approval")
DEFAULTS = (
    "registration_payment_method",
    "registration_prorate",
    "registration_billing_day",
    "registration_currency",
)


@transaction.atomic
def approve_registration(actor: Actor, *, registration: Registration, price_list: PriceList | None = None) -> Account:
    """Make the customer and mail him his activation link; doing it twice makes one account.

    A reseller needs a price list, a direct customer may get one. Raises Conflict ``registration_decided``
    ("Already decided by ...") or ``registration_known``, BusinessError ``price_list_missing``.
    """
    row = _locked(actor, registration)
    if row.kind == AccountKind.RESELLER and price_list is None:
        raise BusinessError("price_list_missing", _("A reseller needs a price list."), field="price_list")
    if is_known(row.site, row.email):
        words = _("Somebody with this e-mail address has access already. Reject the registration.")
        raise Conflict("registration_known", words)
    account = make_customer(actor, row, label=actor.label)
    if price_list is not None:
        assign_price_list(actor, account=account, price_list=price_list)
    send_link(row)
    return account


@transaction.atomic
def reject_registration(actor: Actor, *, registration: Registration) -> None:
    """Say no: the applicant is told, and everything about him is erased. Raises Conflict ``registration_decided``."""
    row = _locked(actor, registration)
    end_registration(row, RegistrationEvent.REJECT, decided_by=actor.label, mail="registration_rejected")
    audit.record(actor, "registration.rejected", row, account=row.reseller)


def _locked(actor: Actor, registration: Registration) -> Registration:
    """The row, if it is the actor's to decide and still waits; of two who decide at once the second is told."""
    rows = Registration.objects.visible_to(actor).select_for_update(of=("self",))
    row = rows.select_related("organization", "site", "reseller").filter(pk=registration.pk).first()
    if row is None or (row.reseller_id is None) != actor.is_staff:
        raise NotVisible("registration_missing", _("This registration does not exist."))
    actor.require(Perm.ACCOUNT_EDIT if actor.is_staff else Perm.SHOP_REGISTRATIONS, row.reseller)
    if row.state == RegistrationState.PENDING:
        return row
    if row.decided_by:
        words = _("Already decided by %(name)s.") % {"name": row.decided_by}
        raise Conflict("registration_decided", words)
    raise Conflict("registration_ended", _("There is nothing to decide: this registration does not wait."))


@transaction.atomic
def set_registration(actor: Actor, *, site: Site, values: Mapping[str, Any]) -> Site:
    """Switch self-registration and its approval; at the organization's own site also resellers and the defaults.

    Raises BusinessError ``anonymous_needed`` for the organization's own site without anonymous access,
    PermissionRefused ``edition_required`` for a reseller whose plan has no self-registration.
    """
    row = Site.objects.visible_to(actor) if actor.is_staff else Site.objects.filter(account_id=actor.account_id or 0)
    found = row.select_for_update(of=("self",)).select_related("organization", "account").filter(pk=site.pk).first()
    if found is None or (found.account_id is None) != actor.is_staff:
        raise NotVisible("site_missing", _("This storefront does not exist."))
    if found.account is None:
        actor.require(Perm.SYSTEM_OPTIONS)
        _set_organization(found, values)
    else:
        actor.require(Perm.SHOP_SITE_MANAGE, found.account)
        require_capability(found.account, Capability.SELF_REGISTRATION)
    before = {name: getattr(found, name) for name in (*SITE_FIELDS, "reseller_registration")}
    for name in SITE_FIELDS:
        setattr(found, name, bool(values.get(name)))
    found.save(update_fields=[*before, "updated_at"])
    after = {name: getattr(found, name) for name in before}
    audit.record(actor, "registration.settings", found, before=before, after=after, account=found.account)
    return found


def _set_organization(site: Site, values: Mapping[str, Any]) -> None:
    if values.get("self_registration") and not site.anonymous_access:
        words = _("Switch on anonymous access first: who registers must see the shop.")
        raise BusinessError("anonymous_needed", words, field="self_registration")
    site.reseller_registration = bool(values.get("reseller_registration"))
    organization: Organization = site.organization
    for name in DEFAULTS:
        if name in values:
            setattr(organization, name, values[name])
    organization.save(update_fields=[*DEFAULTS, "updated_at"])
