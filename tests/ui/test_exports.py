"""Files of lists: small ones at once, long ones as a job whose file only its person gets."""

import datetime as dt
import io
from typing import Any

import pytest
from django.db import connection
from django.http import FileResponse
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from openpyxl import load_workbook

from core import clock, jobs
from core.job_files import KEPT, JobFile
from core.jobs import Job, JobState
from resellers.models import Membership
from tests import factories
from tests.bss.staff import customer_client, said, staff_client
from tests.shop import fill_basket, place
from ui.pages import export
from ui.pages.export import EXPORT_LIST
from users.models import User
from users.permissions import StaffRole, StorefrontRole

pytestmark = pytest.mark.django_db
ACCOUNTS = reverse("bss:account_list")
PRODUCTS = reverse("bss:product_list")
ORDERS = reverse("storefront:order_list")
EXPORT = {"action": "export"}


@pytest.fixture
def here():
    return factories.organization()


@pytest.fixture
def long_lists(monkeypatch):
    """Lists of more than one row are long."""
    monkeypatch.setattr(export, "DIRECT_ROWS", 1)


def cells(response: Any) -> list[list[Any]]:
    """The workbook of an answer."""
    return [
        [cell.value for cell in row] for row in load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
    ]


def the_job() -> Job:
    return Job.objects.get(kind=EXPORT_LIST)


def run(job: Job) -> Job:
    jobs.run_job(job.pk)
    job.refresh_from_db()
    return job


def page(name: str, job: Job, door: str = "bss") -> str:
    return reverse(f"{door}:export_{name}", args=[job.public_id])


# --- At once ----------------------------------------------------------------------------------------------------------


def test_workbook_is_the_filtered_list_in_its_order(here):
    factories.account(here, name="Beta", country="DE")
    factories.account(here, name="Alpha", country="DE")
    factories.account(here, name="Gamma", country="FR")
    factories.account(factories.organization(), name="Foreign", country="DE")
    response = staff_client(here).get(ACCOUNTS, {"format": "xlsx", "country": "DE", "sort": "-name"})
    assert isinstance(response, FileResponse)
    assert response["Content-Type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert response["Content-Disposition"].startswith('attachment; filename="bss-accounts-')
    assert response["Content-Disposition"].endswith('.xlsx"')
    found = cells(response)
    assert (found[0][0], [row[0] for row in found[1:]]) == ("Name", ["Beta", "Alpha"])
    assert not Job.objects.exists()


def test_workbook_leaves_out_the_columns_of_others(shop):
    admin = cells(staff_client(shop.organization).get(PRODUCTS, {"format": "xlsx"}))[0]
    reader = cells(staff_client(shop.organization, StaffRole.READ_ONLY).get(PRODUCTS, {"format": "xlsx"}))[0]
    assert ("Cost" in " ".join(admin), "Cost" in " ".join(reader)) == (True, False)


def test_workbook_of_a_list_one_may_not_open_is_refused(here):
    client = staff_client(here, StaffRole.READ_ONLY)
    staff = reverse("bss:staff_list")
    assert client.get(staff, {"format": "xlsx"}).status_code == 403
    assert client.post(staff, EXPORT).status_code == 403
    assert customer_client(here, factories.account(here)).post(ACCOUNTS, EXPORT).status_code == 403
    assert not Job.objects.exists()


def test_unknown_format_is_the_page(here):
    assert "<html" in staff_client(here).get(ACCOUNTS, {"format": "pdf"}).content.decode()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_file_needs_as_many_statements_for_more_rows(here, kind):
    client = staff_client(here)
    counts = []
    for _number in range(3):
        factories.account(here, "end_customer", bill_to=factories.account(here, "reseller"))
        with CaptureQueriesContext(connection) as asked:
            b"".join(client.get(ACCOUNTS, {"format": kind}).streaming_content)
        counts.append(len(asked))
    # The first request of a session looks further than the others.
    assert counts[1] == counts[2]


# --- As a job ---------------------------------------------------------------------------------------------------------


def test_long_list_asks_first_and_changes_nothing(here, long_lists):
    factories.account(here)
    factories.account(here)
    response = staff_client(here).get(ACCOUNTS, {"format": "xlsx", "country": "DE", "after": "x"})
    html = response.content.decode()
    assert (response.status_code, response.templates[0].name) == (200, "ui/export_page.html")
    assert f'action="{ACCOUNTS}?country=DE"' in html
    assert f'href="{ACCOUNTS}?country=DE&amp;format=csv"' in html
    assert not Job.objects.exists()


def test_long_list_is_made_in_the_background_and_downloaded(here, long_lists):
    for name in ("Beta", "Alpha", "=Gamma"):
        factories.account(here, name=name, country="DE")
    factories.account(here, country="FR")
    client = staff_client(here)
    response = client.post(f"{ACCOUNTS}?country=DE&sort=-name", EXPORT)
    job = the_job()
    assert (response.status_code, response["Location"]) == (302, page("detail", job))
    assert (job.title, job.state, job.queue_task) == ("Spreadsheet: Accounts", "queued", "core.run_job_bulk")
    waiting = client.get(page("detail", job))
    assert ("hx-trigger" in waiting.content.decode(), page("file", job) in waiting.content.decode()) == (True, False)
    assert client.get(page("file", job)).status_code == 404
    assert waiting.context["crumbs"] == [("Accounts", f"{ACCOUNTS}?country=DE&sort=-name")]
    run(job)
    assert (job.state, job.error, job.result, job.progress_done, job.progress_total) == ("done", "", {"rows": 3}, 3, 3)
    assert f'href="{page("file", job)}"' in client.get(page("detail", job)).content.decode()
    file = client.get(page("file", job))
    assert file["Content-Disposition"] == f'attachment; filename="{job.params["file"]}"'
    assert (file["Cache-Control"], int(file["Content-Length"])) == ("private, no-store", JobFile.objects.get().size)
    assert [row[0] for row in cells(file)] == ["Name", "Beta", "Alpha", "=Gamma"]


def test_list_below_an_object_is_made_in_the_background(shop, long_lists):
    price_list = factories.price_list(shop.organization, name="Summer")
    client = staff_client(shop.organization)
    client.post(reverse("bss:price_list_detail", args=[price_list.public_id]), EXPORT)
    job = run(the_job())
    assert (job.title, job.state) == ("Spreadsheet: Summer", "done")
    assert cells(client.get(page("file", job)))[1][0] == str(shop.plan)


def test_one_at_a_time_for_each_person(here, long_lists):
    client = staff_client(here)
    first = client.post(ACCOUNTS, EXPORT)["Location"]
    again = client.post(PRODUCTS, EXPORT, follow=True)
    assert (again.redirect_chain, len(said(again))) == ([(first, 302)], 1)
    assert Job.objects.count() == 1
    staff_client(here).post(ACCOUNTS, EXPORT)
    assert Job.objects.count() == 2
    for job in Job.objects.all():
        run(job)
    assert client.post(ACCOUNTS, EXPORT)["Location"] != first


def test_who_started_it_stops_it_without_further_rights(here, long_lists):
    client = staff_client(here, StaffRole.READ_ONLY)
    client.post(ACCOUNTS, EXPORT)
    job = the_job()
    assert said(client.post(page("detail", job), follow=True)) == ["It stops at its next step."]
    assert run(job).state == JobState.CANCELLED
    assert not JobFile.objects.exists()


def test_running_export_stops_at_its_next_step(here, long_lists, monkeypatch):
    client = staff_client(here)
    client.post(ACCOUNTS, EXPORT)
    job = the_job()
    whole = export.Export.write_workbook

    def cancelled_meanwhile(self, *given):
        Job.objects.filter(pk=job.pk).update(cancel_requested=True)
        return whole(self, *given)

    monkeypatch.setattr(export.Export, "write_workbook", cancelled_meanwhile)
    assert (run(job).state, JobFile.objects.exists()) == (JobState.CANCELLED, False)


def test_nobody_else_sees_the_export_or_its_file(here, long_lists):
    mine = staff_client(here)
    mine.post(ACCOUNTS, EXPORT)
    job = run(the_job())
    others = [staff_client(here), staff_client(factories.organization())]
    for other in others:
        assert [other.get(page(name, job)).status_code for name in ("detail", "file")] == [404, 404]
        assert other.post(page("detail", job)).status_code == 404
    colleague = others[0].get(reverse("bss:job_detail", args=[job.public_id])).content.decode()
    own = mine.get(reverse("bss:job_detail", args=[job.public_id])).content.decode()
    assert (page("detail", job) in colleague, page("detail", job) in own) == (False, True)
    customer = customer_client(here, factories.account(here))
    assert [customer.get(page(name, job)).status_code for name in ("detail", "file")] == [403, 403]
    assert [customer.get(page(name, job, "storefront")).status_code for name in ("detail", "file")] == [404, 404]


def test_other_jobs_have_no_export_page(here):
    client = staff_client(here)
    user = User.objects.get(pk=client.session["_auth_user_id"])
    job = Job.objects.create(organization=here, kind="test", title="A job", user=user)
    assert [client.get(page(name, job)).status_code for name in ("detail", "file")] == [404, 404]


def test_file_is_there_for_a_day(here, long_lists, still_clock):
    client = staff_client(here)
    client.post(ACCOUNTS, EXPORT)
    now = clock.now()
    still_clock(now)
    job = run(the_job())
    still_clock(now + KEPT - dt.timedelta(seconds=1))
    assert client.get(page("file", job)).status_code == 200
    still_clock(now + KEPT)
    html = client.get(page("detail", job)).content.decode()
    assert ("is deleted now" in html, page("file", job) in html) == (True, False)
    assert client.get(page("file", job)).status_code == 404


# --- Rights at the time of the work -----------------------------------------------------------------------------------


def test_rights_lost_before_the_work_are_lost(here, long_lists):
    client = staff_client(here)
    staff = reverse("bss:staff_list")
    client.post(staff, EXPORT)
    job = the_job()
    Membership.objects.filter(user=job.user).update(roles=[StaffRole.READ_ONLY.value])
    run(job)
    assert (job.state, job.result["code"], JobFile.objects.exists()) == ("failed", "permission_missing", False)


def test_rights_lost_after_the_work_close_the_file(here, long_lists):
    client = staff_client(here)
    client.post(reverse("bss:staff_list"), EXPORT)
    job = run(the_job())
    assert client.get(page("file", job)).status_code == 200
    Membership.objects.filter(user=job.user).update(roles=[StaffRole.READ_ONLY.value])
    assert [client.get(page(name, job)).status_code for name in ("detail", "file")] == [403, 403]


@pytest.mark.parametrize("change", ["login", "membership"])
def test_person_who_is_gone_gets_nothing(here, long_lists, change):
    staff_client(here).post(ACCOUNTS, EXPORT)
    job = the_job()
    if change == "login":
        User.objects.filter(pk=job.user_id).update(is_active=False)
    else:
        Membership.objects.filter(user=job.user).delete()
    run(job)
    assert (job.state, JobFile.objects.exists()) == ("failed", False)


def test_list_whose_object_is_gone_fails_in_words(shop, long_lists):
    price_list = factories.price_list(shop.organization)
    staff_client(shop.organization).post(reverse("bss:price_list_detail", args=[price_list.public_id]), EXPORT)
    job = the_job()
    job.params["kwargs"]["public_id"] = "6f4f1e7e-0000-4000-8000-000000000000"
    job.save()
    run(job)
    assert (job.state, job.result) == ("failed", {"code": "list_gone"})


def test_columns_follow_the_rights_at_the_time_of_the_work(shop, long_lists):
    client = staff_client(shop.organization)
    client.post(PRODUCTS, EXPORT)
    job = the_job()
    Membership.objects.filter(user=job.user).update(roles=[StaffRole.READ_ONLY.value])
    run(job)
    assert "Cost" not in " ".join(cells(client.get(page("file", job)))[0])


# --- Storefront -------------------------------------------------------------------------------------------------------


def test_customer_gets_his_own_orders(shop, long_lists):
    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    place(shop.reseller_admin, fill_basket(shop, shop.reseller_admin))
    client = customer_client(shop.organization, shop.customer)
    response = client.post(ORDERS, EXPORT)
    job = run(the_job())
    assert (response["Location"], job.account) == (page("detail", job, "storefront"), shop.customer)
    assert (job.state, job.result["rows"]) == ("done", 1)
    assert [row[0] for row in cells(client.get(page("file", job, "storefront")))] == ["Number", order.number]
    colleague = customer_client(shop.organization, shop.customer)
    assert [colleague.get(page(name, job, "storefront")).status_code for name in ("detail", "file")] == [404, 404]
    assert staff_client(shop.organization).get(page("file", job)).status_code == 404


def test_customer_without_prices_gets_none(shop, long_lists):
    place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    client = customer_client(shop.organization, shop.customer)
    client.post(ORDERS, EXPORT)
    job = the_job()
    user = Membership.objects.filter(user=job.user)
    user.update(roles=[StorefrontRole.CLOUD_ADMINISTRATOR.value])
    assert run(job).state == "failed"


def test_words_are_in_the_language_of_the_person(shop, long_lists):
    client = customer_client(shop.organization, shop.customer)
    with translation.override("en"):
        client.post(ORDERS, EXPORT, headers={"Accept-Language": "el"})
    assert the_job().params["language"] == "el"
