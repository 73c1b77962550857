"""Storefronts by host and by alias: which site answers, whose cookies count, and what a closed one says."""

import datetime as dt
import uuid

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from core import clock
from core.errors import BusinessError, Conflict
from core.events import Event
from notifications.models import OutgoingMail
from resellers.enums import AccountKind, AliasState, Edition, SiteStatus
from resellers.models import Account, Site, StorefrontAlias
from resellers.routing import route, site_address, site_for_alias, site_for_host, site_of_reseller
from resellers.services import sites
from tests import factories

pytestmark = pytest.mark.django_db
PASSWORD = factories.PASSWORD


@pytest.fixture
def reseller():
    return factories.account(factories.organization(), AccountKind.RESELLER, name="Cedar Cloud")


def plan(account, alias="cedar", edition=Edition.STANDARD) -> Site:
    sites.prepare_site(account.pk, alias)
    return sites.open_plan(
        account.pk, plan_id=uuid.uuid4(), edition=edition, ends_at=clock.now() + dt.timedelta(days=30)
    )


def host_of(account) -> str:
    return factories.site_of(account.organization).host


def browser(account) -> Client:
    return Client(headers={"host": host_of(account)})


def login(client, path, user, password=PASSWORD):
    return client.post(path, {"login": user.email, "password": password})


def test_alias_leads_to_the_site_and_stays_in_every_address(reseller):
    plan(reseller)
    client = browser(reseller)
    page = client.get("/cedar/products/")
    assert page.status_code == 302
    assert page["Location"].startswith("/cedar/accounts/login/")
    text = client.get(page["Location"]).content.decode()
    assert "Cedar Cloud" in text
    assert reseller.organization.name not in text
    assert 'href="/cedar/accounts/password/reset/"' in text
    assert client.get("/products/")["Location"].startswith("/accounts/login/")


def test_alias_without_slash_and_in_capitals_leads_on(reseller):
    plan(reseller)
    client = browser(reseller)
    assert client.get("/cedar")["Location"] == "/cedar/"
    assert client.get("/Cedar/orders/?q=1")["Location"] == "/cedar/orders/?q=1"


def test_no_staff_pages_on_a_resellers_site(reseller):
    plan(reseller)
    client = browser(reseller)
    for path in ("bss/", "admin/", "healthz", "styleguide/"):
        assert client.get(f"/cedar/{path}").status_code == 404


def test_same_login_counts_on_both_sites_but_sessions_do_not_mix(reseller):
    plan(reseller)
    user = factories.user(reseller.organization, of=reseller)
    client = browser(reseller)
    assert login(client, "/cedar/accounts/login/", user)["Location"] == "/cedar/"
    assert client.get("/cedar/orders/").status_code == 200
    assert client.get("/orders/").status_code == 302
    assert login(client, "/accounts/login/", user).status_code == 302
    assert client.get("/orders/").status_code == 200
    names = sorted(
        name.partition(".")[2] != "" for name in client.cookies if name.startswith(settings.SESSION_COOKIE_NAME)
    )
    assert names == [False, True]
    client.post("/cedar/accounts/logout/")
    assert client.get("/cedar/orders/").status_code == 302
    assert client.get("/orders/").status_code == 200


def test_end_customer_is_a_stranger_elsewhere(reseller):
    plan(reseller)
    other = factories.account(reseller.organization, AccountKind.RESELLER)
    plan(other, "birch")
    customer = factories.account(reseller.organization, AccountKind.END_CUSTOMER, bill_to=reseller)
    user = factories.user(reseller.organization, of=customer)
    client = browser(reseller)
    assert login(client, "/cedar/accounts/login/", user).status_code == 302
    for path in ("/accounts/login/", "/birch/accounts/login/"):
        refused = login(client, path, user)
        assert refused.status_code == 200
        unknown = login(client, path, user, "wrong-password-here")
        assert "not correct" in refused.content.decode() or "incorrect" in refused.content.decode()
        assert unknown.status_code == 200
    assert client.get("/cedar/orders/").status_code == 200
    assert client.get("/birch/orders/").status_code == 302


def test_a_session_is_worth_nothing_under_another_sites_name(reseller):
    plan(reseller)
    other = factories.account(reseller.organization, AccountKind.RESELLER)
    foreign = plan(other, "birch")
    own = site_of_reseller(reseller.pk)
    customer = factories.account(reseller.organization, AccountKind.END_CUSTOMER, bill_to=reseller)
    client = browser(reseller)
    login(client, "/cedar/accounts/login/", factories.user(reseller.organization, of=customer))
    session = client.cookies[f"{settings.SESSION_COOKIE_NAME}.{own.public_id.hex[:12]}"].value
    client.cookies[settings.SESSION_COOKIE_NAME] = session
    client.cookies[f"{settings.SESSION_COOKIE_NAME}.{foreign.public_id.hex[:12]}"] = session
    assert client.get("/orders/").status_code == 302
    assert client.get("/birch/orders/").status_code == 302


def test_custom_host_serves_the_site_and_the_alias_leads_there(reseller):
    site = plan(reseller)
    Site.objects.filter(pk=site.pk).update(host="shop.cedar.test")
    page = Client(headers={"host": "shop.cedar.test"}).get("/accounts/login/")
    assert "Cedar Cloud" in page.content.decode()
    moved = browser(reseller).get("/cedar/orders/?a=b")
    assert moved.status_code == 301
    assert moved["Location"] == "http://shop.cedar.test:8000/orders/?a=b"
    assert browser(reseller).post("/cedar/orders/").status_code == 308


def test_host_that_is_no_sites_is_refused(reseller, settings):
    site = plan(reseller)
    settings.ALLOWED_HOSTS = [host_of(reseller)]
    Site.objects.filter(pk=site.pk).update(host="shop.cedar.test")
    assert Client(headers={"host": "evil.test"}).get("/").status_code == 400
    assert Client(headers={"host": "shop.cedar.test"}).get("/accounts/login/").status_code == 200
    assert Client(headers={"host": "shop.cedar.test.evil.test"}).get("/").status_code == 400
    assert Client(headers={"host": "shop.cedar.test@evil.test"}).get("/").status_code == 400


@pytest.mark.parametrize(("status", "answer"), [(SiteStatus.SUSPENDED, 503), (SiteStatus.PREPARING, 503)])
def test_site_that_is_away(reseller, status, answer):
    site = plan(reseller)
    Site.objects.filter(pk=site.pk).update(status=status)
    page = browser(reseller).get("/cedar/accounts/login/")
    assert page.status_code == answer
    assert reseller.organization.name not in page.content.decode()


def test_closed_site_says_so_on_every_page_and_forgets_its_domain(reseller):
    site = plan(reseller)
    Site.objects.filter(pk=site.pk).update(host="shop.cedar.test")
    sites.close_plan(reseller.pk, plan_id=site.plan_id)
    site.refresh_from_db()
    reseller.refresh_from_db()
    assert (site.status, site.host, reseller.edition) == (SiteStatus.CLOSED, "", Edition.BASIC)
    for path in ("/cedar/", "/cedar/accounts/login/", "/cedar/orders/"):
        page = browser(reseller).get(path)
        assert page.status_code == 410
        assert "This store is closed." in page.content.decode()
        assert reseller.organization.name not in page.content.decode()


def test_new_plan_on_day_89_restores_all_and_on_day_91_nothing(reseller):
    site = plan(reseller)
    Site.objects.filter(pk=site.pk).update(tagline="Our clouds")
    sites.close_plan(reseller.pk, plan_id=site.plan_id)
    other = factories.account(reseller.organization, AccountKind.RESELLER)
    with pytest.raises(BusinessError, match="in use"):
        sites.prepare_site(other.pk, "cedar")
    clock.advance(dt.timedelta(days=89))
    assert [sites.age_site(row.pk) for row in sites.kept_sites()] == [False]
    restored = plan(reseller, "ignored")
    assert (restored.pk, restored.alias, restored.status) == (site.pk, "cedar", SiteStatus.LIVE)
    assert Site.objects.get(pk=site.pk).tagline == "Our clouds"
    sites.close_plan(reseller.pk, plan_id=restored.plan_id)
    clock.advance(dt.timedelta(days=91))
    assert [sites.age_site(row.pk) for row in sites.kept_sites()] == [True]
    assert plan(other, "cedar").alias == "cedar"
    fresh = plan(reseller, "cedar-two")
    assert (fresh.pk != site.pk, fresh.tagline) == (True, "")


def test_reminders_14_and_2_days_before_once_each(reseller):
    site = plan(reseller)
    sites.close_plan(reseller.pk, plan_id=site.plan_id)
    told = []
    for _day in range(91):
        clock.advance(dt.timedelta(days=1))
        for row in sites.kept_sites():
            sites.age_site(row.pk)
            sites.age_site(row.pk)
        told.append(Event.objects.filter(name="plan.erasing").count())
    assert told[74] == 0
    assert told[76] == 1
    assert told[86] == 1
    assert told[88] == 2
    assert told[-1] == 2


def test_change_of_alias_redirects_for_90_days_and_not_twice_in_30(reseller):
    site = plan(reseller)
    staff = factories.actor(reseller.organization)
    sites.change_alias(staff, site=site, text="Cedar-Cloud")
    assert browser(reseller).get("/cedar/orders/")["Location"] == "/cedar-cloud/orders/"
    with pytest.raises(Conflict) as refused:
        sites.change_alias(staff, site=site, text="cedar-three")
    assert refused.value.code == "alias_too_soon"
    other = factories.account(reseller.organization, AccountKind.RESELLER)
    with pytest.raises(BusinessError) as taken:
        sites.prepare_site(other.pk, "cedar")
    assert taken.value.code == "alias_taken"
    clock.advance(dt.timedelta(days=91))
    assert browser(reseller).get("/cedar/orders/").status_code == 404
    assert plan(other, "cedar").alias == "cedar"


def test_held_alias_leads_nowhere_and_is_free_again(reseller):
    holder = uuid.uuid4()
    sites.hold_alias(reseller, "Cedar", holder=holder)
    assert route(site_for_host(host_of(reseller)), "/cedar/").prefix == ""
    other = factories.account(reseller.organization, AccountKind.RESELLER)
    with pytest.raises(BusinessError) as taken:
        sites.hold_alias(other, "cedar", holder=uuid.uuid4())
    assert taken.value.code == "alias_taken"
    assert sites.hold_alias(reseller, "cedar", holder=holder) == "cedar"
    sites.free_alias(holder)
    assert sites.hold_alias(other, "cedar", holder=uuid.uuid4()) == "cedar"


def test_other_organization_may_have_the_same_alias(reseller):
    plan(reseller)
    abroad = factories.account(factories.organization(), AccountKind.RESELLER, name="Abroad")
    plan(abroad)
    assert "Abroad" in browser(abroad).get("/cedar/accounts/login/").content.decode()
    assert "Abroad" not in browser(reseller).get("/cedar/accounts/login/").content.decode()


def test_every_verb_may_be_repeated(reseller):
    plan_id = uuid.uuid4()
    ends = clock.now() + dt.timedelta(days=30)
    for _time in range(2):
        sites.prepare_site(reseller.pk, "cedar")
        sites.open_plan(reseller.pk, plan_id=plan_id, edition=Edition.FREE, ends_at=ends)
    assert StorefrontAlias.objects.get().state == AliasState.LIVE
    for _time in range(2):
        sites.suspend_site(reseller.pk, plan_id=plan_id)
    assert Site.objects.get(account=reseller).status == SiteStatus.SUSPENDED
    for _time in range(2):
        sites.resume_site(reseller.pk, plan_id=plan_id)
    for _time in range(2):
        sites.close_plan(reseller.pk, plan_id=plan_id)
    sites.close_plan(reseller.pk, plan_id=uuid.uuid4())
    assert Account.objects.get(pk=reseller.pk).edition == Edition.BASIC


def test_addresses_in_mails_are_those_of_the_site(reseller):
    site = plan(reseller)
    host = host_of(reseller)
    assert site_address(site) == f"http://{host}:8000/cedar"
    assert site_address(factories.site_of(reseller.organization)) == f"http://{host}:8000"
    site.host = "shop.cedar.test"
    assert site_address(site) == "http://shop.cedar.test:8000"


def test_reset_link_stays_on_the_site(reseller):
    plan(reseller)
    customer = factories.account(reseller.organization, AccountKind.END_CUSTOMER, bill_to=reseller)
    user = factories.user(reseller.organization, of=customer)
    client = browser(reseller)
    client.post("/cedar" + reverse("account_reset_password"), {"email": user.email})
    mail = OutgoingMail.objects.get()
    assert f"http://{host_of(reseller)}:8000/cedar/accounts/password/reset/" in mail.text
    assert reseller.organization.name not in mail.text
    assert "Cedar Cloud" in mail.text
    client.post(reverse("account_reset_password"), {"email": user.email})
    assert OutgoingMail.objects.count() == 1


def test_site_costs_one_look_up_at_most(reseller, django_assert_num_queries):
    plan(reseller)
    client = browser(reseller)
    client.get("/cedar/accounts/login/")
    with django_assert_num_queries(2):
        client.get("/cedar/accounts/login/")


def test_one_statement_finds_a_site_by_its_host_or_its_alias(reseller, django_assert_num_queries):
    site = plan(reseller)
    Site.objects.filter(pk=site.pk).update(host="shop.cedar.test")
    first = Site.objects.filter(account=None).order_by("id")[0]
    found = {"shop.cedar.test": site, "Shop.Cedar.test": site, "nobody.example": first, host_of(reseller): first}
    for host, expected in found.items():
        with django_assert_num_queries(1):
            assert site_for_host(host) == expected
    with django_assert_num_queries(1):
        assert site_for_alias(reseller.organization_id, "cedar") == site


def test_one_statement_finds_the_site_of_a_host_the_settings_do_not_know(
    reseller, settings, client, django_assert_num_queries
):
    settings.ALLOWED_HOSTS = ["localhost"]
    site = plan(reseller)
    Site.objects.filter(pk=site.pk).update(host="shop.cedar.test")
    client.get("/accounts/login/", headers={"host": "shop.cedar.test"})
    with django_assert_num_queries(1):
        assert client.get("/accounts/login/", headers={"host": "shop.cedar.test:8000"}).status_code == 200
    assert client.get("/accounts/login/", headers={"host": "nobody.example"}).status_code == 400


def test_a_host_of_nobody_gets_the_nearest_site_there_is():
    elsewhere, without_host = factories.organization(), factories.organization()
    own = factories.site_of(elsewhere)
    other = factories.site_of(without_host)
    assert site_for_host("nobody.example") == own
    Site.objects.filter(pk=other.pk).update(host="")
    assert site_for_host("nobody.example") == site_for_host("") == other
    Site.objects.filter(pk=own.pk).update(status=SiteStatus.DELETED)
    assert site_for_host(own.host) == other
    Site.objects.filter(pk=other.pk).update(status=SiteStatus.DELETED)
    assert site_for_host("nobody.example") is None
