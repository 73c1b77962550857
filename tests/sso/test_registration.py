"""Self-registration: with and without approval, at a reseller's site and at the distributor's; and what it leaves."""

import datetime as dt

import pytest

from core import clock
from core.audit import AuditEntry
from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from core.events import Event, EventState
from notifications.models import MailState, OutgoingMail
from notifications.services import events
from resellers.enums import AccountKind, Edition
from resellers.models import Account, Contact, Membership, Site
from resellers.selectors import actor_for
from resellers.services import sites
from sso.enums import RegistrationState
from sso.models import ConsentEntry, Registration
from sso.services.registration_decide import approve_registration, reject_registration, set_registration
from sso.services.registration_ends import end_overdue
from tests import factories
from tests.sso import registering as kit
from users.models import User
from users.permissions import StaffRole, StorefrontRole

pytestmark = pytest.mark.django_db
EMAIL = "fay@fir.test"


def nobody_was_made(organization) -> bool:
    accounts = Account.objects.filter(organization=organization).exclude(kind=AccountKind.RESELLER)
    return not (accounts.exists() or User.objects.filter(email=EMAIL).exists() or Contact.objects.filter(email=EMAIL))


def decider(reseller, roles=(StorefrontRole.ADMIN.value,)):
    return factories.actor(reseller.organization, of=reseller, roles=list(roles))


def test_without_approval_the_link_and_the_password_make_the_customer():
    reseller, site = kit.reseller_with_site(registration_approval=False)
    client = kit.browser(site)
    sent = kit.register(site, client=client)
    assert sent["Location"] == "/cedar/accounts/register/sent/"
    assert "Check your inbox" in client.get(sent["Location"]).content.decode()
    assert nobody_was_made(reseller.organization)
    assert kit.templates() == [("registration_confirm", EMAIL)]
    mail = OutgoingMail.objects.get()
    assert (mail.site, mail.is_secret) == (site, True)
    assert reseller.organization.name not in mail.text + mail.html + mail.subject
    path = kit.link_to(EMAIL)
    assert path.startswith("/cedar/accounts/register/")
    assert client.get(path).status_code == 302
    assert nobody_was_made(reseller.organization)
    assert kit.follow(site, path, client=client)["Location"] == "/cedar/accounts/login/"
    account = Account.objects.get(bill_to=reseller)
    assert (account.kind, account.name, account.country, account.tax_id) == (
        AccountKind.END_CUSTOMER,
        "Fir Foods",
        "GR",
        "EL123456789",
    )
    user = User.objects.get(email=EMAIL)
    assert user.realm == site.public_id
    assert Membership.objects.get(user=user).roles == [StorefrontRole.ADMIN.value]
    contact = Contact.objects.get(account=account)
    assert (contact.email, contact.is_primary, contact.user) == (EMAIL, True, user)
    done = client.post("/cedar/accounts/login/", {"login": EMAIL, "password": kit.PASSWORD})
    assert done["Location"] == "/cedar/"
    assert client.get("/cedar/services/").status_code == 200


def test_consent_is_written_with_the_moment_and_the_address_of_asking():
    _reseller, site = kit.reseller_with_site(registration_approval=False)
    kit.register(site)
    assert ConsentEntry.objects.count() == 0
    asked = Registration.objects.get().submitted_at
    kit.follow(site, kit.link_to(EMAIL))
    rows = ConsentEntry.objects.order_by("purpose").values_list("purpose", "is_given", "ip", "at", "version")
    assert list(rows) == [("privacy", True, "10.0.0.1", asked, 1), ("terms", True, "10.0.0.1", asked, 1)]


def test_with_approval_the_reseller_decides_and_the_link_activates():
    reseller, site = kit.reseller_with_site()
    admin = factories.user(reseller.organization, of=reseller)
    manager = factories.user(reseller.organization, of=reseller, roles=[StorefrontRole.STOREFRONT_MANAGER.value])
    factories.user(reseller.organization, of=reseller, roles=[StorefrontRole.BUYER.value])
    client = kit.browser(site)
    sent = kit.register(site, client=client)
    assert "Request submitted" in client.get(sent["Location"]).content.decode()
    told = sorted(recipient for template, recipient in kit.templates() if template == "registration_pending")
    assert told == sorted([admin.email, manager.email])
    row = Registration.objects.get()
    assert f"/cedar/registrations/{row.public_id}/" in OutgoingMail.objects.filter(recipient=admin.email).get().text
    assert nobody_was_made(reseller.organization)
    client = kit.browser(site)
    client.post("/cedar/accounts/login/", {"login": admin.email, "password": factories.PASSWORD})
    assert "Fir Foods" in client.get("/cedar/registrations/").content.decode()
    assert "Fay Fir" in client.get(f"/cedar/registrations/{row.public_id}/").content.decode()
    page = client.get(f"/cedar/registrations/{row.public_id}/approve/").content.decode()
    assert "becomes: End customer" in page
    assert client.post(f"/cedar/registrations/{row.public_id}/approve/").status_code == 302
    user = User.objects.get(email=EMAIL)
    assert not user.has_usable_password()
    assert kit.templates()[-1] == ("registration_approved", EMAIL)
    stranger = kit.browser(site)
    refused = stranger.post("/cedar/accounts/login/", {"login": EMAIL, "password": kit.PASSWORD})
    assert refused.status_code == 200
    assert kit.follow(site, kit.link_to(EMAIL), client=stranger)["Location"] == "/cedar/accounts/login/"
    done = stranger.post("/cedar/accounts/login/", {"login": EMAIL, "password": kit.PASSWORD})
    assert done["Location"] == "/cedar/"
    row.refresh_from_db()
    assert (row.state, row.password_hash, row.token_hash) == (RegistrationState.APPROVED, "", "")
    assert AuditEntry.objects.filter(action="registration.approved", actor_user=admin).count() == 1


def test_rejected_registration_leaves_no_account_contact_user_and_no_data():
    reseller, site = kit.reseller_with_site()
    admin = decider(reseller)
    kit.register(site)
    row = Registration.objects.get()
    reject_registration(admin, registration=row)
    assert nobody_was_made(reseller.organization)
    row.refresh_from_db()
    held = [str(value) for name, value in vars(row).items() if name[0] != "_"]
    for word in ("Fir", "Fay", EMAIL, "Stadiou", "EL123456789", "10.0.0.1", "210 1234567"):
        assert not any(word in value for value in held), word
    assert (row.state, row.decided_by) == (RegistrationState.REJECTED, admin.label)
    assert kit.templates() == [("registration_rejected", EMAIL)]
    assert not AuditEntry.objects.filter(object_label__contains="Fir").exists()
    OutgoingMail.objects.update(state=MailState.SENT)
    end_overdue()
    assert not OutgoingMail.objects.filter(recipient=EMAIL).exists()
    with pytest.raises(Conflict, match="Already decided by"):
        approve_registration(admin, registration=row)
    assert nobody_was_made(reseller.organization)
    assert kit.register(site).status_code == 302
    assert Registration.objects.filter(state=RegistrationState.PENDING).count() == 1


def test_second_decider_reads_who_decided_and_one_account_is_made():
    reseller, site = kit.reseller_with_site()
    first, second = decider(reseller), decider(reseller)
    kit.register(site)
    row = Registration.objects.get()
    approve_registration(first, registration=row)
    for decide in (approve_registration, reject_registration):
        with pytest.raises(Conflict, match=f"Already decided by {first.label}"):
            decide(second, registration=row)
    assert Account.objects.filter(bill_to=reseller).count() == 1


def test_who_may_decide():
    reseller, site = kit.reseller_with_site()
    other, _site = kit.reseller_with_site("birch", organization=reseller.organization)
    kit.register(site)
    row = Registration.objects.get()
    customer = factories.account(reseller.organization, AccountKind.END_CUSTOMER, bill_to=reseller)
    strangers = [decider(other), factories.actor(reseller.organization), factories.actor(customer.organization)]
    for actor in strangers:
        with pytest.raises(NotVisible):
            approve_registration(actor, registration=row)
    for roles in ([StorefrontRole.BUYER.value], [StorefrontRole.BILLING_AGENT.value]):
        with pytest.raises(PermissionRefused):
            approve_registration(decider(reseller, roles), registration=row)
    with pytest.raises((NotVisible, PermissionRefused)):
        approve_registration(decider(customer), registration=row)
    Account.objects.filter(pk=reseller.pk).update(edition=Edition.FREE)
    reseller.refresh_from_db()
    with pytest.raises(PermissionRefused):
        approve_registration(decider(reseller), registration=row)
    row.refresh_from_db()
    assert row.state == RegistrationState.PENDING


@pytest.mark.parametrize("change", [{"self_registration": False}, {"status": "suspended"}])
def test_no_registration_where_it_is_off(change):
    _reseller, site = kit.reseller_with_site(**change)
    assert kit.browser(site).get("/cedar/accounts/register/").status_code in (404, 503)
    assert kit.register(site).status_code in (404, 503)
    assert Registration.objects.count() == 0


def test_free_edition_has_none_and_the_distributor_needs_anonymous_access():
    _reseller, site = kit.reseller_with_site(edition=Edition.FREE)
    assert kit.register(site).status_code == 404
    closed = kit.own_site(anonymous_access=False)
    assert kit.register(closed).status_code == 404
    page = kit.browser(closed).get("/accounts/login/").content.decode()
    assert "accounts/register" not in page


def test_links_to_the_form():
    _reseller, site = kit.reseller_with_site(anonymous_access=True)
    client = kit.browser(site)
    assert 'href="/cedar/accounts/register/"' in client.get("/cedar/accounts/login/").content.decode()
    assert 'href="/cedar/accounts/register/"' in client.get("/cedar/").content.decode()


def test_distributors_direct_customer_starts_with_the_defaults():
    site = kit.own_site(registration_approval=False)
    staff = factories.actor(site.organization)
    values = {
        "self_registration": True,
        "registration_approval": False,
        "registration_payment_method": "bank_transfer",
        "registration_prorate": True,
        "registration_billing_day": 15,
        "registration_currency": "USD",
    }
    set_registration(staff, site=site, values=values)
    kit.register(site)
    kit.follow(site, kit.link_to(EMAIL))
    account = Account.objects.get(name="Fir Foods")
    assert (account.kind, account.bill_to, account.currency, account.payment_method) == (
        AccountKind.DIRECT,
        None,
        "USD",
        "bank_transfer",
    )
    assert (account.prorate_billing, account.billing_day, account.credit_limit) == (True, 15, 0)


def test_reseller_waits_even_without_approval_and_needs_a_price_list():
    site = kit.own_site(registration_approval=False, reseller_registration=True)
    staff = factories.actor(site.organization, roles=[StaffRole.SALES.value])
    kit.register(site, reselling="yes")
    row = Registration.objects.get()
    assert (row.state, row.kind) == (RegistrationState.PENDING, AccountKind.RESELLER)
    with pytest.raises(BusinessError, match="needs a price list"):
        approve_registration(staff, registration=row)
    price_list = factories.price_list(site.organization)
    account = approve_registration(staff, registration=row, price_list=price_list)
    assert (account.kind, account.edition) == (AccountKind.RESELLER, Edition.BASIC)
    assert account.price_list_assignment.price_list == price_list
    with pytest.raises(PermissionRefused):
        approve_registration(factories.actor(site.organization, roles=[StaffRole.SUPPORT.value]), registration=row)


def test_posted_wish_to_resell_is_dropped_where_it_is_not_allowed():
    site = kit.own_site()
    kit.register(site, reselling="yes")
    assert Registration.objects.get().kind == AccountKind.DIRECT


def test_settings_of_a_site_and_who_may_change_them():
    reseller, site = kit.reseller_with_site(self_registration=False)
    manager = decider(reseller, [StorefrontRole.STOREFRONT_MANAGER.value])
    row = set_registration(manager, site=site, values={"self_registration": True, "registration_approval": False})
    assert (row.self_registration, row.registration_approval, row.reseller_registration) == (True, False, False)
    other, _site = kit.reseller_with_site("birch", organization=reseller.organization)
    for actor in (decider(other), factories.actor(reseller.organization)):
        with pytest.raises(NotVisible):
            set_registration(actor, site=site, values={})
    own = kit.own_site(anonymous_access=False, self_registration=False)
    with pytest.raises(BusinessError, match="anonymous access"):
        set_registration(factories.actor(own.organization), site=own, values={"self_registration": True})
    assert Site.objects.get(pk=site.pk).self_registration


def test_unanswered_ones_are_erased_after_30_days():
    reseller, site = kit.reseller_with_site()
    kit.register(site)
    clock.advance(dt.timedelta(days=29))
    assert end_overdue() == 0
    clock.advance(dt.timedelta(days=1, minutes=1))
    assert end_overdue() == 1
    row = Registration.objects.get()
    assert (row.state, row.email, row.company) == (RegistrationState.EXPIRED, "", "")
    assert kit.templates() == [("registration_expired", EMAIL)]
    assert nobody_was_made(reseller.organization)


def test_end_of_the_plan_erases_what_is_open_with_a_mail():
    reseller, site = kit.reseller_with_site()
    kit.register(site)
    sites.close_plan(reseller.pk, plan_id=site.plan_id)
    for event in Event.objects.filter(state=EventState.PENDING).order_by("id"):
        events.process_event(event.pk)
    row = Registration.objects.get()
    assert (row.state, row.email) == (RegistrationState.EXPIRED, "")
    assert [pair for pair in kit.templates() if pair[1] == EMAIL] == [("registration_closed", EMAIL)]
    assert end_overdue() == 0


def test_link_when_approval_was_switched_on_meanwhile_asks_for_a_decision():
    reseller, site = kit.reseller_with_site(registration_approval=False)
    kit.register(site)
    Site.objects.filter(pk=site.pk).update(registration_approval=True)
    answer = kit.follow(site, kit.link_to(EMAIL))
    assert answer["Location"] == "/cedar/accounts/register/sent/"
    assert Registration.objects.get().state == RegistrationState.PENDING
    assert nobody_was_made(reseller.organization)


@pytest.mark.parametrize(
    ("field", "value"),
    [("company", ""), ("terms", ""), ("privacy", ""), ("email", "nope"), ("password2", "other"), ("country", "")],
)
def test_form_says_what_is_missing(field, value):
    _reseller, site = kit.reseller_with_site()
    page = kit.register(site, **{"email": EMAIL, field: value} if field != "email" else {"email": value})
    assert page.status_code == 400
    assert field in page.context["form"].errors
    assert Registration.objects.count() == 0


def test_new_admin_is_a_customer_at_this_site_alone():
    _reseller, site = kit.reseller_with_site(registration_approval=False)
    kit.register(site)
    kit.follow(site, kit.link_to(EMAIL))
    user = User.objects.get(email=EMAIL)
    assert actor_for(user, site, as_staff=False).account_id is not None
    assert actor_for(user, factories.site_of(site.organization), as_staff=False).is_anonymous
