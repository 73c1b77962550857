"""Lists in a real browser: filter, save, open with it, put in order, download; with and without JavaScript."""

import re
from typing import Any

import pytest
from openpyxl import load_workbook

from core import outbox
from resellers.models import Organization, Site
from tests import factories
from tests.browser.test_walk import Walk, email_of
from ui.pages import export
from users.models import SavedFilter

pytestmark = pytest.mark.django_db(transaction=True)
LOOKS = {"light": {"color_scheme": "light"}, "dark": {"color_scheme": "dark"}}


@pytest.fixture
def here(live_server: Any) -> Organization:
    """A distributor at the address of the test server, with accounts in three countries."""
    row = factories.organization(name="Aster Distribution")
    Site.objects.filter(organization=row).update(host="localhost")
    factories.user(row)
    for number in range(30):
        country = ("DE", "FR", "GR")[number % 3]
        name = f"Company {number:02}{' Anchor' if number > 20 else ''}"
        factories.account(row, ("direct", "reseller")[number % 2], name=name, country=country)
    return row


def see(walk: Walk, name: str) -> None:
    """Nothing sticks out at the side, and nothing went wrong in the page; keeps a picture."""
    size = walk.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert size[0] <= size[1], f"{name} is wider than its window: {size}"
    walk.shot(name)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("script", [True, False], ids=["script", "plain"])
def test_filter_is_saved_used_and_deleted(here, browser, live_server, look, script):
    walk = Walk(browser, live_server.url, java_script_enabled=script, **LOOKS[look])
    tag = f"{look}-{'script' if script else 'plain'}"
    page = walk.page
    walk.sign_in(email_of(None))
    walk.go("/bss/accounts/?kind=reseller")
    page.fill("input[type=search]", "anchor")
    page.press("input[type=search]", "Enter")
    page.wait_for_url(re.compile("q=anchor"))
    page.locator(".chip", has_text="anchor").wait_for()
    page.click("text=Save filter")
    see(walk, f"list-save-{tag}")
    page.fill("#save_name", "Resellers at anchor")
    page.check("#save_default")
    page.click("button[value=save_filter]")
    page.locator(".saved a[aria-current]", has_text="Resellers at anchor").wait_for()
    see(walk, f"list-saved-{tag}")
    walk.go("/bss/accounts/")
    assert "q=anchor" in page.url
    assert page.locator("tbody tr").count() == 5
    page.click(".saved a:has-text('All')")
    page.wait_for_url(re.compile("saved=none"))
    assert page.locator("tbody tr").count() == 25
    page.click("a[aria-label='Manage saved filters']")
    see(walk, f"list-manage-{tag}")
    page.fill("input[name=name]", "Anchors")
    page.check("input[name=shared]")
    page.uncheck("input[name=default]")
    page.click("button[value=change_filter]")
    page.wait_for_selector(".toasts .alert")
    row = SavedFilter.objects.get()
    assert (row.name, row.is_shared, row.is_default, row.query) == ("Anchors", True, False, "q=anchor&kind=reseller")
    page.click("button[value=delete_filter]")
    page.wait_for_selector("text=Nothing saved yet")
    see(walk, f"list-manage-empty-{tag}")
    assert not SavedFilter.objects.exists()
    assert walk.problems == []


@pytest.mark.parametrize("look", LOOKS)
def test_list_fits_a_telephone(here, browser, live_server, look):
    user = factories.user(here)
    for number in range(11):
        SavedFilter.objects.create(
            organization=here, user=user, page="bss:account_list", name=f"Number {number}", query=f"q={number}"
        )
    for width in (390, 1280):
        walk = Walk(browser, live_server.url, **LOOKS[look])
        walk.page.set_viewport_size({"width": width, "height": 850})
        walk.sign_in(user.email)
        walk.go("/bss/accounts/?kind=reseller&country=DE&unlimited=no")
        see(walk, f"list-{width}-{look}")
        walk.page.click("text=Save filter")
        see(walk, f"list-{width}-{look}-save")
        walk.page.click("summary:has-text('Export')")
        see(walk, f"list-{width}-{look}-export")
        walk.page.click("summary:has-text('Filters')")
        see(walk, f"list-{width}-{look}-filters")
        walk.go("/bss/accounts/?saved=manage")
        see(walk, f"list-{width}-{look}-manage")
        assert walk.problems == []


def test_workbook_is_downloaded_at_once_or_made_in_the_background(here, browser, live_server, monkeypatch, tmp_path):
    walk = Walk(browser, live_server.url)
    page = walk.page
    walk.sign_in(email_of(None))
    walk.go("/bss/accounts/?country=GR")
    page.click("summary:has-text('Export')")
    with page.expect_download() as found:
        page.click("text=Excel workbook (XLSX)")
    found.value.save_as(tmp_path / "small.xlsx")
    assert load_workbook(tmp_path / "small.xlsx").active.max_row == 11
    monkeypatch.setattr(export, "DIRECT_ROWS", 5)
    page.click("text=Excel workbook (XLSX)")
    page.wait_for_selector("text=A long list")
    see(walk, "export-asks")
    page.click("text=Make the spreadsheet")
    page.wait_for_selector("text=Queued")
    see(walk, "export-waits")
    outbox.run_due()
    page.wait_for_selector("a:has-text('Download')")
    see(walk, "export-done")
    with page.expect_download() as found:
        page.click("a:has-text('Download')")
    found.value.save_as(tmp_path / "long.xlsx")
    assert load_workbook(tmp_path / "long.xlsx").active.max_row == 11
    assert walk.problems == []
