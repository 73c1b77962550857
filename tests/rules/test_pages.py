"""The BSS for an employee whom a rule keeps from an account: every address, every list, every file, every figure."""

import csv
import io
from copy import deepcopy

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core import clock
from core.audit import AuditEntry
from core.jobs import start_job
from notifications.models import OutgoingMail
from orders.models import Order
from resellers.models import Account, Contact, Membership
from subscriptions.models import Operation, Subscription
from tests import factories
from tests.bss.staff import BACKEND
from tests.rules.test_visibility import hangs_on
from tests.rules.world import World, make_world
from tests.test_url_matrix import PATTERNS, ids_of, professional_of
from ui.pages import ListPage
from users.models import User
from users.permissions import BSS_PERMS, STAFF_ROLE_PERMS, StaffRole
from vendors.models import AccountLink

pytestmark = pytest.mark.django_db
# Kinds of addresses whose object is of the organization, not of an account.
NOT_OF_ACCOUNTS = (
    "instance", "consent", "certificate", "product", "category", "price", "type", "staff", "export", "rule", "group",
    "update", "design", "registration", "field", "api",
)  # fmt: skip


@pytest.fixture(scope="module")
def made(module_rows) -> World:
    return make_world()


@pytest.fixture
def world(monkeypatch, made) -> World:
    # One role that may do everything without being the Administrator: then only the rule can be in the way.
    monkeypatch.setitem(STAFF_ROLE_PERMS, StaffRole.SALES.value, frozenset(BSS_PERMS))
    return deepcopy(made)


def client_of(world: World, user: User) -> Client:
    client = Client(headers={"host": world.shop.site.host})
    client.force_login(user, BACKEND)
    client.get("/healthz")
    return client


def client_with(world: World, level: str) -> Client:
    return client_of(world, world.employee(level, [StaffRole.SALES.value]))


def addresses(world: World) -> dict[str, str]:
    """Every address of an object that hangs on the hidden account."""
    account = world.hidden
    ids = ids_of(world.shop, world.order)
    mail = OutgoingMail.objects.create(
        organization=world.shop.organization, account=account, template="x", recipient="a@b.test", dedupe_key="x"
    )
    link = AccountLink.objects.filter(account=account).latest("id")
    kept = start_job(world.shop.staff, "test", title="Of an account", params={}, account_id=account.pk)
    contact, member = Contact.objects.get(account=account), Membership.objects.filter(account=account).latest("id")
    ids |= {"professional": str(professional_of(account).public_id)}
    ids |= {"mail": str(mail.public_id), "link": str(link.public_id), "job": str(kept.public_id)}
    ids |= {"contact": str(contact.public_id), "member": str(member.public_id), "user": str(account.public_id)}
    ids |= {"job_id": str(kept.public_id), "instance_id": str(world.shop.instance.public_id), "verb": "check-domain"}
    special = {"link_mpn": "account", "contact_add": "account", "partner_change": "account", "partner_check": "account"}
    found = {}
    for name, pattern in PATTERNS.items():
        door, _colon, short = name.partition(":")
        kind = short.split("_")[0]
        if door != "bss" or "public_id" not in pattern.pattern.converters or kind in NOT_OF_ACCOUNTS:
            continue
        kind = special.get(short, kind)
        arguments = {key: ids[key] if key != "public_id" else ids[kind] for key in pattern.pattern.converters}
        found[short] = reverse(name, kwargs=arguments)
    return found


def test_every_address_of_a_hidden_account_is_not_there(world):
    pages = addresses(world)
    assert len(pages) > 50
    client = client_with(world, "")
    got = {name: client.get(url).status_code for name, url in pages.items()}
    posted = {name: client.post(url).status_code for name, url in pages.items()}
    assert {name: status for name, status in got.items() if status not in (404, 405)} == {}
    assert {name: status for name, status in posted.items() if status not in (404, 405)} == {}


def test_who_may_only_read_opens_the_pages_and_changes_nothing(world):
    pages = addresses(world)
    client = client_with(world, "read")
    shown = [name for name in pages if name.endswith("_detail")]
    assert {name: client.get(pages[name]).status_code for name in shown} == dict.fromkeys(shown, 200)
    # What the addresses of reading pages do is look at the storefront, ask the vendor anew, or make a file.
    reads = ("account_view_as", "subscription_refresh", "account_ledger")
    audited = AuditEntry.objects.count()
    posted = {name: client.post(url).status_code for name, url in pages.items() if name not in reads}
    # Two pages are there for resellers only, and two lists do nothing without chosen rows.
    elsewhere = {"partner_change": 404, "partner_check": 404}
    nothing_chosen = {"professional_accounts": 400, "professional_subscriptions": 400}
    other = {name: status for name, status in posted.items() if status not in (403, 405)}
    assert other == elsewhere | nothing_chosen
    assert AuditEntry.objects.count() == audited
    refused = client.post(pages["account_hold"], {"reason": "Asked"}).content.decode()
    assert "lets you look at this account" in refused


def test_deeds_stay_on_the_page_and_say_why_not(world):
    response = client_with(world, "read").get(reverse("bss:account_detail", args=[world.hidden.public_id]))
    reasons = {str(action.label): str(action.reason) for action in response.context["actions"]}
    assert reasons.pop("View as customer") == ""
    assert reasons
    assert all("lets you look" in reason for reason in reasons.values())
    assert not any(response.context[name] for name in ("may_edit", "may_credit", "may_invite", "may_set_up"))


def test_who_may_edit_does_what_his_role_allows(world):
    url = reverse("bss:account_hold", args=[world.hidden.public_id])
    assert client_with(world, "edit").post(url, {"reason": "Asked"}).status_code == 302
    world.hidden.refresh_from_db()
    assert world.hidden.status == "suspended"


def test_administrator_opens_everything(world):
    client = client_of(world, factories.user(world.shop.organization))
    for name, url in addresses(world).items():
        if name.endswith("_detail"):
            assert client.get(url).status_code == 200, name


LISTS = sorted(
    name
    for name, pattern in PATTERNS.items()
    if issubclass(getattr(pattern.callback, "view_class", object), ListPage) and name.startswith("bss:")
)


def list_url(world: World, name: str) -> str:
    """The list's address; one below an account is that of the open one."""
    own = {"account": world.open.public_id, "rule": world.rule.public_id}
    own["professional"] = professional_of(world.open).public_id
    own["price"] = world.hidden.price_list_assignment.price_list.public_id  # type: ignore[attr-defined]
    kind = name.partition(":")[2].split("_")[0]
    return reverse(name, args=[own[kind]] if PATTERNS[name].pattern.converters else [])


def names_of(world: World) -> set[str]:
    """What must not be read anywhere."""
    return {world.hidden.name, world.hidden.email, world.order.number}


@pytest.mark.parametrize("name", LISTS)
def test_list_shows_and_writes_only_what_one_may_see(world, name):
    client, url = client_with(world, ""), list_url(world, name)
    response = client.get(url, {"size": 100})
    assert response.status_code == 200
    for line in response.context["lines"]:
        if getattr(line["row"], "tenant_account", None) == "pk":
            assert line["row"].pk != world.hidden.pk
        elif getattr(line["row"], "tenant_account", None):
            assert hangs_on(line["row"]) != world.hidden
    part = client.get(url, {"size": 100}, headers={"HX-Request": "true"}).content.decode()
    text = b"".join(client.get(url, {"format": "csv"}).streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert response.context["count"] == len(list(csv.reader(io.StringIO(text)))) - 1
    for word in names_of(world):
        assert word not in response.content.decode()
        assert word not in part
        assert word not in text
        found = client.get(url, {"q": word})
        assert found.context["count"] == 0


def test_lists_show_it_to_those_whom_the_rule_lets(world):
    response = client_with(world, "read").get(reverse("bss:order_list"))
    assert {line["row"] for line in response.context["lines"]} == {world.order, world.other}


def test_overview_counts_and_names_only_what_one_may_see(world):
    Order.objects.update(status="submitted")
    Subscription.objects.update(status="active", first_activated_at=clock.now())
    Operation.objects.update(state="attention")
    outside, inside = client_with(world, ""), client_with(world, "read")
    url = reverse("bss:dashboard")
    few, all_ = (client.get(url) for client in (outside, inside))
    few_tiles, all_tiles = ([tile.value for tile in page.context["tiles"]] for page in (few, all_))
    assert [b - a for a, b in zip(few_tiles, all_tiles, strict=True)] == [1, 1, few_tiles[2], 1]
    assert few.context["charged"] * 2 == all_.context["charged"]
    for word in names_of(world):
        assert word not in few.content.decode()


def test_choices_of_forms_do_not_name_it(world):
    Account.objects.filter(pk=world.shop.reseller.pk).update(permission_rule=world.rule)
    html = client_with(world, "").get(reverse("bss:account_create")).content.decode()
    assert world.shop.reseller.name not in html


def statements(client: Client, url: str) -> int:
    """How many statements a page needs; the clock, which is read anew every five seconds, does not count."""
    client.get(url)
    with CaptureQueriesContext(connection) as found:
        assert client.get(url).status_code == 200
    return len([query for query in found.captured_queries if "clockoffset" not in query["sql"]])


@pytest.mark.parametrize("name", ["account_list", "order_list", "subscription_list", "operation_list", "dashboard"])
def test_rules_need_one_statement_more_whatever_the_number_of_rows(world, name):
    url = reverse(f"bss:{name}")
    admin, reader = client_of(world, factories.user(world.shop.organization)), client_with(world, "read")
    few = statements(reader, url)
    assert few - statements(admin, url) == 1
    for _number in range(3):
        factories.account(world.shop.organization, permission_rule=world.rule)
    assert statements(reader, url) == few


def test_job_of_a_colleague_is_not_read_by_whom_a_rule_restricts(world):
    job = start_job(world.shop.staff, "test", title=f"Spreadsheet: {world.hidden.name}", params={})
    url = reverse("bss:job_detail", args=[job.public_id])
    assert [client_with(world, level).get(url).status_code for level in ("", "full")] == [404, 404]
    assert client_of(world, factories.user(world.shop.organization)).get(url).status_code == 200
