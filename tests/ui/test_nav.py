"""Navigation: every entry leads somewhere, is shown to who may open it, and one of them is current."""

import pytest
from django.db.models import QuerySet
from django.urls import resolve, reverse

from core.tenancy import Actor
from resellers.models import Membership
from tests import factories
from tests.bss.staff import staff_client
from ui import nav
from ui.icons import ICONS
from ui.nav import Entry, entries_of, items_for
from users.permissions import Perm, StaffRole

pytestmark = pytest.mark.django_db
ENTRIES = entries_of("bss")


@pytest.fixture
def here():
    return factories.organization()


def labels(actor: Actor, path: str = "/bss/") -> list[str]:
    return [item.label for _group, items in items_for("bss", actor, path) for item in items]


def test_door_without_entries_has_none(here):
    assert items_for("nowhere", factories.actor(here), "/") == []


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.url_name for entry in ENTRIES])
def test_entry_asks_for_what_its_page_asks_for(entry):
    page = resolve(reverse(entry.url_name)).func.view_class
    assert page.perm == entry.perm
    assert entry.icon in ICONS


def test_employees_see_what_they_may_open(here):
    admin = factories.actor(here)
    # Some rooms are those of a Professional reseller's organization, others those of his distributor's.
    rooms = [entry for entry in ENTRIES if entry.only is None or entry.only(admin)]
    assert labels(admin) == [str(entry.label) for entry in rooms]
    assert len(rooms) == len(ENTRIES) - 1
    reader = factories.actor(here, roles=[StaffRole.READ_ONLY.value])
    assert labels(reader) == [str(entry.label) for entry in rooms if reader.has(entry.perm)]


@pytest.mark.parametrize(
    ("path", "current"),
    [
        (reverse("bss:dashboard"), ["bss:dashboard"]),
        (reverse("bss:order_list"), ["bss:order_list"]),
        (reverse("bss:order_list") + "6f4f1e7e-0000-4000-8000-000000000000/", ["bss:order_list"]),
        ("/styleguide/", []),
    ],
)
def test_longest_address_is_current(here, path, current):
    items = [item for _group, found in items_for("bss", factories.actor(here), path) for item in found]
    assert [item.url for item in items if item.is_current] == [reverse(name) for name in current]


def test_count_is_asked_only_for_those_who_see_the_entry(here, monkeypatch):
    asked = []

    def count(actor: Actor) -> QuerySet[Membership]:
        asked.append(actor)
        return Membership.objects.filter(user_id=actor.user_id)

    monkeypatch.setattr(nav, "_entries", {})
    nav.declare("bss", [Entry("Desk", "bss:operation_list", "lifebuoy", "Work", Perm.OPERATION_VIEW, count)])
    admin = factories.actor(here)
    assert items_for("bss", factories.actor(here, roles=[StaffRole.BILLING.value]), "/") == []
    [(group, [item])] = items_for("bss", admin, "/")
    assert (group, item.count, item.is_current, asked) == ("Work", 1, False, [admin])


def test_page_marks_the_current_entry(here):
    html = staff_client(here).get(reverse("bss:job_list")).content.decode()
    assert html.count(f'href="{reverse("bss:job_list")}" aria-current="page"') == 1
