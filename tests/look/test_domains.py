"""A reseller's own host name: which may be asked for, how it is proved, bound, lost and given up."""

import datetime as dt

import pytest
from django.test import Client

from core import clock
from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from core.events import Event
from core.tls import Shown
from notifications.models import OutgoingMail
from notifications.services.events import process_event
from resellers.domain_rules import DomainStatus, clean_host, readable_host
from resellers.enums import Edition
from resellers.models import Account, Site
from resellers.services import domains, sites
from resellers.site_models import SiteDomain
from tests import factories
from tests.look.sites import browser, host, owner, reseller_site
from tests.names import name_server

pytestmark = pytest.mark.django_db
HOST = "shop.cedar.example"
TARGET = "stores.platform.example"


@pytest.fixture
def site(settings) -> Site:
    settings.STOREFRONT_CNAME = TARGET
    settings.STOREFRONT_ADDRESSES = ["192.0.2.7"]
    return reseller_site()


@pytest.fixture
def names(settings):
    with name_server() as running:
        settings.DNS_RESOLVERS = [running.address]
        yield running


def prove(names, row: SiteDomain) -> None:
    names.records[f"_storefront-verify.{row.host}", "TXT"] = [f'"{row.token}"']
    names.records[row.host, "CNAME"] = [f"{TARGET}."]


def asked(row: SiteDomain) -> SiteDomain:
    domains.check_domain(row.pk)
    row.refresh_from_db()
    return row


def test_domain_is_proved_bound_and_the_alias_leads_there(site, names):
    row = domains.request_domain(owner(site), host=" Shop.Cedar.Example. ")
    assert (row.host, row.status) == (HOST, DomainStatus.REQUESTED)
    assert asked(row).status == DomainStatus.VERIFYING
    assert (row.txt_found, row.points_here) == (False, False)
    prove(names, row)
    assert asked(row).status == DomainStatus.LIVE
    assert Site.objects.get(pk=site.pk).host == HOST
    assert browser(site).get("/cedar/orders/?q=1")["Location"].endswith(f"//{HOST}:8000/orders/?q=1")
    page = Client(headers={"host": HOST}).get("/accounts/login/").content.decode()
    assert "Cedar Cloud" in page
    assert site.organization.name not in page


def test_one_record_alone_proves_nothing(site, names):
    row = domains.request_domain(owner(site), host=HOST)
    names.records[HOST, "CNAME"] = [f"{TARGET}."]
    assert asked(row).status == DomainStatus.VERIFYING
    prove(names, row)
    names.records[HOST, "CNAME"] = ["elsewhere.example."]
    assert asked(row).status == DomainStatus.VERIFYING
    names.records[f"_storefront-verify.{HOST}", "TXT"] = ['"another token"']
    names.records[HOST, "CNAME"] = [f"{TARGET}."]
    assert asked(row).status == DomainStatus.VERIFYING
    assert Site.objects.get(pk=site.pk).host == ""


def test_address_instead_of_an_alias(site, names):
    row = domains.request_domain(owner(site), host="cedar.example")
    prove(names, row)
    del names.records["cedar.example", "CNAME"]
    names.records["cedar.example", "A"] = ["192.0.2.7", "192.0.2.8"]
    assert asked(row).status == DomainStatus.VERIFYING
    names.records["cedar.example", "A"] = ["192.0.2.7"]
    assert asked(row).status == DomainStatus.LIVE


def test_waiting_ends_after_three_days_and_begins_again(site, names, still_clock):
    actor = owner(site)
    row = domains.request_domain(actor, host=HOST)
    asked(row)
    still_clock(row.deadline)
    assert asked(row).status == DomainStatus.FAILED
    domains.check_due()
    assert SiteDomain.objects.get().status == DomainStatus.FAILED
    domains.check_now(actor, domain=row)
    row.refresh_from_db()
    assert (row.status, row.deadline) == (DomainStatus.VERIFYING, clock.now() + dt.timedelta(hours=72))
    prove(names, row)
    assert asked(row).status == DomainStatus.LIVE


def test_certificate_comes_from_the_proxy(site, names, settings, monkeypatch, still_clock):
    settings.STOREFRONT_TLS_PROXY = "proxy.example:443"
    shown = [Shown(False, message="No certificate yet.")]
    monkeypatch.setattr(domains, "certificate_shown", lambda server, host: shown[-1])
    row = domains.request_domain(owner(site), host=HOST)
    prove(names, row)
    assert asked(row).status == DomainStatus.CERTIFYING
    assert asked(row).status == DomainStatus.CERTIFYING
    assert "No certificate yet." in row.found
    assert Site.objects.get(pk=site.pk).host == ""
    shown.append(Shown(True, clock.now() + dt.timedelta(days=13)))
    assert asked(row).status == DomainStatus.LIVE
    warned = []
    for days in (0, 0, 7, 8, 12, 12):
        still_clock(row.live_since + dt.timedelta(days=days))
        asked(row)
        warned.append(Event.objects.filter(name="domain.expiring").count())
    assert warned == [1, 1, 2, 2, 3, 3]


def test_live_domain_is_let_go_after_three_days_without_its_records(site, names, still_clock):
    row = domains.request_domain(owner(site), host=HOST)
    prove(names, row)
    asked(row)
    names.records[f"_storefront-verify.{HOST}", "TXT"] = ['"of somebody else"']
    asked(row)
    assert (row.status, row.lost_since is not None) == (DomainStatus.LIVE, True)
    names.refuses = True
    still_clock(row.lost_since + dt.timedelta(hours=80))
    assert asked(row).status == DomainStatus.LIVE
    names.refuses = False
    assert asked(row).status == DomainStatus.FAILED
    assert Site.objects.get(pk=site.pk).host == ""


def test_late_answer_for_a_removed_domain_changes_nothing(site, names, monkeypatch):
    actor = owner(site)
    row = domains.request_domain(actor, host=HOST)
    prove(names, row)
    ask = domains.ask_dns

    def slow(name: str, token: str) -> domains.Proof:
        proof = ask(name, token)
        domains.remove_domain(actor, domain=row)
        return proof

    monkeypatch.setattr(domains, "ask_dns", slow)
    assert asked(row).status == DomainStatus.REMOVED
    assert Site.objects.get(pk=site.pk).host == ""


def test_a_name_is_connected_once_and_free_again_when_removed(site, names):
    row = domains.request_domain(owner(site), host=HOST)
    with pytest.raises(BusinessError, match="has a domain already"):
        domains.request_domain(owner(site), host="other.cedar.example")
    other = reseller_site("birch", name="Birch")
    with pytest.raises(BusinessError) as refused:
        domains.request_domain(owner(other), host=HOST)
    assert (refused.value.code, str(refused.value.message)) == ("domain_taken", "This domain is already connected.")
    domains.remove_domain(owner(site), domain=row)
    assert domains.request_domain(owner(other), host=HOST).host == HOST


def test_foreign_domains_are_not_there(site):
    row = domains.request_domain(owner(site), host=HOST)
    other = reseller_site("birch", name="Birch")
    for deed in (domains.check_now, domains.remove_domain):
        with pytest.raises(NotVisible):
            deed(owner(other), domain=row)
    assert domains.own_domain(owner(other)) is None


def test_plan_without_domains_refuses_and_unbinds(site, names):
    row = domains.request_domain(owner(site), host=HOST)
    prove(names, row)
    asked(row)
    plan = Site.objects.get(pk=site.pk)
    sites.open_plan(site.account_id, plan_id=plan.plan_id, edition=Edition.FREE, ends_at=clock.now())
    assert (SiteDomain.objects.get().status, Site.objects.get(pk=site.pk).host) == (DomainStatus.REMOVED, "")
    with pytest.raises(PermissionRefused) as refused:
        domains.request_domain(owner(site), host=HOST)
    assert refused.value.code == "edition_required"


def test_closed_site_loses_its_domain(site, names):
    row = domains.request_domain(owner(site), host=HOST)
    prove(names, row)
    asked(row)
    sites.close_plan(site.account_id, plan_id=site.plan_id)
    assert (SiteDomain.objects.get().status, Site.objects.get(pk=site.pk).host) == (DomainStatus.REMOVED, "")


def test_checking_again_and_again_is_refused(site, names):
    actor = owner(site)
    row = domains.request_domain(actor, host=HOST)
    domains.check_now(actor, domain=row)
    asked(row)
    with pytest.raises(Conflict) as refused:
        domains.check_now(actor, domain=row)
    assert refused.value.code == "just_checked"


def test_run_is_bounded(site, monkeypatch):
    monkeypatch.setattr(domains, "BATCH", 1)
    for alias in ("birch", "maple"):
        domains.request_domain(owner(reseller_site(alias, name=alias)), host=f"shop.{alias}.example")
    SiteDomain.objects.update(next_check_at=clock.now())
    monkeypatch.setattr(domains, "ask_dns", lambda name, token: domains.Proof(False, False, True, ""))
    assert [domains.check_due() for _n in range(3)] == [1, 1, 0]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "host_invalid"),
        ("shop", "host_invalid"),
        ("192.0.2.1", "host_invalid"),
        ("[::1]", "host_invalid"),
        ("shop.example.com:8000", "host_invalid"),
        ("https://shop.example.com", "host_invalid"),
        ("*.example.com", "host_invalid"),
        ("a_b.example.com", "host_invalid"),
        ("-a.example.com", "host_invalid"),
        ("shop.example.com/x", "host_invalid"),
        ("user@shop.example.com", "host_invalid"),
        ("shop..example.com", "host_invalid"),
        (f"{'a' * 64}.example.com", "host_invalid"),
        (f"{'a.' * 130}com", "host_invalid"),
        ("shop.example.com\r\nX: y", "host_invalid"),
        ("printer.local", "host_private"),
        ("a.localhost", "host_private"),
        ("main.test", "host_ours"),
        ("cedar.main.test", "host_ours"),
    ],
)
def test_names_that_are_refused(text, code):
    with pytest.raises(BusinessError) as refused:
        clean_host(text, own_hosts={"main.test"})
    assert (refused.value.code, refused.value.field) == (code, "host")


def test_names_of_other_scripts_become_punycode():
    assert clean_host("κατάστημα.Example.GR", own_hosts=()) == "xn--hxajbxmp1cgc.example.gr"
    assert readable_host("xn--hxajbxmp1cgc.example.gr") == "κατάστημα.example.gr"
    assert readable_host("xn--a.example") == "xn--a.example"


def test_proxy_asks_only_from_this_machine_or_with_the_secret(site, names, settings):
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    row = domains.request_domain(owner(site), host=HOST)
    client = Client(headers={"host": "127.0.0.1"})

    def ask(**headers: str) -> int:
        return client.get(f"/tls/allowed?domain={HOST}", **headers).status_code

    assert ask() == 404
    prove(names, row)
    asked(row)
    assert ask() == 200
    assert client.get("/tls/allowed?domain=elsewhere.example").status_code == 404
    assert ask(REMOTE_ADDR="203.0.113.9") == 404
    assert ask(HTTP_X_FORWARDED_FOR="203.0.113.9") == 404
    settings.TLS_ASK_SECRET = "a-secret"
    assert ask() == 404
    assert client.get(f"/tls/allowed?secret=a-secret&domain={HOST}", REMOTE_ADDR="203.0.113.9").status_code == 200
    domains.remove_domain(owner(site), domain=row)
    assert client.get(f"/tls/allowed?secret=a-secret&domain={HOST}").status_code == 404


def test_pages_say_what_to_set_and_what_was_found(site, names):
    user = factories.user(site.organization, of=Account.objects.get(pk=site.account_id))
    client = browser(site, user=user)
    assert client.post("/cedar/my-shop/domain/", {"host": host(site)}).status_code == 400
    assert client.post("/cedar/my-shop/domain/", {"host": HOST})["Location"] == "/cedar/my-shop/domain/"
    row = SiteDomain.objects.get()
    page = client.get("/cedar/my-shop/domain/").content.decode()
    assert all(text in page for text in (row.token, f"_storefront-verify.{HOST}", TARGET, "192.0.2.7"))
    part = client.post("/cedar/my-shop/domain/state/", headers={"HX-Request": "true"}).content.decode()
    assert "Asking the DNS" in part
    asked(row)
    part = client.get("/cedar/my-shop/domain/state/").content.decode()
    assert "Not yet" in part
    assert client.post("/cedar/my-shop/domain/remove/")["Location"] == "/cedar/my-shop/domain/"
    assert SiteDomain.objects.get().status == DomainStatus.REMOVED


def test_admins_hear_of_it_in_their_storefronts_name(site, names):
    factories.user(site.organization, of=Account.objects.get(pk=site.account_id), email="boss@cedar.test")
    row = domains.request_domain(owner(site), host=HOST)
    prove(names, row)
    asked(row)
    event = Event.objects.get(name="domain.live")
    process_event(event.pk)
    mail = OutgoingMail.objects.get(recipient="boss@cedar.test")
    assert mail.subject == f"{HOST} leads to your storefront now"
    assert site.organization.name not in mail.text + mail.html + mail.sender
    assert f"{HOST}:8000/my-shop/domain/" in mail.text
