"""Attacks on self-registration: who is known, floods, foreign links and requests, links used twice, races."""

import threading

import pytest
from django.db import connections

from core.errors import Conflict
from notifications.models import OutgoingMail
from resellers.enums import AccountKind
from resellers.models import Account, Membership, Site
from sso.enums import RegistrationState
from sso.models import Registration
from sso.services.registration import confirm_registration
from sso.services.registration_decide import approve_registration, reject_registration
from tests import factories
from tests.sso import registering as kit
from users.models import User

EMAIL = "fay@fir.test"


def answer_to(site: Site, email: str, ip: str) -> tuple[int, str, str]:
    """Everything a stranger sees: status, where to, and the page there without his own words."""
    client = kit.browser(site, ip)
    sent = kit.register(site, email, client=client)
    page = client.get(sent["Location"])
    return sent.status_code, sent["Location"], page.content.decode().replace(email, "-")


@pytest.mark.django_db
@pytest.mark.parametrize("approval", [True, False])
def test_answer_does_not_tell_whether_an_address_is_known(approval):
    reseller, site = kit.reseller_with_site(registration_approval=approval)
    customer = factories.account(reseller.organization, AccountKind.END_CUSTOMER, bill_to=reseller)
    known = factories.user(reseller.organization, of=customer).email
    seller = factories.user(reseller.organization, of=reseller).email
    found = [answer_to(site, email, f"10.0.0.{n}") for n, email in enumerate((known, seller, "new@fir.test"), 1)]
    assert [row[:2] for row in found] == [found[0][:2]] * 3
    assert len({len(row[2]) for row in found}) == 1
    assert list(Registration.objects.values_list("email", flat=True)) == ["new@fir.test"]
    told = {(row.template, row.recipient) for row in OutgoingMail.objects.exclude(template="registration_pending")}
    assert {("registration_known", known), ("registration_known", seller)} <= told
    assert len([row for row in told if row[1] == known]) == 1


@pytest.mark.django_db
def test_one_network_asks_five_times_an_hour():
    _reseller, site = kit.reseller_with_site()
    answers = [kit.register(site, f"fay{n}@fir.test").status_code for n in range(7)]
    assert answers == [302] * 5 + [429] * 2
    assert Registration.objects.count() == 5
    assert kit.register(site, "other@fir.test", client=kit.browser(site, "10.0.0.2")).status_code == 302


@pytest.mark.django_db
def test_one_network_of_ipv6_is_one_asker():
    _reseller, site = kit.reseller_with_site()
    for n in range(6):
        last = kit.register(site, f"fay{n}@fir.test", client=kit.browser(site, f"2001:db8::{n + 1}"))
    assert last.status_code == 429


@pytest.mark.django_db
def test_one_address_gets_five_mails_an_hour_and_the_answer_stays_the_same():
    _reseller, site = kit.reseller_with_site(registration_approval=False)
    for n in range(8):
        client = kit.browser(site, f"10.0.1.{n}")
        assert kit.register(site, EMAIL, client=client)["Location"] == "/cedar/accounts/register/sent/"
    assert OutgoingMail.objects.filter(recipient=EMAIL).count() == 5


@pytest.mark.django_db
def test_waiting_request_is_not_doubled_or_changed_by_another():
    _reseller, site = kit.reseller_with_site()
    kit.register(site)
    kit.register(site, EMAIL.upper(), company="Evil Corp", client=kit.browser(site, "10.0.0.9"))
    assert Registration.objects.get().company == "Fir Foods"
    assert kit.templates()[-1] == ("registration_known", EMAIL)


@pytest.mark.django_db
def test_another_sites_link_and_requests_are_not_there():
    reseller, site = kit.reseller_with_site(registration_approval=False)
    other, foreign = kit.reseller_with_site("birch", organization=reseller.organization)
    kit.register(site)
    path = kit.link_to(EMAIL)
    assert kit.browser(foreign).get(path.replace("/cedar/", "/birch/")).status_code == 410
    assert kit.browser(foreign).get(path.replace("/cedar/", "/")).status_code == 410
    assert Account.objects.filter(kind=AccountKind.END_CUSTOMER).count() == 0
    Site.objects.filter(pk=site.pk).update(registration_approval=True)
    kit.register(site, "two@fir.test")
    row = Registration.objects.get(state=RegistrationState.PENDING)
    client = kit.browser(foreign)
    admin = factories.user(other.organization, of=other)
    client.post("/birch/accounts/login/", {"login": admin.email, "password": factories.PASSWORD})
    assert client.get("/birch/registrations/").status_code == 200
    assert "Foods" not in client.get("/birch/registrations/?format=csv").getvalue().decode()
    for deed in ("", "approve/", "reject/"):
        assert client.get(f"/birch/registrations/{row.public_id}/{deed}").status_code == 404
    for deed in ("approve/", "reject/"):
        assert client.post(f"/birch/registrations/{row.public_id}/{deed}").status_code == 404
    row.refresh_from_db()
    assert row.state == RegistrationState.PENDING


@pytest.mark.django_db
def test_link_works_once_and_looking_at_it_does_nothing():
    _reseller, site = kit.reseller_with_site(registration_approval=False)
    kit.register(site)
    path = kit.link_to(EMAIL)
    for _look in range(3):
        assert kit.browser(site).get(path).status_code == 302
    assert not User.objects.filter(email=EMAIL).exists()
    assert kit.follow(site, path).status_code == 302
    assert kit.follow(site, path).status_code == 410
    assert Account.objects.filter(name="Fir Foods").count() == 1


@pytest.mark.django_db
def test_link_without_the_password_is_worth_nothing():
    _reseller, site = kit.reseller_with_site(registration_approval=False)
    kit.register(site, password1="the-attackers-own-word", password2="the-attackers-own-word")
    path = kit.link_to(EMAIL)
    client = kit.browser(site)
    for _try in range(11):
        assert kit.follow(site, path, "a-guess-that-is-wrong", client=client).status_code == 400
    assert kit.follow(site, path, "the-attackers-own-word", client=client).status_code == 400
    assert not User.objects.filter(email=EMAIL).exists()


@pytest.mark.django_db
def test_first_of_several_links_ends_the_others():
    _reseller, site = kit.reseller_with_site(registration_approval=False)
    kit.register(site)
    first = kit.link_to(EMAIL)
    kit.register(site, company="Other Foods", client=kit.browser(site, "10.0.0.2"))
    second = kit.link_to(EMAIL)
    assert first != second
    assert kit.follow(site, second).status_code == 302
    assert kit.follow(site, first).status_code == 410
    assert list(Account.objects.filter(name__endswith="Foods").values_list("name", flat=True)) == ["Other Foods"]


def at_once(*deeds) -> list[object]:
    """What each deed gave or raised, all begun together."""
    start, found = threading.Barrier(len(deeds)), [None] * len(deeds)

    def run(n, deed) -> None:
        try:
            start.wait()
            found[n] = deed()
        except Exception as error:
            found[n] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.django_db(transaction=True)
def test_two_who_approve_at_once_make_one_account():
    reseller, site = kit.reseller_with_site()
    kit.register(site)
    row = Registration.objects.get()
    actors = [factories.actor(reseller.organization, of=reseller) for _n in range(2)]
    found = at_once(*(lambda actor=actor: approve_registration(actor, registration=row) for actor in actors))
    assert {type(item) for item in found} == {Account, Conflict}
    (refused,) = [item for item in found if isinstance(item, Conflict)]
    assert "Already decided by" in str(refused)
    assert Account.objects.filter(bill_to=reseller).count() == 1
    assert Membership.objects.filter(user__email=EMAIL).count() == 1


@pytest.mark.django_db(transaction=True)
def test_approving_and_rejecting_at_once_does_one_of_them():
    reseller, site = kit.reseller_with_site()
    kit.register(site)
    row = Registration.objects.get()
    actors = [factories.actor(reseller.organization, of=reseller) for _n in range(2)]
    found = at_once(
        lambda: approve_registration(actors[0], registration=row),
        lambda: reject_registration(actors[1], registration=row),
    )
    assert len([item for item in found if isinstance(item, Conflict)]) == 1
    row.refresh_from_db()
    made = row.state == RegistrationState.APPROVED
    assert Account.objects.filter(bill_to=reseller).count() == int(made)
    assert (row.email == "") != made


@pytest.mark.django_db(transaction=True)
def test_link_followed_twice_at_once_makes_one_account():
    reseller, site = kit.reseller_with_site(registration_approval=False)
    kit.register(site)
    token = kit.link_to(EMAIL).rstrip("/").rpartition("/")[2]
    actor = factories.actor(reseller.organization, of=reseller)

    def deed():
        return confirm_registration(actor, site=site, token=token, password=kit.PASSWORD)

    found = at_once(deed, deed)
    assert len([item for item in found if isinstance(item, Registration)]) == 1
    assert Account.objects.filter(bill_to=reseller).count() == 1
