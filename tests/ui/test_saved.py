"""Saved filters: a link under a name, nobody else's, twenty at most, checked against what the list declares."""

import pytest
from django.db import IntegrityError, transaction
from django.http import QueryDict
from django.urls import reverse

from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from core.tenancy import Actor
from resellers.models import Account, Membership, Organization
from resellers.selectors import actor_for
from tests import factories
from tests.bss.staff import count_queries, customer_client, rows_of, said, staff_client
from tests.shop import make_shop
from users.models import SavedFilter, User
from users.permissions import StaffRole
from users.selectors import saved_filters
from users.services.saved_filters import MAX_SAVED, change_filter, delete_filter, save_filter

pytestmark = pytest.mark.django_db
ACCOUNTS = reverse("bss:account_list")
PAGE = "bss:account_list"
SERVICES = reverse("storefront:subscription_list")


@pytest.fixture
def here():
    return factories.organization()


def save(client, query: str, name: str = "Mine", url: str = ACCOUNTS, **flags):
    """Save a list's present filters."""
    return client.post(f"{url}?{query}", {"action": "save_filter", "name": name} | flags)


def tabs_of(response) -> dict[str, tuple[str, bool]]:
    """The saved filters above a list: their addresses, and whether the list shows one of them."""
    shown = [*response.context["saved_tabs"], *response.context["saved_more"]]
    return {tab.row.name: (tab.url, tab.is_current) for tab in shown}


def user_of(client) -> User:
    return User.objects.get(pk=client.session["_auth_user_id"])


def acting(user: User, here: Organization, account: Account) -> Actor:
    """The user as he acts for one of his accounts."""
    return actor_for(user, factories.site_of(here), as_staff=False, chosen_account=str(account.public_id))


# --- Saving -----------------------------------------------------------------------------------------------------------


def test_saved_filter_is_a_link_to_the_filtered_list(here):
    german = factories.account(here, name="Alpha", country="DE")
    factories.account(here, name="Beta", country="FR")
    client = staff_client(here)
    response = save(client, "country=DE&sort=-name", "German ones")
    row = SavedFilter.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"{ACCOUNTS}?country=DE&sort=-name")
    assert (row.organization, row.user, row.account, row.page) == (here, user_of(client), None, PAGE)
    assert (row.name, row.query, row.is_shared, row.is_default) == (
        "German ones",
        "country=DE&sort=-name",
        False,
        False,
    )
    page = client.get(response["Location"])
    assert tabs_of(page) == {"German ones": (response["Location"], True)}
    assert rows_of(page) == [german]
    assert page.context["save_form"] is None
    assert tabs_of(client.get(ACCOUNTS)) == {"German ones": (response["Location"], False)}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("sort=name&country=DE&q=a", "q=a&country=DE&sort=name"),
        ("country=DE&after=x&before=y&size=50&format=csv&saved=none", "country=DE"),
        ("country=DE&kind=nonsense&sort=password&what=ever", "country=DE"),
        ("country=++DE++&kind=", "country=DE"),
        ("country=FR&country=DE", "country=DE"),
        ("q=%C3%BC+%26+b&country=a%3Db", "q=%C3%BC+%26+b&country=a%3Db"),
    ],
)
def test_only_what_the_list_declares_is_kept(here, given, kept):
    client = staff_client(here)
    save(client, given)
    row = SavedFilter.objects.get()
    assert row.query == kept
    assert tabs_of(client.get(f"{ACCOUNTS}?{given.replace('format=csv', '')}".replace("saved=none", "")))["Mine"][1]


@pytest.mark.parametrize("query", ["", "after=x", "kind=nonsense", "sort=password", "saved=none"])
def test_nothing_set_is_not_saved(here, query):
    client = staff_client(here)
    response = client.post(f"{ACCOUNTS}?{query}", {"action": "save_filter", "name": "Mine"}, follow=True)
    assert said(response) == ["Set a filter or an order first; then it can be saved."]
    assert not SavedFilter.objects.exists()
    assert client.get(f"{ACCOUNTS}?{query}").context["save_form"] is None


@pytest.mark.parametrize("name", ["", "   ", "x" * 41])
def test_name_is_needed_and_short(here, name):
    response = staff_client(here).post(f"{ACCOUNTS}?q=a", {"action": "save_filter", "name": name}, follow=True)
    assert (response.redirect_chain, len(said(response))) == ([(f"{ACCOUNTS}?q=a", 302)], 1)
    assert not SavedFilter.objects.exists()


def test_name_is_there_once_whatever_its_case(here):
    client = staff_client(here)
    save(client, "q=a", "Unpaid")
    response = client.post(f"{ACCOUNTS}?q=b", {"action": "save_filter", "name": " unPAID "}, follow=True)
    assert said(response)[1:] == ["You have a filter “unPAID” here already."]
    assert [row.query for row in SavedFilter.objects.all()] == ["q=a"]
    save(client, "q=b", "Unpaid", url=reverse("bss:order_list"))
    save(staff_client(here), "q=c", "Unpaid")
    assert SavedFilter.objects.count() == 3


def test_twenty_are_the_most_for_one_list_and_person(here):
    actor = factories.actor(here)
    for number in range(MAX_SAVED):
        save_filter(actor, page=PAGE, name=f"No. {number}", query=f"q={number}")
    with pytest.raises(Conflict, match="Twenty"):
        save_filter(actor, page=PAGE, name="One more", query="q=a")
    assert SavedFilter.objects.count() == MAX_SAVED
    save_filter(actor, page="bss:order_list", name="Elsewhere", query="q=a")
    save_filter(factories.actor(here), page=PAGE, name="Somebody else's", query="q=a")


def test_very_long_filters_are_refused(here):
    with pytest.raises(BusinessError, match="too long"):
        save_filter(factories.actor(here), page=PAGE, name="Long", query="q=" + "a" * 2000)


# --- The filter a list opens with -------------------------------------------------------------------------------------


def test_list_opens_with_the_default_and_everything_is_one_click_away(here):
    client = staff_client(here)
    save(client, "country=DE", "German", default="on")
    response = client.get(ACCOUNTS)
    assert (response.status_code, response["Location"]) == (302, f"{ACCOUNTS}?country=DE")
    page = client.get(response["Location"])
    assert f'href="{ACCOUNTS}?saved=none"' in page.content.decode()
    whole = client.get(ACCOUNTS, {"saved": "none"})
    assert (whole.status_code, whole.context["chips"], whole.context["is_unfiltered"]) == (200, [], True)
    for asked in ({"q": ""}, {"sort": "name"}, {"format": "csv"}):
        assert client.get(ACCOUNTS, asked).status_code == 200
    assert client.get(ACCOUNTS, headers={"HX-Request": "true"}).status_code == 200
    assert staff_client(here).get(ACCOUNTS).status_code == 200


def test_there_is_one_default(here):
    client = staff_client(here)
    save(client, "country=DE", "German", default="on")
    save(client, "country=FR", "French", default="on")
    assert client.get(ACCOUNTS)["Location"] == f"{ACCOUNTS}?country=FR"
    german = SavedFilter.objects.get(name="German")
    client.post(ACCOUNTS, {"action": "change_filter", "filter": german.public_id, "name": "German", "default": "on"})
    assert client.get(ACCOUNTS)["Location"] == f"{ACCOUNTS}?country=DE"
    assert SavedFilter.objects.filter(is_default=True).count() == 1


def test_colleague_s_shared_default_is_not_mine(here):
    save(staff_client(here), "country=DE", "German", default="on", shared="on")
    mine = staff_client(here).get(ACCOUNTS)
    assert (mine.status_code, tabs_of(mine)) == (200, {"German": (f"{ACCOUNTS}?country=DE", False)})


# --- Sharing, renaming, deleting --------------------------------------------------------------------------------------


def test_shared_filter_is_used_by_colleagues_and_changed_by_its_owner_only(here):
    owner, colleague = staff_client(here), staff_client(here, StaffRole.READ_ONLY)
    save(owner, "country=DE", "German", shared="on")
    row = SavedFilter.objects.get()
    assert set(tabs_of(colleague.get(ACCOUNTS))) == {"German"}
    manage = colleague.get(ACCOUNTS, {"saved": "manage"})
    assert ([tab.row for tab in manage.context["others"]], manage.context["own"]) == ([row], [])
    assert "Country: DE" in manage.content.decode()
    for action in ("change_filter", "delete_filter"):
        given = {"action": action, "filter": row.public_id, "name": "Theirs"}
        assert colleague.post(ACCOUNTS, given).status_code == 404
    row.refresh_from_db()
    assert row.name == "German"
    assert owner.post(ACCOUNTS, {"action": "change_filter", "filter": row.public_id, "name": "DE"}).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.is_shared, row.query) == ("DE", False, "country=DE")
    assert tabs_of(colleague.get(ACCOUNTS)) == {}
    gone = owner.post(ACCOUNTS, {"action": "delete_filter", "filter": row.public_id}, follow=True)
    assert said(gone)[-1] == "Deleted."
    assert not SavedFilter.objects.exists()


def test_private_filters_of_others_are_not_there(here):
    save(staff_client(here), "country=DE", "Private")
    row = SavedFilter.objects.get()
    strangers = [staff_client(here), staff_client(factories.organization())]
    for client in strangers:
        assert tabs_of(client.get(ACCOUNTS)) == {}
        assert "Private" not in client.get(ACCOUNTS, {"saved": "manage"}).content.decode()
        for action in ("change_filter", "delete_filter"):
            for key in (row.public_id, "6f4f1e7e-0000-4000-8000-000000000000", "nonsense", ""):
                given = {"action": action, "filter": key, "name": "Stolen"}
                assert client.post(ACCOUNTS, given).status_code == 404
    row.refresh_from_db()
    assert row.name == "Private"


def test_filter_of_another_list_is_not_there(here):
    client = staff_client(here)
    save(client, "q=a", "Orders'", url=reverse("bss:order_list"))
    row = SavedFilter.objects.get()
    assert client.post(ACCOUNTS, {"action": "delete_filter", "filter": row.public_id}).status_code == 404
    assert tabs_of(client.get(ACCOUNTS)) == {}


def test_page_one_may_not_open_keeps_nothing(here):
    reader = staff_client(here, StaffRole.READ_ONLY)
    assert save(reader, "q=a", url=reverse("bss:staff_list")).status_code == 403
    customer = customer_client(here, factories.account(here))
    assert save(customer, "q=a").status_code == 403
    assert not SavedFilter.objects.exists()


def test_unchecked_boxes_take_the_marks_away(here):
    client = staff_client(here)
    save(client, "q=a", shared="on", default="on")
    row = SavedFilter.objects.get()
    manage = client.get(ACCOUNTS, {"saved": "manage"})
    assert manage.content.decode().count(" checked") == 2
    client.post(ACCOUNTS, {"action": "change_filter", "filter": row.public_id, "name": "Mine"})
    row.refresh_from_db()
    assert (row.is_shared, row.is_default) == (False, False)


# --- Storefront -------------------------------------------------------------------------------------------------------


def test_customer_keeps_his_own_and_shares_nothing():
    shop = make_shop()
    client = customer_client(shop.organization, shop.customer)
    save(client, "status=active", url=SERVICES)
    row = SavedFilter.objects.get()
    assert (row.account, row.page) == (shop.customer, "storefront:subscription_list")
    page = client.get(SERVICES, {"q": "x"})
    assert ("shared" in page.context["save_form"].fields, set(tabs_of(page))) == (False, {"Mine"})
    assert save(client, "status=active", "Ours", url=SERVICES, shared="on").status_code == 403
    for other in (shop.customer, shop.reseller):
        assert tabs_of(customer_client(shop.organization, other).get(SERVICES)) == {}
    assert SavedFilter.objects.count() == 1


def test_person_of_two_accounts_keeps_them_apart(here):
    one, other = factories.account(here, "reseller"), factories.account(here)
    user = factories.user(here, of=one)
    Membership.objects.create(organization=here, user=user, account=other, roles=["admin"])
    first, second = (acting(user, here, row) for row in (one, other))
    save_filter(first, page="storefront:order_list", name="Mine", query="q=a")
    save_filter(second, page="storefront:order_list", name="Mine", query="q=b")
    assert [row.query for row in saved_filters(first, "storefront:order_list")] == ["q=a"]
    assert [row.query for row in saved_filters(second, "storefront:order_list")] == ["q=b"]


def test_reseller_s_user_does_not_see_his_customers_filters():
    shop = make_shop()
    save_filter(
        factories.actor(shop.organization, of=shop.end_customer), page="storefront:order_list", name="A", query="q=a"
    )
    assert list(saved_filters(shop.reseller_admin, "storefront:order_list")) == []


# --- Rules of the service and the database ----------------------------------------------------------------------------


def test_services_refuse_strangers_and_visitors(here):
    owner, other = factories.actor(here), factories.actor(here)
    row = save_filter(owner, page=PAGE, name="Mine", query="q=a", is_shared=True)
    for actor in (other, factories.actor(factories.organization())):
        with pytest.raises(NotVisible):
            change_filter(actor, page=PAGE, public_id=row.public_id, name="Theirs", is_shared=False, is_default=False)
        with pytest.raises(NotVisible):
            delete_filter(actor, page=PAGE, public_id=row.public_id)
    with pytest.raises(PermissionRefused):
        save_filter(factories.actor(here, of=factories.account(here)), page=PAGE, name="A", query="q=a", is_shared=True)
    row.refresh_from_db()
    assert row.name == "Mine"


@pytest.mark.parametrize(
    "values",
    [{"name": "MINE"}, {"is_default": True}, {"query": ""}, {"name": ""}],
    ids=["name", "default", "no query", "no name"],
)
def test_database_holds_the_rules(here, values):
    actor = factories.actor(here)
    save_filter(actor, page=PAGE, name="Mine", query="q=a", is_default=True)
    fresh = {"organization": here, "user_id": actor.user_id, "page": PAGE, "name": "Other", "query": "q=b"}
    with pytest.raises(IntegrityError), transaction.atomic():
        SavedFilter.objects.create(**(fresh | values))


def test_database_refuses_a_shared_filter_of_a_customer(here):
    account = factories.account(here)
    actor = factories.actor(here, of=account)
    with pytest.raises(IntegrityError), transaction.atomic():
        SavedFilter.objects.create(
            organization=here, user_id=actor.user_id, account=account, page=PAGE, name="A", query="q=a", is_shared=True
        )


def test_many_saved_filters_cost_one_statement(here):
    client = staff_client(here)
    save(client, "q=1", "One")
    few = count_queries(client, ACCOUNTS)
    for number in range(12):
        save(client, f"q={number}", f"No. {number}")
    assert count_queries(client, ACCOUNTS) == few
    page = client.get(ACCOUNTS)
    assert (len(page.context["saved_tabs"]), len(page.context["saved_more"])) == (8, 5)


def test_query_of_a_saved_filter_is_read_as_it_was_written(here):
    client = staff_client(here)
    save(client, "q=a%26kind%3Dreseller")
    assert QueryDict(SavedFilter.objects.get().query).dict() == {"q": "a&kind=reseller"}
