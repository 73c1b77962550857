"""The catalogue in the BSS."""

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog.models import AddOnRelation, Category, Product
from core.audit import AuditEntry
from tests import factories
from tests.bss.staff import actions_of, count_queries, customer_client, rows_of, said, staff_client
from users.permissions import StaffRole
from vendors.models import Instance

pytestmark = pytest.mark.django_db
LIST = reverse("bss:product_list")


@pytest.fixture
def here():
    return factories.organization()


@pytest.fixture
def instance(here) -> Instance:
    return factories.instance(here)


def page(name: str, row: Product) -> str:
    return reverse(f"bss:product_{name}", args=[row.public_id])


def heads(response) -> list[str]:
    return [str(head["column"].label) for head in response.context["heads"]]


def test_list_filters_and_hides_costs(here, instance):
    first = factories.product(instance, name="Alpha", cost="7.50")
    second = factories.product(instance, name="Beta", is_published=False, segment="education")
    gone = factories.product(instance, name="Gamma", discontinued_at=timezone.now())
    factories.product(factories.instance(factories.organization()), name="Foreign")
    client = staff_client(here)
    response = client.get(LIST)
    assert rows_of(response) == [first, second, gone]
    assert heads(response)[-1] == "Cost from"
    assert "7.50\N{NO-BREAK SPACE}EUR" in response.content.decode()
    assert rows_of(client.get(LIST, {"published": "no"})) == [second]
    assert rows_of(client.get(LIST, {"segment": "education"})) == [second]
    assert rows_of(client.get(LIST, {"sold": "yes"})) == [first, second]
    assert rows_of(client.get(LIST, {"q": "gamm"})) == [gone]
    assert rows_of(client.get(LIST, {"instance": str(instance.public_id), "addon": "yes"})) == []
    plain = staff_client(here, StaffRole.SUPPORT).get(LIST)
    assert "Cost from" not in heads(plain)
    assert "7.50" not in plain.content.decode()
    assert customer_client(here, factories.account(here)).get(LIST).status_code == 403


def test_csv_has_costs_only_for_those_who_may_see_them(here, instance):
    factories.product(instance, name="Alpha", cost="7.50")

    def csv(*roles: str) -> str:
        response = staff_client(here, *roles).get(LIST, {"format": "csv"})
        return b"".join(response.streaming_content).decode()

    assert "7.5" in csv()
    assert "7.5" not in csv(StaffRole.READ_ONLY)


def test_list_needs_as_many_queries_for_three_rows(here, instance):
    client = staff_client(here)
    factories.product(instance)
    few = count_queries(client, LIST)
    factories.product(instance)
    factories.product(instance)
    assert count_queries(client, LIST) == few


def test_bulk_publish_tells_what_cannot_be(here, instance):
    good = factories.product(instance, is_published=False)
    bad = factories.product(instance, name="Old one", is_published=False, discontinued_at=timezone.now())
    data = {"action": "publish", "row": [str(good.public_id), str(bad.public_id)]}
    assert staff_client(here, StaffRole.SALES).post(LIST, data).status_code == 403
    response = staff_client(here).post(LIST, data, follow=True)
    assert said(response) == [
        "Old one: It cannot be published: the vendor no longer sells it.",
        "Publish: 1 row done.",
    ]
    published = Product.objects.filter(is_published=True)
    assert list(published) == [good]
    assert AuditEntry.objects.filter(action="product.published").count() == 1


def test_detail_shows_plans_costs_and_add_ons(here, instance):
    row, addon = factories.product(instance, cost="7.50"), factories.product(instance, name="More", is_addon=True)
    AddOnRelation.objects.create(organization=here, parent=row, addon=addon)
    response = staff_client(here).get(page("detail", row))
    assert response.context["addons"] == [addon]
    assert "7.50" in response.content.decode()
    plain = staff_client(here, StaffRole.READ_ONLY).get(page("detail", row))
    assert "7.50" not in plain.content.decode()
    assert "15.00" in plain.content.decode()
    assert actions_of(plain) == {}
    assert staff_client(factories.organization()).get(page("detail", row)).status_code == 404


def test_detail_says_why_it_cannot_be_published(here, instance):
    row = factories.product(instance, is_published=False, charge_type="recurring_pay_per_use")
    client = staff_client(here)
    why = "products of this kind cannot be ordered here"
    assert actions_of(client.get(page("detail", row))) == {"Edit": "", "Publish": why}
    refused = client.post(page("publish", row))
    assert refused.status_code == 400
    assert why in refused.content.decode()
    row.refresh_from_db()
    assert not row.is_published


def test_publish_and_unpublish(here, instance):
    row = factories.product(instance)
    client = staff_client(here)
    assert client.post(page("unpublish", row))["Location"] == page("detail", row)
    row.refresh_from_db()
    assert not row.is_published
    client.post(page("publish", row))
    row.refresh_from_db()
    assert row.is_published


def test_edit_changes_texts_and_category(here, instance):
    row = factories.product(instance)
    shelf = Category.objects.create(organization=here, name="Tools", slug="tools")
    foreign = Category.objects.create(organization=factories.organization(), name="Theirs", slug="theirs")
    client = staff_client(here)
    data = {"name": "Better name", "summary": "Short", "description": "Long", "is_featured": "on"}
    refused = client.post(page("edit", row), data | {"category": str(foreign.public_id)})
    assert list(refused.context["form"].errors) == ["category"]
    assert client.post(page("edit", row), data | {"category": str(shelf.public_id)}).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.summary, row.category, row.is_featured, row.is_new) == (
        "Better name",
        "Short",
        shelf,
        True,
        False,
    )
    shown = client.get(page("edit", row)).content.decode()
    assert f'value="{shelf.public_id}" selected' in shown
    assert staff_client(here, StaffRole.SALES).get(page("edit", row)).status_code == 403


def test_categories_are_made_and_changed(here):
    client = staff_client(here)
    shelves = reverse("bss:category_list")
    assert client.post(reverse("bss:category_new"), {"name": "Security", "position": "2"})["Location"] == shelves
    row = Category.objects.get(organization=here)
    assert rows_of(client.get(shelves)) == [row]
    edit = reverse("bss:category_edit", args=[row.public_id])
    client.post(edit, {"name": "Safety", "position": "1"})
    row.refresh_from_db()
    assert (row.name, row.position, row.slug) == ("Safety", 1, "safety")
    twin = client.post(reverse("bss:category_new"), {"name": "safety"})
    assert list(twin.context["form"].errors) == ["name"]
    assert staff_client(factories.organization()).get(edit).status_code == 404
    assert Category.objects.count() == 1
