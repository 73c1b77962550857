"""``docs/adding-a-page.md`` works as it stands: its code is run, its pages are opened, its tests are called."""

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.urls import include, path, reverse

import bss.urls
import cloudbss.urls
from core.jobs import Job
from resellers.models import Contact
from tests import factories
from tests.bss.staff import rows_of, said, staff_client
from ui.nav import Entry

pytestmark = pytest.mark.django_db
GUIDE = Path(settings.BASE_DIR) / "docs" / "adding-a-page.md"
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
MODULE = ModuleType("adding_a_page")
exec(compile("\n".join(BLOCKS), str(GUIDE), "exec"), MODULE.__dict__)  # noqa: S102 - our own document
TESTS = sorted(name for name in vars(MODULE) if name.startswith("test_"))


@pytest.fixture
def here(settings: LazySettings) -> Any:
    """A distributor whose BSS has the guide's room."""
    urls = ModuleType("adding_a_page_urls")
    rooms = [*MODULE.urlpatterns, *bss.urls.urlpatterns]
    urls.urlpatterns = [path("bss/", include((rooms, "bss"))), *cloudbss.urls.urlpatterns]
    settings.ROOT_URLCONF = urls
    return factories.organization()


def page(name: str, row: Any = None) -> str:
    return reverse(f"bss:person_{name}", args=[row.public_id] if row else [])


@pytest.mark.parametrize("name", TESTS)
def test_test_of_the_guide(here, name):
    getattr(MODULE, name)(here)


def test_guide_has_tests_and_every_class():
    assert len(TESTS) == 4
    text = GUIDE.read_text()
    for kind in ("ListPage", "DetailPage", "FormPage", "ActionPage", "JobPage"):
        assert f"## {kind}" in text


def test_every_page_opens(here):
    client = staff_client(here)
    row = factories.account(here).contacts.get()
    job = Job.objects.create(organization=here, kind="test", title="A job", state="done")
    found = {name: client.get(page(name, row)).status_code for name in ("detail", "edit", "primary")}
    found |= {"list": client.get(page("list")).status_code, "job": client.get(page("job", job)).status_code}
    assert found == dict.fromkeys(["detail", "edit", "primary", "list", "job"], 200)
    assert rows_of(client.get(page("list"), {"q": row.last_name, "primary": "yes", "sort": "-account__name"})) == [row]
    assert rows_of(client.get(page("list"), {"primary": "no"})) == []


def test_form_and_bulk_action_work(here):
    client = staff_client(here)
    row = factories.account(here).contacts.get()
    assert client.post(page("edit", row), {"email": "nonsense"}).status_code == 400
    done = client.post(page("edit", row), {"email": "new@account.test"}, follow=True)
    assert (said(done), done.redirect_chain) == (["Saved."], [(page("detail", row), 302)])
    row.refresh_from_db()
    assert row.email == "new@account.test"
    refused = client.post(page("list"), {"action": "primary", "row": str(row.public_id)}, follow=True)
    assert said(refused) == [f"{row}: This is the primary contact already."]
    Contact.objects.update(is_primary=False)
    done = client.post(page("list"), {"action": "primary", "row": str(row.public_id)}, follow=True)
    assert said(done) == ["Make primary: 1 row done."]


def test_entry_of_the_navigation_leads_to_the_list(here):
    entry: Entry = MODULE.ENTRY
    assert reverse(entry.url_name) == page("list") == "/bss/people/"
