"""A reseller's catalogue as a table: what goes out comes in again, and nothing is half done."""

import io
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import Workbook, load_workbook

from catalog.models import Category, Listing, Plan, PlanCost, Product, SellingRule
from catalog.services import listing_tables
from catalog.services.listing_import import preview_import
from core import jobs
from core.jobs import Job
from core.models import AuditEntry
from resellers.models import Membership
from tests import factories
from tests.attack.browser import user_of
from tests.catalog.conftest import made_shop  # noqa: F401 - the fixture
from tests.catalog.selling import listing, rule
from tests.shop import Shop
from ui.sheet_reader import TableRow

pytestmark = pytest.mark.django_db
HEAD = "product code,listed,name,category,order,price rule\n"
HEADS = HEAD.strip().split(",")


@pytest.fixture
def browser(shop: Shop) -> Client:
    """The reseller's Admin."""
    return user_of(shop, shop.reseller)[1]


def upload(browser: Client, text: str | bytes, name: str = "table.csv") -> Any:
    """The preview of a file."""
    data = text.encode() if isinstance(text, str) else text
    return browser.post(reverse("storefront:shop_import"), {"file": SimpleUploadedFile(name, data)})


def confirm(browser: Client, preview: Any, *accepted: str) -> Any:
    """Take over what a preview showed."""
    given = {"token": preview.context["token"], "seen": preview.context["found"].digest, "accepted": accepted}
    return browser.post(reverse("storefront:shop_import"), given)


def problems(preview: Any) -> list[tuple[int, str]]:
    """The rows that cannot be taken."""
    return [(row.number, row.message) for row in preview.context["found"].problems]


def test_table_lists_names_shelves_and_prices(shop: Shop, browser: Client) -> None:
    shelf = Category.objects.create(organization=shop.organization, name="Office", slug="office")
    code = shop.product.code
    seen = upload(browser, HEAD + f"{code},yes,Mine,office,5,margin 25 %\n")
    assert (problems(seen), Listing.objects.count(), SellingRule.objects.count()) == ([], 0, 0)
    assert [label for label, _before, _after in seen.context["found"].changes[0].parts] == [
        "Name",
        "Order",
        "Category",
        "Price rule",
        "Listed",
    ]
    assert confirm(browser, seen).status_code == 302
    row = Listing.objects.get()
    assert (row.state, row.name, row.sort_name, row.category, row.position) == ("listed", "Mine", "Mine", shelf, 5)
    made = SellingRule.objects.get()
    assert (made.kind, made.value, made.product) == ("margin", 25, shop.product)
    assert AuditEntry.objects.filter(action="listing.imported").count() == 1


def test_what_goes_out_changes_nothing_when_it_comes_in(shop: Shop, browser: Client) -> None:
    shelf = Category.objects.create(organization=shop.organization, name="Office; Cloud", slug="office")
    Plan.objects.create(organization=shop.organization, product=shop.product, term="P1Y", billing_cycle="annual")
    listing(shop.reseller, shop.product, name="=Mine, all", category=shelf, position=7)
    for plan in shop.product.plans.all():
        rule(shop.reseller, "fixed", "14.50", plan=plan)
    rule(shop.reseller, "markup", "30", product=shop.product)
    listing(shop.reseller, factories.product(shop.instance, name="Other"), "unlisted")
    factories.product(shop.instance, name="Never listed")
    url = reverse("storefront:shop_table")
    csv = b"".join(browser.get(url, {"format": "csv"}).streaming_content)
    xlsx = b"".join(browser.get(url, {"format": "xlsx"}).streaming_content)
    for name, data in (("a.csv", csv), ("a.xlsx", xlsx)):
        seen = upload(browser, data, name)
        assert (problems(seen), seen.context["found"].rows, seen.context["found"].changes) == ([], 3, ())
        assert seen.context["found"].ignored == ()


def test_workbook_is_changed_and_taken_over(shop: Shop, browser: Client) -> None:
    rule(shop.reseller)
    data = b"".join(browser.get(reverse("storefront:shop_table"), {"format": "xlsx"}).streaming_content)
    book = load_workbook(io.BytesIO(data))
    heads = [cell.value for cell in book.active[1]]
    book.active.cell(2, heads.index("listed") + 1, "yes")
    book.active.cell(2, heads.index("order") + 1, 3)
    book.active.cell(2, heads.index("price rule") + 1, "mark-up 2.50 EUR")
    changed = io.BytesIO()
    book.save(changed)
    assert confirm(browser, upload(browser, changed.getvalue(), "b.xlsx")).status_code == 302
    row = Listing.objects.get()
    assert (row.state, row.position) == ("listed", 3)
    assert SellingRule.objects.get(product=shop.product).value == Decimal("2.50")


def test_bad_rows_are_named_and_nothing_is_done(shop: Shop, browser: Client) -> None:
    rule(shop.reseller)
    other = factories.product(shop.instance, name="Other")
    rows = [
        f"{other.code},yes,,,,",
        "no-such-code,yes,,,,",
        f"{shop.product.code},perhaps,,,,",
        f"{shop.product.code},yes,,Nowhere,,",
        f"{shop.product.code},yes,,,-1,",
        f"{shop.product.code},yes,,,,cheap",
        f"{shop.product.code},yes,,,,margin 100 %",
        f"{shop.product.code},yes,,,,fixed 9 EUR P3Y/monthly",
        f"{shop.product.code},yes,,,,mark-up 3 USD",
        f"{shop.product.code},yes,,,,margin 10 %; mark-up 20 %",
        f"{other.code},no,,,,",
        ",yes,,,,",
    ]
    seen = upload(browser, HEAD + "\n".join(rows))
    found = dict(problems(seen))
    assert sorted(found) == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]
    words = ("has the code", "yes or no", "no category", "whole number", "no price rule", "below 100", "which plan")
    assert [word for word in words if not any(word in text for text in found.values())] == []
    assert "stands in row 2 already" in found[12]
    assert confirm(browser, seen).status_code == 409
    assert Listing.objects.count() == 0
    assert not AuditEntry.objects.filter(action__startswith="listing.").exists()


def test_price_warnings_need_their_tick(shop: Shop, browser: Client) -> None:
    seen = upload(browser, f"Product code,Price rule\n{shop.product.code},fixed 9 EUR\n")
    assert "25 % below your purchase price." in seen.content.decode()
    refused = confirm(browser, seen)
    assert (refused.status_code, SellingRule.objects.count()) == (409, 0)
    assert confirm(browser, refused, "below_cost").status_code == 302
    row = SellingRule.objects.get()
    assert (row.plan, row.value, row.cost_seen) == (shop.plan, 9, 12)
    entry = AuditEntry.objects.get(action="listing.imported")
    assert "25 % below" in str(entry.after) and "9.00" not in str(entry.after)


def test_empty_cell_takes_the_rule_away_and_a_missing_column_does_not(
    shop: Shop,
    browser: Client,
) -> None:
    rule(shop.reseller)
    rule(shop.reseller, "markup", "30", product=shop.product)
    listing(shop.reseller, shop.product, name="Mine")
    assert upload(browser, f"product code,order\n{shop.product.code},100\n").context["found"].changes == ()
    confirm(browser, upload(browser, f"product code,price rule,name\n{shop.product.code},,\n"))
    assert (SellingRule.objects.count(), Listing.objects.get().sort_name) == (1, shop.product.name)


def test_other_changes_meanwhile_are_shown_again(shop: Shop, browser: Client) -> None:
    rule(shop.reseller)
    seen = upload(browser, f"product code,name\n{shop.product.code},Mine\n")
    listing(shop.reseller, shop.product, name="Hers")
    again = confirm(browser, seen)
    assert (again.status_code, Listing.objects.get().name) == (409, "Hers")
    assert confirm(browser, again).status_code == 302
    assert Listing.objects.get().name == "Mine"


def test_files_that_are_no_tables_are_refused(shop: Shop, browser: Client) -> None:
    book = io.BytesIO()
    Workbook().save(book)
    for data in (b"", b"PK\x03\x04", b"\xff\xfe\x00", b"a,b\n1,2\n", b"product code\n", book.getvalue()):
        assert upload(browser, data).status_code == 400


def test_an_upload_is_its_persons_alone(shop: Shop, browser: Client) -> None:
    seen = upload(browser, f"product code,name\n{shop.product.code},Mine\n")
    colleague = user_of(shop, shop.reseller)[1]
    assert "Upload it again" in confirm(colleague, seen).wsgi_request._messages._queued_messages[0].message
    assert Listing.objects.count() == 0


def test_foreign_products_are_not_there(shop: Shop, browser: Client) -> None:
    stranger = factories.organization()
    foreign = factories.product(factories.instance(stranger), name="Foreign")
    foreign.code = "foreign-code"
    foreign.save()
    text = f"product code,product id,name\nforeign-code,,A\n,{foreign.public_id},B\n"
    assert len(problems(upload(browser, text))) == 2


@pytest.fixture
def long_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table is a long one."""
    monkeypatch.setattr(listing_tables, "DIRECT_ROWS", 0)


def worked(answer: Any, kind: str) -> tuple[Job, str]:
    """The job somebody was sent to, done by a worker, and the address of its page."""
    job = Job.objects.get(kind=kind, state="queued")
    url = reverse("storefront:shop_import_job", args=[job.public_id])
    assert (answer.status_code, answer["Location"]) == (302, url)
    jobs.run_job(job.pk)
    job.refresh_from_db()
    return job, url


def preview_of(browser: Client, url: str) -> Any:
    """What the page of a job leads to."""
    link = f"{reverse('storefront:shop_import')}?token="
    page = browser.get(url)
    assert link in page.content.decode()
    return browser.get(page.context["result_url"])


def test_long_table_is_looked_at_and_taken_over_by_a_worker(shop: Shop, browser: Client, long_tables: None) -> None:
    sent = upload(browser, HEAD + f"{shop.product.code},yes,Mine,,5,margin 25 %\n")
    waiting = browser.get(sent["Location"]).content.decode()
    assert "every 1s" in waiting
    job, url = worked(sent, listing_tables.LOOK)
    assert (job.state, job.result, Listing.objects.count()) == ("done", {"rows": 1}, 0)
    seen = preview_of(browser, url)
    assert "Mine" in seen.content.decode()
    sent = confirm(browser, seen)
    assert Listing.objects.count() == 0
    job, url = worked(sent, listing_tables.TAKE)
    assert (job.state, job.result) == ("done", {"changed": 1, "listed": 1, "unlisted": 0})
    assert (Listing.objects.get().name, SellingRule.objects.get().value) == ("Mine", 25)
    assert reverse("storefront:shop_catalogue") == browser.get(url).context["result_url"]
    # The distributor's people read jobs as well.
    told = str([(row.title, row.params, row.result, row.error) for row in Job.objects.all()])
    assert "margin" not in told


def test_long_table_that_cannot_be_taken_over_is_shown_again(shop: Shop, browser: Client, long_tables: None) -> None:
    sent = upload(browser, f"product code,name,price rule\n{shop.product.code},Mine,fixed 9 EUR\n")
    seen = preview_of(browser, worked(sent, listing_tables.LOOK)[1])
    job, url = worked(confirm(browser, seen), listing_tables.TAKE)
    assert (job.state, job.result, Listing.objects.count()) == ("failed", {"code": "price_warning"}, 0)
    again = preview_of(browser, url)
    assert (again.status_code, again.context["found"].refusal) == (409, job.error)
    listing(shop.reseller, shop.product, name="Hers")
    job, url = worked(confirm(browser, again, "below_cost"), listing_tables.TAKE)
    assert job.result == {"code": "changed_meanwhile"}
    job, url = worked(confirm(browser, preview_of(browser, url), "below_cost"), listing_tables.TAKE)
    assert (job.state, Listing.objects.get().name) == ("done", "Mine")


def test_a_job_about_a_table_is_its_persons_and_his_while_he_may(
    shop: Shop, browser: Client, long_tables: None
) -> None:
    sent = upload(browser, f"product code,name\n{shop.product.code},Mine\n")
    assert user_of(shop, shop.reseller)[1].get(sent["Location"]).status_code == 404
    seen = preview_of(browser, worked(sent, listing_tables.LOOK)[1])
    sent = confirm(browser, seen)
    assert confirm(browser, seen)["Location"] == reverse("storefront:shop_catalogue")
    Membership.objects.filter(account=shop.reseller).update(roles=["buyer"])
    job, _url = worked(sent, listing_tables.TAKE)
    assert (job.state, job.result["code"], Listing.objects.count()) == ("failed", "permission_missing", 0)


def test_a_table_that_is_gone_is_to_be_uploaded_again(shop: Shop, browser: Client, long_tables: None) -> None:
    sent = upload(browser, f"product code,name\n{shop.product.code},Mine\n")
    cache.clear()
    job, url = worked(sent, listing_tables.LOOK)
    assert (job.state, job.result) == ("failed", {"code": "table_gone"})
    assert browser.get(url).context["result_url"] == reverse("storefront:shop_import")
    assert browser.get(reverse("storefront:shop_import"), {"token": "gone"}).status_code == 302


def test_statements_do_not_grow_with_rows(shop: Shop, settings: Any) -> None:
    settings.CLOCK_MOVABLE = False  # As in production: how far the clock was moved is not asked for.
    settings.BRIEF_SECONDS = 600
    rule(shop.reseller)
    organization, kind = shop.organization, shop.product.product_type

    def counted(first: int, number: int) -> int:
        codes = [f"code-{place}" for place in range(first, first + number)]
        products = Product.objects.bulk_create(
            Product(organization=organization, product_type=kind, code=code, name=code, is_published=True)
            for code in codes
        )
        plans = Plan.objects.bulk_create(
            Plan(organization=organization, product=row, term="P1M", billing_cycle="monthly") for row in products
        )
        PlanCost.objects.bulk_create(
            PlanCost(organization=organization, plan=row, currency="EUR", cost=10, retail=12) for row in plans
        )
        rows = [
            TableRow(2, dict(zip(HEADS, (code, "yes", f"My {code}", "", "7", "margin 30 %"), strict=True)))
            for code in codes
        ]
        with CaptureQueriesContext(connection) as seen:
            found = preview_import(shop.reseller_admin, reseller=shop.reseller, rows=rows)
        assert (found.problems, len(found.changes), found.listed) == ((), number, number)
        return len(seen)

    counted(9000, 1)  # What the process remembers is read once.
    assert counted(0, 100) == counted(1000, 1000)
