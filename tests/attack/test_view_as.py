"""An employee who looks at the storefront as a customer: he reads, for a while, logged, and can change nothing."""

import datetime as dt
from collections.abc import Iterator
from copy import deepcopy

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client
from django.urls import reverse

from core import clock
from core.audit import AuditEntry
from core.errors import BusinessError, Conflict, PermissionRefused
from core.tenancy import system_actor
from orders.models import Basket, Order
from resellers.enums import AccountKind, AccountStatus, ViewingEnd
from resellers.models import Account, Membership, ViewAsSession
from resellers.selectors import viewing_actor, viewings_of
from resellers.services.view_as import end_overdue, start_viewing
from resellers.tasks import end_viewings
from sso.services.people import deactivate_user
from tests import factories
from tests.attack.browser import signed_in, user_of
from tests.shop import Shop, fill_basket, make_shop, place
from tests.test_url_matrix import PATTERNS, ids_of
from users.models import User
from users.permissions import VIEWING_PERMS, Perm, StaffRole, StorefrontRole, storefront_perms, viewing_perms

pytestmark = pytest.mark.django_db
HOME, BASKET = reverse("storefront:home"), reverse("storefront:basket")
WHY = "Ticket 4711, cannot find an order"
STOP = "storefront:view_as_stop"
SHOP_PAGES = sorted(name for name in PATTERNS if name.startswith("storefront:") and name != STOP)


@pytest.fixture(scope="module")
def made(module_rows: None) -> tuple[Shop, Order]:
    shop = make_shop()
    return shop, place(shop.customer_admin, fill_basket(shop, shop.customer_admin))


@pytest.fixture
def shop(made: tuple[Shop, Order]) -> Shop:
    return deepcopy(made[0])


@pytest.fixture
def order(made: tuple[Shop, Order]) -> Order:
    return deepcopy(made[1])


def employee(shop: Shop, *roles: str) -> tuple[User, Client]:
    """An employee, of Support unless roles are named, and his browser."""
    user = factories.user(shop.organization, roles=list(roles) or [StaffRole.SUPPORT.value])
    client = signed_in(shop, user)
    client.get("/healthz")
    return user, client


def start(client: Client, account: Account, reason: str = WHY):
    return client.post(reverse("bss:account_view_as", args=[account.public_id]), {"reason": reason})


@pytest.fixture
def viewer(shop: Shop) -> Client:
    """Support's browser, looking as the direct customer."""
    client = employee(shop)[1]
    assert start(client, shop.customer)["Location"] == HOME
    return client


def address(name: str, ids: dict[str, str]) -> str:
    kind = name.partition(":")[2].split("_")[0]
    arguments = {key: ids.get(kind, ids["order"]) for key in PATTERNS[name].pattern.converters}
    arguments |= {key: "nothing" for key in arguments if key in ("slug", "token", "verb")}
    return reverse(name, kwargs=arguments)


def counts() -> dict[str, int]:
    """How many rows each of our tables has."""
    models = (model for model in apps.get_models() if model._meta.app_label in settings.LOCAL_APPS)
    return {model._meta.label: model._base_manager.count() for model in models}


def stamps() -> dict[str, object]:
    """When a row of each of our tables was last written."""
    models = (model for model in apps.get_models() if model._meta.app_label in settings.LOCAL_APPS)
    stamped = [model for model in models if any(field.name == "updated_at" for field in model._meta.fields)]
    return {model._meta.label: model._base_manager.order_by("-updated_at").values("updated_at").first()
            for model in stamped}  # fmt: skip


def viewing(client: Client) -> bool:
    return b"view-as/stop/" in client.get(HOME).content


def test_viewing_shows_the_customers_shop_with_a_banner(shop, order, viewer):
    page = viewer.get(reverse("storefront:order_list")).content.decode()
    assert order.number in page
    assert f"<b>{shop.customer.name}</b>" in page
    assert viewer.get(reverse("storefront:order_detail", args=[order.public_id])).status_code == 200
    actor = viewer.get(HOME).wsgi_request.actor
    user = User.objects.get(pk=actor.user_id)
    assert (actor.account_id, actor.viewing_as) == (shop.customer.pk, shop.customer.name)
    assert actor.label == f"{user} (viewing as {shop.customer.name})"


def test_bss_goes_on_as_the_employee(shop, viewer):
    page = viewer.get(reverse("bss:account_list"))
    actor = page.wsgi_request.actor
    assert (page.status_code, actor.is_staff, actor.viewing_as) == (200, True, "")
    assert b"view-as/stop/" not in page.content
    assert start(viewer, shop.reseller, "x").status_code == 400
    assert viewing(viewer)


@pytest.mark.parametrize("name", SHOP_PAGES)
def test_nothing_can_be_changed(shop, order, viewer, name):
    url = address(name, ids_of(shop, order))
    before, written = counts(), stamps()
    for method in (viewer.post, viewer.put, viewer.patch, viewer.delete):
        response = method(url)
        assert response.status_code == 403
        assert "can only read" in response.content.decode()
    assert (counts(), stamps()) == (before, written)
    assert viewing(viewer)


@pytest.mark.parametrize(
    ("came_from", "back"),
    [("http://{host}/products/?q=1", "http://{host}/products/?q=1"), ("https://evil.test/x", "/"), ("", "/")],
)
def test_refusal_stays_in_the_shop_and_leads_back(shop, viewer, came_from, back):
    host = shop.site.host
    refused = viewer.post(reverse("storefront:basket_add"), headers={"referer": came_from.format(host=host)})
    page = refused.content.decode()
    assert refused.context["back"] == back.format(host=host)
    assert reverse("bss:account_detail", args=[shop.customer.public_id]) in page
    assert "view-as/stop/" in page


def test_refusal_is_json_for_who_asks_for_json(viewer):
    refused = viewer.post(reverse("storefront:basket_add"), headers={"accept": "application/json"})
    assert (refused.status_code, refused.json()["code"]) == (403, "viewing_only")


def test_looking_writes_nothing(shop, order, viewer):
    viewer.get(HOME)
    ids = ids_of(shop, order)
    before, written = counts(), stamps()
    for name in SHOP_PAGES:
        for headers in ({}, {"hx-request": "true"}):
            assert viewer.get(address(name, ids), headers=headers).status_code in (200, 302, 403, 404, 405)
    assert (counts(), stamps()) == (before, written)


def test_baskets_are_left_alone(shop, viewer):
    user_id = viewer.get(HOME).wsgi_request.actor.user_id
    Basket.objects.all().delete()
    own = Basket.objects.create(organization=shop.organization, site=shop.site, user_id=user_id)
    page = viewer.get(BASKET)
    assert "You look as a customer" in page.content.decode()
    assert page.context["basket_count"] == 0
    assert list(Basket.objects.all()) == [own]


def test_visitors_basket_waits_until_viewing_is_over(shop):
    type(shop.site).objects.filter(pk=shop.site.pk).update(anonymous_access=True)
    client = employee(shop)[1]
    client.get(HOME)
    visitor = Basket.objects.create(organization=shop.organization, site=shop.site)
    session = client.session
    session["visitor_basket"] = str(visitor.public_id)
    session.save()
    start(client, shop.customer)
    for url in (BASKET, HOME):
        assert client.get(url).status_code == 200
    assert Basket.objects.get(pk=visitor.pk).user_id is None


@pytest.mark.parametrize("role", [StaffRole.SALES, StaffRole.BILLING, StaffRole.READ_ONLY])
def test_viewing_is_for_support_and_administrators(shop, role):
    client = employee(shop, role.value)[1]
    url = reverse("bss:account_view_as", args=[shop.customer.public_id])
    assert (client.get(url).status_code, client.post(url, {"reason": WHY}).status_code) == (403, 403)
    assert b"View as customer" not in client.get(reverse("bss:account_detail", args=[shop.customer.public_id])).content
    assert ViewAsSession.objects.count() == 0
    for allowed in (StaffRole.SUPPORT, StaffRole.ADMINISTRATOR):
        assert Perm.VIEW_AS in factories.actor(shop.organization, roles=[allowed.value]).perms


@pytest.mark.parametrize("reason", ["", "    ", "why", "a b "])
def test_viewing_needs_a_reason(shop, reason):
    client = employee(shop)[1]
    assert start(client, shop.customer, reason).status_code == 400
    assert (ViewAsSession.objects.count(), viewing(client)) == (0, False)
    with pytest.raises(BusinessError, match="Say why"):
        start_viewing(shop.staff, account=shop.customer, reason=reason)


def test_closed_and_foreign_accounts_are_refused(shop):
    client = employee(shop)[1]
    other = make_shop()
    assert start(client, other.customer).status_code == 404
    Account.objects.filter(pk=shop.customer.pk).update(status=AccountStatus.CLOSED)
    assert start(client, shop.customer).status_code == 400
    with pytest.raises(Conflict, match="closed"):
        start_viewing(shop.staff, account=shop.customer, reason=WHY)
    with pytest.raises(PermissionRefused):
        start_viewing(shop.staff, account=other.customer, reason=WHY)
    for actor in (shop.customer_admin, shop.reseller_admin):
        with pytest.raises(PermissionRefused):
            start_viewing(actor, account=shop.customer, reason=WHY)
    with pytest.raises(BusinessError, match="person"):
        start_viewing(system_actor(shop.organization.pk), account=shop.customer, reason=WHY)
    assert ViewAsSession.objects.count() == 0


def test_viewing_ends_when_its_time_is_over(shop, viewer, still_clock):
    row = ViewAsSession.objects.get()
    assert row.ends_at - row.started_at == dt.timedelta(minutes=settings.VIEW_AS_MINUTES)
    still_clock(row.ends_at - dt.timedelta(seconds=1))
    assert viewing(viewer)
    still_clock(row.ends_at)
    gone = viewer.get(reverse("storefront:order_list"))
    assert "no longer look" in gone.content.decode() or gone.status_code == 403
    row.refresh_from_db()
    assert (row.end, row.ended_at) == (ViewingEnd.TIME, row.ends_at)
    assert not viewing(viewer)
    still_clock(row.started_at)
    assert not viewing(viewer)


def _lose_role(shop: Shop, user: User) -> None:
    Membership.objects.filter(user=user).update(roles=[StaffRole.SALES.value])


def _lose_membership(shop: Shop, user: User) -> None:
    Membership.objects.filter(user=user).delete()


def _close_account(shop: Shop, user: User) -> None:
    Account.objects.filter(pk=shop.customer.pk).update(status=AccountStatus.CLOSED)


@pytest.mark.parametrize("lose", [_lose_role, _lose_membership, _close_account])
@pytest.mark.parametrize("how", ["request", "sweep"])
def test_viewing_ends_with_role_membership_or_account(shop, lose, how):
    user, client = employee(shop)
    start(client, shop.customer)
    assert viewing(client)
    lose(shop, user)
    if how == "sweep":
        assert end_overdue() == 1
    assert not viewing(client)
    row = ViewAsSession.objects.get()
    assert row.end == ViewingEnd.REFUSED
    assert [entry.action for entry in AuditEntry.objects.filter(object_id=row.public_id).order_by("id")] == [
        "view_as.started",
        "view_as.ended",
    ]
    assert end_overdue() == 0


def test_viewing_ends_with_the_login(shop):
    user, client = employee(shop)
    start(client, shop.customer)
    deactivate_user(shop.staff, membership=Membership.objects.get(user=user))
    assert client.get(reverse("storefront:order_list")).status_code == 302
    end_viewings()
    assert ViewAsSession.objects.get().end == ViewingEnd.REFUSED


def test_viewing_ends_at_sign_out(shop, viewer):
    viewer.post(reverse("account_logout"))
    row = ViewAsSession.objects.get()
    assert (row.end, row.ended_at is not None) == (ViewingEnd.SIGNED_OUT, True)
    assert viewer.get(reverse("storefront:order_list")).status_code == 302


def test_viewing_is_stopped_by_a_button(shop, viewer):
    stopped = viewer.post(reverse(STOP))
    assert stopped["Location"] == reverse("bss:account_detail", args=[shop.customer.public_id])
    assert ViewAsSession.objects.get().end == ViewingEnd.STOPPED
    assert viewer.post(reverse(STOP))["Location"] == HOME
    assert viewer.get(reverse(STOP)).status_code == 405
    assert not viewing(viewer)


def test_stop_takes_a_token(shop):
    client = signed_in(shop, factories.user(shop.organization, roles=[StaffRole.SUPPORT.value]), csrf=True)
    assert client.post(reverse(STOP)).status_code == 403


def test_second_viewing_ends_the_first(shop, viewer):
    start(viewer, shop.reseller)
    assert [(row.account, row.end) for row in ViewAsSession.objects.order_by("id")] == [
        (shop.customer, ViewingEnd.REPLACED),
        (shop.reseller, ""),
    ]
    assert viewer.get(HOME).wsgi_request.actor.account_id == shop.reseller.pk


def test_token_is_of_one_user_and_one_host(shop, viewer):
    token = viewer.session["viewing"]
    row = ViewAsSession.objects.get()
    assert token not in (row.token_hash, str(row.public_id))
    other = make_shop()
    for user, client in (employee(shop), employee(other), user_of(shop, shop.reseller)):
        session = client.session
        session["viewing"] = token
        session.save()
        assert client.get(HOME).wsgi_request.actor.account_id != shop.customer.pk, user
        assert "viewing" not in client.session
    row.refresh_from_db()
    assert row.ended_at is None
    assert viewing(viewer)


def test_start_and_end_are_in_the_audit_log(shop, viewer):
    user = User.objects.get(pk=viewer.get(HOME).wsgi_request.actor.user_id)
    viewer.post(reverse(STOP))
    first, last = AuditEntry.objects.filter(action__startswith="view_as.").order_by("id")
    assert (first.action, first.actor_user, first.reason, first.account, first.on_behalf_of) == (
        "view_as.started",
        user,
        WHY,
        shop.customer,
        shop.customer.name,
    )
    assert (last.action, last.actor_user, last.actor_label, last.actor_kind) == (
        "view_as.ended",
        user,
        str(user),
        "staff",
    )
    assert last.after["end"] == "stopped"


def test_customer_reads_who_looked(shop, viewer):
    url = reverse("storefront:viewing_list")
    row = ViewAsSession.objects.get()
    for client in (user_of(shop, shop.customer)[1], user_of(shop, shop.customer, StorefrontRole.BUYER)[1]):
        page = client.get(url).content.decode()
        assert str(row.user) in page
        assert WHY in page
        assert row.user.email not in page
    assert url in user_of(shop, shop.customer)[1].get(reverse("storefront:profile")).content.decode()
    for stranger in (shop.reseller, factories.account(shop.organization)):
        assert WHY not in user_of(shop, stranger)[1].get(url).content.decode()
    assert list(viewings_of(shop.reseller_admin)) == []


def test_name_of_an_employee_without_one_is_not_his_address(shop, viewer):
    User.objects.filter(pk=ViewAsSession.objects.get().user_id).update(first_name="", last_name="")
    page = user_of(shop, shop.customer)[1].get(reverse("storefront:viewing_list")).content.decode()
    assert "Customer service" in page
    assert "@people.test" not in page.split("<table")[1]


def kinds(shop: Shop) -> Iterator[Account]:
    yield from (shop.customer, shop.reseller, shop.end_customer, shop.affiliate)


def test_viewer_sees_no_more_than_the_accounts_admin(shop):
    for account in kinds(shop):
        sells, pays = account.kind == AccountKind.RESELLER, account.bill_to_id is None
        found = viewing_actor(shop.staff, account)
        assert found.perms == viewing_perms(sells=sells, pays=pays)
        assert found.perms <= storefront_perms([StorefrontRole.ADMIN.value], sells=sells, pays=pays)
        assert found.roles == frozenset()
        assert found.has(Perm.SHOP_PRICES_VIEW) == pays


def test_viewing_gives_rights_to_look_only():
    assert {perm for perm in VIEWING_PERMS if not perm.endswith("_view")} == set()
    assert not VIEWING_PERMS & {Perm.SHOP_ORDER, Perm.SHOP_SERVICES_MANAGE, Perm.SHOP_USERS_MANAGE, Perm.SHOP_WORKSPACE}


def test_reseller_is_seen_with_his_customers(shop):
    client = employee(shop)[1]
    start(client, shop.reseller)
    page = client.get(reverse("storefront:customer_list"))
    assert shop.end_customer.name in page.content.decode()
    assert client.get(reverse("storefront:customer_detail", args=[shop.customer.public_id])).status_code == 404


def test_superuser_may_look_and_loses_it_with_his_rights(shop):
    root = User.objects.create_superuser(f"root@people.test|{shop.organization.public_id}", factories.PASSWORD)
    client = signed_in(shop, root)
    assert start(client, shop.customer).status_code == 302
    assert viewing(client)
    User.objects.filter(pk=root.pk).update(is_superuser=False)
    assert not viewing(client)


def test_expired_viewing_does_not_hinder_the_next(shop, viewer, still_clock):
    first = ViewAsSession.objects.get()
    still_clock(clock.now() + dt.timedelta(hours=2))
    start(viewer, shop.customer)
    first.refresh_from_db()
    assert (first.end, first.ended_at) == (ViewingEnd.TIME, first.ends_at)
    assert viewing(viewer)
