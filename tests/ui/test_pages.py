"""Pages: who gets in, what a list shows, sends and does, and what a form says."""

from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.core.exceptions import ImproperlyConfigured
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse

from catalog.models import Product
from core.errors import BusinessError, Conflict, PermissionRefused
from core.jobs import Job, JobState
from resellers.enums import AccountStatus
from resellers.models import Account
from tests import factories
from tests.bss.staff import customer_client, rows_of, said, staff_client
from ui.pages import Action, ActionPage, DetailPage, FormPage, JobPage, ListPage, Page
from users.permissions import Perm, StaffRole

pytestmark = pytest.mark.django_db
JOBS = reverse("bss:job_list")
PRODUCTS = reverse("bss:product_list")
ACCOUNTS = reverse("bss:account_list")
HTMX = {"HX-Request": "true"}


@pytest.fixture
def here():
    return factories.organization()


def make_job(here, title: str = "A job", **values: Any) -> Job:
    return Job.objects.create(organization=here, kind="test", title=title, **values)


def account_page(name: str, row: Account) -> str:
    return reverse(f"bss:account_{name}", args=[row.public_id])


# --- Who gets in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Page, ListPage, DetailPage, FormPage, ActionPage, JobPage])
def test_page_without_a_permission_is_found_at_start(kind):
    with pytest.raises(ImproperlyConfigured, match=f"{kind.__name__} declares no permission"):
        kind.as_view()
    assert callable(kind.as_view(perm=Perm.BSS_VIEW))


def test_visitor_goes_to_sign_in_and_comes_back(here):
    visitor = Client(headers={"host": factories.site_of(here).host})
    response = visitor.get(JOBS, {"state": "done", "q": "a b"})
    assert response.status_code == 302
    assert response["Location"] == f"{reverse('account_login')}?next={JOBS}%3Fstate%3Ddone%26q%3Da%2Bb"
    row = make_job(here)
    assert visitor.post(reverse("bss:job_detail", args=[row.public_id])).status_code == 302
    row.refresh_from_db()
    assert row.state == JobState.QUEUED


def test_part_of_a_page_leads_a_visitor_to_sign_in_as_a_whole(here):
    page = reverse("bss:job_detail", args=[make_job(here).public_id])
    response = Client(headers={"host": factories.site_of(here).host}).get(page, headers=HTMX)
    assert (response.status_code, response.content) == (200, b"")
    assert response["HX-Redirect"] == f"{reverse('account_login')}?next={page}"


def test_lacking_the_permission_is_403_and_changes_nothing(here):
    row = factories.account(here)
    page = account_page("hold", row)
    client = staff_client(here, StaffRole.READ_ONLY)
    assert client.get(page).status_code == 403
    assert client.post(page, {"reason": "Unpaid"}).status_code == 403
    assert customer_client(here, row).get(JOBS).status_code == 403
    row.refresh_from_db()
    assert row.status == AccountStatus.ACTIVE


@pytest.mark.parametrize("verb", ["put", "patch", "delete", "trace"])
def test_undeclared_verb_is_405(here, verb):
    row = make_job(here)
    client = staff_client(here)
    for page in (JOBS, reverse("bss:job_detail", args=[row.public_id]), reverse("bss:account_create")):
        assert getattr(client, verb)(page).status_code == 405


def test_post_to_a_list_without_actions_and_to_a_detail_page_is_405(here):
    client = staff_client(here)
    response = client.post(JOBS, {"action": "anything", "row": str(make_job(here).public_id)})
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert client.post(account_page("detail", factories.account(here))).status_code == 405


def test_foreign_and_missing_are_the_same_404(here):
    client = staff_client(here)
    foreign = client.get(account_page("detail", factories.account(factories.organization())))
    missing = client.get(ACCOUNTS + "6f4f1e7e-0000-4000-8000-000000000000/")
    assert (foreign.status_code, missing.status_code) == (404, 404)
    words = "There is nothing at this address, or it is not yours to see."
    assert (foreign.context["message"], missing.context["message"]) == (words, words)


def test_foreign_form_neither_opens_nor_acts(here):
    row = factories.account(factories.organization())
    client = staff_client(here)
    assert client.get(account_page("hold", row)).status_code == 404
    assert client.post(account_page("hold", row), {"reason": "Unpaid"}).status_code == 404
    row.refresh_from_db()
    assert row.status == AccountStatus.ACTIVE


# --- Lists ------------------------------------------------------------------------------------------------------------


def test_htmx_gets_the_table_alone(here):
    make_job(here)
    client = staff_client(here)
    part = client.get(JOBS, headers=HTMX)
    assert ("<html" in part.content.decode(), "<table" in part.content.decode()) == (False, True)
    assert "HX-Request" in part["Vary"]
    for more in ({"HX-Boosted": "true"}, {"HX-History-Restore-Request": "true"}):
        assert "<html" in client.get(JOBS, headers=HTMX | more).content.decode()


def test_pages_of_a_list_keep_its_filters(here):
    jobs = [make_job(here, f"Job {number:02}") for number in range(26)]
    client = staff_client(here)
    first = client.get(JOBS, {"q": "job", "sort": "title"})
    assert (rows_of(first), first.context["count"]) == (jobs[:25], 26)
    after = first.context["window"].after
    assert f'href="?q=job&amp;sort=title&amp;after={after.replace(":", "%3A")}"' in first.content.decode()
    second = client.get(JOBS, {"q": "job", "sort": "title", "after": after})
    assert rows_of(second) == jobs[25:]
    assert (
        rows_of(client.get(JOBS, {"q": "job", "sort": "title", "before": second.context["window"].before}))
        == (jobs[:25])
    )
    assert len(rows_of(client.get(JOBS, {"size": "50"}))) == 26


def test_heads_turn_the_order_around(here):
    make_job(here)
    heads = staff_client(here).get(JOBS, {"sort": "title", "q": "job", "after": "x"}).context["heads"]
    shown = {str(head["column"].label): (head["state"], head["url"]) for head in heads}
    assert shown["Job"] == ("ascending", "?q=job&sort=-title")
    assert shown["State"] == ("none", "?q=job&sort=state")
    assert shown["Progress"] == ("none", "")


def test_spreadsheet_is_the_filtered_list_in_the_order_of_the_page(here):
    make_job(here, "=HYPERLINK(1)", state=JobState.DONE)
    make_job(here, 'b, "quoted"', state=JobState.DONE)
    make_job(here, "c")
    make_job(factories.organization(), "foreign", state=JobState.DONE)
    client = staff_client(here)
    response = client.get(JOBS, {"format": "csv", "state": "done", "sort": "-title"})
    assert isinstance(response, StreamingHttpResponse)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="bss-jobs-')
    lines = b"".join(response.streaming_content).decode().splitlines()
    shown = rows_of(client.get(JOBS, {"state": "done", "sort": "-title"}))
    assert lines[0] == "\ufeffJob,Step,State,Progress,Started by,Requested,Ended"
    assert [line.split(",,done,")[0] for line in lines[1:]] == [
        {"=HYPERLINK(1)": "'=HYPERLINK(1)"}.get(row.title, '"b, ""quoted"""') for row in shown
    ]


def test_spreadsheet_has_rows_beyond_one_page_and_missing_values_last(here):
    for _number in range(30):
        make_job(here, "open")
    ended = make_job(here, "ended")
    Job.objects.filter(pk=ended.pk).update(finished_at="2026-03-01T12:00Z")
    client = staff_client(here)
    lines = b"".join(client.get(JOBS, {"format": "csv", "sort": "-finished_at"}).streaming_content).decode().split("\n")
    assert (len(lines), lines[1].split(",")[0]) == (33, "ended")
    assert rows_of(client.get(JOBS, {"sort": "-finished_at"}))[0] == ended


def test_spreadsheet_is_read_while_it_is_sent(here, django_assert_num_queries):
    make_job(here)
    response = staff_client(here).get(JOBS, {"format": "csv"})
    pieces = iter(response.streaming_content)
    with django_assert_num_queries(0):
        next(pieces)
    with django_assert_num_queries(1):
        assert next(pieces).startswith(b"A job,,queued")
    assert list(pieces) == []


def test_spreadsheet_leaves_out_the_columns_of_others(shop):
    url = PRODUCTS + "?format=csv"
    admin = b"".join(staff_client(shop.organization).get(url).streaming_content).decode()
    reader = b"".join(staff_client(shop.organization, StaffRole.READ_ONLY).get(url).streaming_content).decode()
    assert ("Cost" in admin, "Cost" in reader) == (True, False)


# --- Actions over many rows -------------------------------------------------------------------------------------------


def test_bulk_action_does_what_it_can_and_tells_refusals_row_by_row(shop):
    good = factories.product(shop.instance, is_published=False, name="Good")
    bad = factories.product(shop.instance, is_published=False, name="Bad")
    bad.plans.all().delete()
    foreign = factories.product(factories.instance(factories.organization()), is_published=False)
    chosen = [str(row.public_id) for row in (bad, good, foreign, good)]
    response = staff_client(shop.organization).post(
        PRODUCTS + "?published=no", {"action": "publish", "row": [*chosen, "nonsense"]}, follow=True
    )
    assert response.redirect_chain == [(PRODUCTS + "?published=no", 302)]
    words = said(response)
    assert [text.partition(":")[0] for text in words] == ["Bad", "Publish"]
    assert words[1] == "Publish: 1 row done."
    published = Product.objects.filter(is_published=True)
    assert [published.filter(pk=row.pk).exists() for row in (good, bad, foreign)] == [True, False, False]


def test_bulk_action_needs_rows_a_name_and_the_permission(shop):
    client = staff_client(shop.organization)
    row = {"row": str(shop.product.public_id)}
    assert said(client.post(PRODUCTS, {"action": "unpublish"}, follow=True)) == ["Tick the rows first."]
    assert client.post(PRODUCTS, {"action": "explode"} | row).status_code == 400
    reader = staff_client(shop.organization, StaffRole.READ_ONLY)
    assert reader.post(PRODUCTS, {"action": "unpublish"} | row).status_code == 403
    assert 'name="row"' not in reader.get(PRODUCTS).content.decode()
    assert 'name="row"' in client.get(PRODUCTS).content.decode()
    shop.product.refresh_from_db()
    assert shop.product.is_published


# --- Forms ------------------------------------------------------------------------------------------------------------


class _Form(forms.Form):
    name = forms.CharField()
    size = forms.IntegerField(required=False)


class _Refuses(FormPage):
    perm = Perm.BSS_VIEW
    form_class = _Form
    error: BusinessError


def refused(error: BusinessError) -> dict[str, list[str]]:
    """What a form shows after its service refused."""
    form = _Form({"name": "a"})
    assert form.is_valid()
    _Refuses().refuse(form, error)
    return {name: [str(text) for text in texts] for name, texts in form.errors.items()}


def test_refusal_stands_at_the_field_it_names():
    assert refused(BusinessError("taken", "Taken.", field="name")) == {"name": ["Taken."]}
    assert refused(BusinessError("odd", "Odd.", field="elsewhere")) == {"__all__": ["Odd."]}
    assert refused(BusinessError("no", "No.")) == {"__all__": ["No."]}
    several = BusinessError("both", "Both.", context={"fields": {"name": "Short.", "size": "Big.", "x": "Else."}})
    assert refused(several) == {"name": ["Short."], "size": ["Big."], "__all__": ["Else."]}


def test_form_page_says_what_is_wrong_and_keeps_what_was_typed(here):
    row = factories.account(here)
    response = staff_client(here).post(account_page("edit", row), {"name": "", "city": "Potsdam"})
    page = response.content.decode()
    assert response.status_code == 400
    assert ('<a href="#id_name">' in page, 'value="Potsdam"' in page) == (True, True)
    row.refresh_from_db()
    assert row.city == "Berlin"


def test_form_page_saves_and_goes_on(here):
    row = factories.account(here)
    client = staff_client(here)
    page = account_page("credit", row)
    data = {key: value for key, value in client.get(page).context["form"].initial.items() if value is not None}
    response = client.post(page, data | {"credit_limit": "2500"}, follow=True)
    assert response.redirect_chain == [(account_page("detail", row), 302)]
    assert said(response) == ["Saved."]
    row.refresh_from_db()
    assert row.credit_limit == Decimal(2500)


@pytest.mark.parametrize(
    ("error", "raised"), [(PermissionRefused("no", "No."), True), (Conflict("late", "Late."), False)]
)
def test_form_page_leaves_missing_rights_to_the_middleware(here, rf, error, raised):
    class Refusing(FormPage):
        perm = Perm.BSS_VIEW
        template_name = "ui/form.html"
        form_class = _Form

        def perform(self, form):
            raise error

    request = rf.post("/", {"name": "a"})
    request.actor = factories.actor(here)
    if raised:
        with pytest.raises(PermissionRefused):
            Refusing.as_view()(request)
    else:
        response = Refusing.as_view()(request)
        assert (response.status_code, "Late." in response.content.decode()) == (400, True)


def test_action_page_asks_first_and_wants_its_reason(here):
    row = factories.account(here)
    client = staff_client(here)
    page = account_page("hold", row)
    asked = client.get(page)
    assert (asked.status_code, asked.templates[0].name) == (200, "ui/action_page.html")
    assert f'href="{account_page("detail", row)}"' in asked.content.decode()
    row.refresh_from_db()
    assert row.status == AccountStatus.ACTIVE
    response = client.post(page, {"reason": ""})
    assert response.status_code == 400
    assert 'id="id_reason_errors"' in response.content.decode()
    row.refresh_from_db()
    assert row.status == AccountStatus.ACTIVE
    assert client.post(page, {"reason": "Unpaid"}).status_code == 302
    row.refresh_from_db()
    assert row.status == AccountStatus.SUSPENDED


@pytest.mark.parametrize(("tone", "css"), [("primary", "button-primary"), ("danger", "button-danger"), ("", "")])
def test_button_of_an_action(tone, css):
    assert Action("Do", "/", tone=tone).css == css


# --- Jobs -------------------------------------------------------------------------------------------------------------


def test_job_page_shows_progress_and_its_moving_part(here):
    row = make_job(here, state=JobState.RUNNING, progress_done=3, progress_total=4, progress_text="Reading")
    page = reverse("bss:job_detail", args=[row.public_id])
    client = staff_client(here)
    html = client.get(page).content.decode()
    assert ('value="75"' in html, "3 / 4" in html, "Reading" in html, 'http-equiv="refresh"' in html) == (True,) * 4
    part = client.get(page, headers=HTMX)
    assert ("<html" in part.content.decode(), f'hx-get="{page}"' in part.content.decode()) == (False, True)
    assert "<html" in client.get(page, headers=HTMX | {"HX-History-Restore-Request": "true"}).content.decode()
    assert client.get(page.replace(str(row.public_id), str(row.public_id)[::-1])).status_code == 404


def test_ended_job_stands_still_and_shows_its_result(here):
    row = make_job(here, state=JobState.DONE, result={"new_products": 3})
    html = staff_client(here).get(reverse("bss:job_detail", args=[row.public_id])).content.decode()
    assert ("hx-trigger" in html, 'http-equiv="refresh"' in html) == (False, False)
    assert "<dt>New products</dt><dd>3</dd>" in html


def test_cancel_is_offered_to_who_may_and_works(here):
    row = make_job(here)
    page = reverse("bss:job_detail", args=[row.public_id])
    cancel = '<button class="button button-s" type="submit">Cancel</button>'
    reader, admin = staff_client(here, StaffRole.READ_ONLY), staff_client(here)
    assert (cancel in reader.get(page).content.decode(), cancel in admin.get(page).content.decode()) == (False, True)
    assert reader.post(page).status_code == 403
    assert said(admin.post(page, follow=True)) == ["It stops at its next step."]
    row.refresh_from_db()
    assert row.state == JobState.CANCELLED


def test_running_job_is_asked_to_stop(here):
    row = make_job(here, state=JobState.RUNNING)
    html = staff_client(here).post(reverse("bss:job_detail", args=[row.public_id]), follow=True).content.decode()
    row.refresh_from_db()
    assert (row.state, row.cancel_requested) == (JobState.RUNNING, True)
    assert "Stopping at its next step" in html
