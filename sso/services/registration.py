"""Self-registration: asking, following the link, deciding, and what is erased (``channel.md`` 4.5).

No account, contact or user is there before a registration is approved. Whoever asks gets the same answer whether his
address is known or not; what differs goes to that address by mail alone.
"""

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.errors import BusinessError, NotVisible
from core.tenancy import Actor, system_actor
from resellers.enums import AccountKind
from resellers.models import Site, realm_of
from resellers.selectors import has_membership_at
from sso.enums import OPEN_STATES, REGISTRATION_MACHINE, RegistrationEvent, RegistrationState
from sso.models import Registration
from sso.selectors import may_register
from sso.services import registration_mail as mails
from sso.services.limits import is_too_many, network_of, too_many
from sso.services.people import confirm_address
from sso.services.registration_customer import make_customer
from sso.services.registration_ends import TEXTS, end_registration
from users.models import User

LINK_VALID = dt.timedelta(hours=72)
KEPT = dt.timedelta(days=30)
TRIES = 10
REQUIRED = ("company", "first_name", "last_name", "address_line1", "city", "country")


def needs_approval(site: Site, kind: str) -> bool:
    """Whether somebody decides; resellers always wait for one who does."""
    return site.registration_approval or kind == AccountKind.RESELLER


def submit_registration(
    actor: Actor, *, site: Site, values: Mapping[str, Any], password: str, browser: str, language: str
) -> bool:
    """Keep a stranger's wish to become a customer, and mail him; returns whether somebody will decide.

    ``values`` holds ``TEXTS``, ``email``, ``terms`` (accepted) and, at the organization's own site, ``is_reseller``.
    Raises NotVisible ``registration_closed``, BusinessError ``too_many`` (five an hour from one network), or one that
    names its field. A sixth request of one address within an hour is answered like the others and does nothing.
    """
    if not may_register(site):
        raise NotVisible("registration_closed", _("This shop takes no registrations."))
    if is_too_many("register-ip", network_of(actor.ip)):
        raise too_many()
    email = _checked(values)
    kind = _kind_at(site, wants_reselling=bool(values.get("is_reseller")))
    # Reckoned for known addresses too, so that the time of the answer tells nothing.
    hashed = make_password(password)
    if not is_too_many("register-address", f"{site.pk}:{email}"):
        _submit(actor, site, kind, dict(values) | {"email": email, "language": language}, hashed, browser)
    return needs_approval(site, kind)


def _checked(values: Mapping[str, Any]) -> str:
    email = str(values.get("email") or "").strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise BusinessError("email_invalid", _("Type a valid e-mail address."), field="email") from error
    for name in REQUIRED:
        if not str(values.get(name) or "").strip():
            raise BusinessError("field_missing", _("Fill in this field."), field=name)
    if not values.get("terms"):
        raise BusinessError("terms_missing", _("Accept the terms of use and the privacy notice."), field="terms")
    return email


def _kind_at(site: Site, *, wants_reselling: bool) -> str:
    if site.account_id is not None:
        return AccountKind.END_CUSTOMER
    return AccountKind.RESELLER if wants_reselling and site.reseller_registration else AccountKind.DIRECT


@transaction.atomic
def _submit(actor: Actor, site: Site, kind: str, values: dict[str, Any], hashed: str, browser: str) -> None:
    email, language = values["email"], values["language"]
    waiting = Registration.objects.filter(site=site, email=email, state=RegistrationState.PENDING)
    is_waiting = waiting.exists()
    if is_waiting or is_known(site, email):
        mails.mail_known(site, email=email, key=str(uuid.uuid4()), language=language, is_waiting=is_waiting)
        return
    approval = needs_approval(site, kind)
    now = clock.now()
    row = Registration(
        organization_id=site.organization_id,
        site=site,
        reseller_id=site.account_id,
        state=RegistrationState.PENDING if approval else RegistrationState.UNCONFIRMED,
        kind=kind,
        email=email,
        language=language,
        password_hash=hashed,
        terms_version=site.terms_version,
        ip=actor.ip,
        browser=browser[:255],
        submitted_at=now,
        expires_at=now + KEPT,
        **{name: str(values.get(name) or "").strip() for name in TEXTS},
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        # The same person asked twice at once; the other request is in and its mail is on its way.
        return
    if approval:
        mails.mail_received(row)
        mails.mail_deciders(row)
    else:
        send_link(row)


def is_known(site: Site, email: str) -> bool:
    """Whether this address has access at the site already, or had it switched off."""
    organization = site.organization
    realms = {realm_of(site, organization), organization.public_id}
    users = User.objects.filter(email=email.lower(), realm__in=realms)
    return any(has_membership_at(user, site) or (not user.is_active and _is_local(user, site)) for user in users)


def _is_local(user: User, site: Site) -> bool:
    return bool(user.realm == realm_of(site, site.organization))


def send_link(row: Registration) -> None:
    """Give the registration a fresh link and mail it; the former one ends."""
    token = secrets.token_urlsafe(32)
    row.token_hash, row.token_ends_at = _digest(token), clock.now() + LINK_VALID
    Registration.objects.filter(pk=row.pk).update(token_hash=row.token_hash, token_ends_at=row.token_ends_at)
    mails.mail_link(row, token)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def open_registration(token: str, site: Site | None) -> Registration | None:
    """The registration behind an activation link that still works at this site, or None."""
    if not token or site is None:
        return None
    rows = Registration.objects.filter(site=site, activated_at=None).select_related("organization")
    rows = rows.filter(state__in=(RegistrationState.UNCONFIRMED, RegistrationState.APPROVED))
    return rows.filter(token_hash=_digest(token), token_ends_at__gt=clock.now()).first()


def confirm_registration(actor: Actor, *, site: Site, token: str, password: str) -> Registration:
    """Follow the link of the activation mail with the password that was chosen; the link then has been used.

    The password keeps out whoever registered somebody else's address, and whoever got hold of the mail. Without
    approval the customer is made now; where a decision is needed meanwhile, the registration goes on to Pending.
    Raises NotVisible ``link_ended``, BusinessError ``password_wrong`` or, after ten tries an hour, ``too_many``.
    """
    found = open_registration(token, site)
    if found is None:
        raise link_ended()
    if is_too_many("register-confirm", _digest(token), limit=TRIES):
        raise too_many()
    if not check_password(password, found.password_hash):
        words = _("This is not the password that was chosen when registering. Register again if you forgot it.")
        raise BusinessError("password_wrong", words, field="password")
    return _confirm(actor, found, token)


def link_ended() -> NotVisible:
    """The refusal of a link that was used, is too old, or belongs to another site."""
    return NotVisible("link_ended", _("This link has ended."))


@transaction.atomic
def _confirm(actor: Actor, found: Registration, token: str) -> Registration:
    rows = Registration.objects.select_for_update(of=("self",)).select_related("organization", "site", "reseller")
    row = rows.get(pk=found.pk)
    if row.token_hash != _digest(token) or row.activated_at is not None:
        raise link_ended()
    if row.state == RegistrationState.UNCONFIRMED:
        if is_known(row.site, row.email) or not may_register(row.site):
            raise link_ended()
        if needs_approval(row.site, row.kind):
            _ask(row)
            return row
        label = f"{row.person} ({row.email})"
        make_customer(actor, row, label=label)
    _activate(actor, row)
    return row


def _ask(row: Registration) -> None:
    try:
        with transaction.atomic():
            REGISTRATION_MACHINE.fire(row, RegistrationEvent.SUBMIT, token_hash="", token_ends_at=None)
    except IntegrityError as error:
        raise link_ended() from error
    mails.mail_deciders(row)


def _activate(actor: Actor, row: Registration) -> None:
    """The chosen password becomes the user's, who has shown that he reads the address."""
    user = User.objects.select_for_update(of=("self",)).get(pk=row.user_id or 0)
    if not user.has_usable_password():
        user.password = row.password_hash
        user.save(update_fields=["password"])
    confirm_address(user)
    now = clock.now()
    done = {"activated_at": now, "password_hash": "", "token_hash": "", "token_ends_at": None}
    Registration.objects.filter(pk=row.pk).update(**done)
    row.activated_at = now
    system = system_actor(row.organization_id, label=user.email)
    audit.record(system, "registration.activated", row, after={"email": user.email}, account=row.account)
    others = Registration.objects.filter(site=row.site, email=row.email, state__in=OPEN_STATES).exclude(pk=row.pk)
    for other in others.select_for_update(of=("self",)).order_by("pk"):
        end_registration(other, RegistrationEvent.EXPIRE)
