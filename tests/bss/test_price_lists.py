"""Price lists in the BSS."""

from decimal import Decimal

import pytest
from django.urls import reverse

from catalog.models import Plan, Price, PriceList, PriceListAssignment
from resellers.enums import AccountKind
from tests import factories
from tests.bss.staff import count_queries, customer_client, rows_of, said, staff_client
from users.permissions import StaffRole

pytestmark = pytest.mark.django_db
LIST = reverse("bss:price_list_list")
EUR = "\N{NO-BREAK SPACE}EUR"


@pytest.fixture
def here():
    return factories.organization()


@pytest.fixture
def price_list(here) -> PriceList:
    return factories.price_list(here, name="Standard")


@pytest.fixture
def plan(here) -> Plan:
    return factories.product(factories.instance(here), name="Business Basic", cost="10.00").plans.get()


def page(name: str, row: PriceList, *args) -> str:
    return reverse(f"bss:price_{name}", args=[row.public_id, *args])


def form(**values):
    return {"name": "Gold", "currency": "EUR", "default_rule": "markup", "default_value": "12.5"} | values


def lines(response) -> list[list[str]]:
    """The cells of a list as text."""
    page_ = response.context["page"]
    columns = page_.shown_columns()
    return [[column.text(row) for column in columns] for row in rows_of(response)]


def test_list_shows_rules_and_numbers(here, price_list, plan):
    factories.price_list(factories.organization())
    Price.objects.create(organization=here, price_list=price_list, plan=plan, value=9)
    PriceListAssignment.objects.create(organization=here, account=factories.account(here), price_list=price_list)
    response = staff_client(here, StaffRole.READ_ONLY).get(LIST)
    assert lines(response) == [["Standard", "EUR", "Cost + 20\N{NO-BREAK SPACE}%", "1", "1", "", "", "False"]]
    assert customer_client(here, factories.account(here)).get(LIST).status_code == 403


def test_lists_need_as_many_queries_for_three_rows(here, price_list, plan):
    client = staff_client(here)
    detail, accounts = page("list_detail", price_list), page("list_accounts", price_list)
    factories.account(here)
    few = [count_queries(client, url) for url in (LIST, detail, accounts)]
    instance = plan.product.product_type.instance
    for _number in range(2):
        other = factories.price_list(here, to=factories.account(here))
        Price.objects.create(
            organization=here, price_list=price_list, plan=factories.product(instance).plans.get(), value=9
        )
        assert other.pk
    assert [count_queries(client, url) for url in (LIST, detail, accounts)] == few


def test_create_and_edit(here):
    client = staff_client(here)
    made = client.post(reverse("bss:price_list_new"), form())
    row = PriceList.objects.get(organization=here)
    assert made["Location"] == page("list_detail", row)
    assert (row.default_rule, row.default_value, row.is_default) == ("markup", Decimal("12.5"), False)
    edit = page("list_edit", row)
    bad = client.post(edit, form(valid_from="2026-05-01", valid_to="2026-04-01"))
    assert dict(bad.context["form"].errors) == {"valid_to": ["The last day lies before the first."]}
    assert client.post(edit, form(name="Silver", is_default="on", default_rule="")).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.is_default, row.default_rule) == ("Silver", True, "")
    assert staff_client(here, StaffRole.SALES).get(edit).status_code == 403
    assert staff_client(factories.organization()).get(edit).status_code == 404


def test_copy_changes_fixed_prices_only(here, price_list, plan):
    other = factories.product(plan.product.product_type.instance).plans.get()
    Price.objects.create(organization=here, price_list=price_list, plan=plan, rule="fixed", value=Decimal(20))
    Price.objects.create(organization=here, price_list=price_list, plan=other, rule="discount", value=Decimal(20))
    client = staff_client(here)
    copy = page("list_copy", price_list)
    assert client.get(copy).context["form"].initial["name"] == "Standard (copy)"
    assert client.post(copy, {"name": "Standard", "percent": "5"}).status_code == 400
    assert client.post(copy, {"name": "Dearer", "percent": "5"}).status_code == 302
    made = PriceList.objects.get(name="Dearer")
    found = [(row.plan, row.rule, row.value) for row in made.prices.order_by("id")]
    assert found == [(plan, "fixed", Decimal(21)), (other, "discount", Decimal(20))]


def test_detail_shows_prices_margins_and_warnings(here, price_list, plan):
    cheap = factories.product(plan.product.product_type.instance, name="Cheap", cost="10.00").plans.get()
    Price.objects.create(organization=here, price_list=price_list, plan=cheap, rule="fixed", value=Decimal(8))
    client = staff_client(here)
    detail = page("list_detail", price_list)
    response = client.get(detail)
    first, second = "Business Basic, 1 year, billed monthly", "Cheap, 1 year, billed monthly"
    assert lines(response) == [
        [first, "Cost + 20\N{NO-BREAK SPACE}% (list)", "12.00", "10.0000", "16.7 %", ""],
        [second, "Fixed price", "8.00", "10.0000", "-25.0 %", "Below cost"],
    ]
    assert f"12.00{EUR}" in response.content.decode()
    assert rows_of(client.get(detail, {"own": "yes"})) == [cheap]
    assert rows_of(client.get(detail, {"q": "basic"})) == [plan]
    plain = staff_client(here, StaffRole.READ_ONLY).get(detail)
    assert lines(plain)[1] == [second, "Fixed price", "8.00"]
    assert "Below cost" not in plain.content.decode()
    assert staff_client(factories.organization()).get(detail).status_code == 404


def test_set_and_remove_price(here, price_list, plan):
    client = staff_client(here)
    set_url, remove = page("set", price_list, plan.public_id), page("remove", price_list, plan.public_id)
    assert client.get(remove).status_code == 404
    assert f"12.00{EUR}" in client.get(set_url).content.decode()
    bad = client.post(set_url, {"rule": "discount", "value": "120"})
    assert list(bad.context["form"].errors) == ["value"]
    assert Price.objects.count() == 0
    assert client.post(set_url, {"rule": "fixed", "value": "11.50"})["Location"] == page("list_detail", price_list)
    price = Price.objects.get(price_list=price_list, plan=plan)
    assert (price.rule, price.value) == ("fixed", Decimal("11.50"))
    assert "Cost + 20\N{NO-BREAK SPACE}%" in client.get(remove).content.decode()
    assert client.post(remove).status_code == 302
    assert Price.objects.count() == 0


def test_price_of_a_foreign_plan_or_by_the_wrong_role_is_refused(here, price_list, plan):
    foreign = factories.product(factories.instance(factories.organization())).plans.get()
    data = {"rule": "fixed", "value": "1"}
    assert staff_client(here).post(page("set", price_list, foreign.public_id), data).status_code == 404
    assert staff_client(here, StaffRole.SALES).post(page("set", price_list, plan.public_id), data).status_code == 403
    assert Price.objects.count() == 0


def test_bulk_remove(here, price_list, plan):
    Price.objects.create(organization=here, price_list=price_list, plan=plan, value=9)
    client = staff_client(here)
    client.post(page("list_detail", price_list), {"action": "remove", "row": [str(plan.public_id)]})
    assert Price.objects.count() == 0


def test_assign_and_take_away(here, price_list):
    direct, reseller = factories.account(here), factories.account(here, AccountKind.RESELLER)
    other = factories.account(here, currency="USD")
    sub = factories.account(here, AccountKind.END_CUSTOMER, bill_to=reseller)
    client = staff_client(here)
    accounts = page("list_accounts", price_list)
    assert sub not in rows_of(client.get(accounts))
    data = {"action": "assign", "row": [str(row.public_id) for row in (direct, reseller, other)]}
    assert staff_client(here, StaffRole.SUPPORT).post(accounts, data).status_code == 403
    words = said(client.post(accounts, data, follow=True))
    assert words == [
        f"{other}: The list is in EUR, the account pays in USD.",
        "Assign this list: 2 rows done.",
    ]
    assert set(rows_of(client.get(accounts, {"assigned": "yes"}))) == {direct, reseller}
    assert rows_of(client.get(accounts, {"assigned": "no"})) == [other]
    taken = {"action": "take", "row": [str(direct.public_id), str(reseller.public_id)]}
    assert said(client.post(accounts, taken, follow=True)) == [
        f"{reseller}: A reseller needs a price list.",
        "Take this list away: 1 row done.",
    ]
    assert [row.account for row in PriceListAssignment.objects.all()] == [reseller]
