"""Custom fields: types and rules, all or nothing, who sees and sets them, filters and files in constant statements."""

from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.audit import AuditEntry
from core.custom_fields import CustomField, CustomValues, values_of
from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from resellers.services.custom_fields import archive_field, save_field, set_custom_values
from tests import factories
from tests.bss.staff import staff_client
from tests.shop import make_shop
from ui.custom_fields import shown_values
from users.permissions import StaffRole, StorefrontRole

pytestmark = pytest.mark.django_db


@pytest.fixture
def here():
    return factories.organization()


@pytest.fixture
def staff(here):
    return factories.actor(here)


def make(staff, code, field_type="text", entity="account", **values) -> CustomField:
    return save_field(
        staff, field=None, entity=entity, code=code, values={"name": code.title(), "field_type": field_type} | values
    )


@pytest.mark.parametrize(
    ("field_type", "value", "stored"),
    [
        ("text", " hello ", "hello"),
        ("number", "12.50", "12.5"),
        ("number", 1000, "1000"),
        ("date", "2026-12-31", "2026-12-31"),
        ("flag", "false", False),
        ("flag", True, True),
        ("list", "gold", "gold"),
        ("multi", ["silver", "gold"], ["gold", "silver"]),
    ],
)
def test_values_are_understood_by_type(here, staff, field_type, value, stored):
    account = factories.account(here)
    field = make(staff, "what", field_type, options=["gold", "silver"])
    assert set_custom_values(staff, account, {"what": value}) == {field.key: stored}
    assert values_of(account) == {field.key: stored}
    assert set_custom_values(staff, account, {"what": ""}) == {}


@pytest.mark.parametrize(
    ("field_type", "value"),
    [
        ("number", "x"),
        ("number", "NaN"),
        ("number", True),
        ("number", "1e400"),
        ("date", "31.12.2026"),
        ("flag", "perhaps"),
        ("list", "bronze"),
        ("list", ["gold"]),
        ("multi", "gold"),
        ("multi", ["bronze"]),
        ("text", "x" * 2001),
        ("text", {"a": 1}),
    ],
)
def test_what_is_not_understood_writes_nothing(here, staff, field_type, value):
    account = factories.account(here)
    make(staff, "what", field_type, options=["gold", "silver"])
    make(staff, "other")
    with pytest.raises(BusinessError) as caught:
        set_custom_values(staff, account, {"other": "good", "what": value})
    assert (caught.value.code, caught.value.field) == ("custom_invalid", "what")
    assert values_of(account) == {}


def test_one_unknown_or_read_only_code_writes_nothing(here, staff):
    account = factories.account(here)
    make(staff, "open", shop_editable=True)
    make(staff, "seen", shop_visible=True)
    make(staff, "hidden")
    customer = factories.actor(here, of=account)
    for bad, code in (("nothing", "custom_unknown"), ("hidden", "custom_unknown"), ("seen", "custom_read_only")):
        with pytest.raises(BusinessError) as caught:
            set_custom_values(customer, account, {"open": "a", bad: "b"})
        assert caught.value.code == code
    assert values_of(account) == {}
    set_custom_values(customer, account, {"open": "a"})
    assert len(values_of(account)) == 1
    assert AuditEntry.objects.filter(action="custom_values.set", account=account).count() == 1


def test_code_for_the_provisioning_system_names_a_field_too_and_is_unique(here, staff):
    account = factories.account(here)
    field = make(staff, "cost_centre", provisioning_code=4711)
    assert set_custom_values(staff, account, {"4711": "A1"}) == {field.key: "A1"}
    with pytest.raises(BusinessError) as caught:
        make(staff, "second", provisioning_code=4711)
    assert (caught.value.code, caught.value.field) == ("code_taken", "provisioning_code")
    with pytest.raises(BusinessError) as caught:
        make(staff, "cost_centre")
    assert caught.value.field == "code"
    make(staff, "second", entity="order", provisioning_code=4711)
    other = factories.actor(factories.organization())
    make(other, "cost_centre", provisioning_code=4711)


def test_only_sent_codes_change(here, staff):
    account = factories.account(here)
    first, second = make(staff, "first"), make(staff, "second")
    set_custom_values(staff, account, {"first": "1", "second": "2"})
    assert set_custom_values(staff, account, {"second": "3"}) == {first.key: "1", second.key: "3"}


def test_compulsory_field_stays_filled(here, staff):
    account = factories.account(here)
    make(staff, "must", is_required=True)
    make(staff, "may")
    set_custom_values(staff, account, {"may": "x"})  # Nobody is blamed for what was not sent.
    for value in ("", "  ", None):
        with pytest.raises(BusinessError) as caught:
            set_custom_values(staff, account, {"may": "y", "must": value})
        assert (caught.value.code, caught.value.field) == ("custom_required", "must")
    assert [row.words for row in shown_values(staff, account)] == ["", "x"]
    set_custom_values(staff, account, {"must": "x"})


@pytest.mark.parametrize("door", ["bss", "storefront"])
def test_forms_ask_for_compulsory_fields(door: str):
    shop = make_shop()
    make(shop.staff, "must", is_required=True, shop_visible=True, shop_editable=True)
    make(shop.staff, "may", shop_visible=True, shop_editable=True)
    person = factories.user(shop.organization, of=None if door == "bss" else shop.customer)
    page = Client(headers={"host": shop.site.host})
    page.force_login(person)
    path = reverse(f"{door}:account_custom", args=[shop.customer.public_id])
    refused = page.post(path, {"may": "x", "must": ""})
    assert (refused.status_code, set(refused.context["form"].errors)) == (400, {"must"})
    assert CustomValues.objects.count() == 0
    assert page.post(path, {"may": "x", "must": "y"}).status_code == 302


def test_each_changed_field_has_its_own_entry(here, staff):
    account = factories.account(here)
    for code in ("first", "second", "third"):
        make(staff, code)
    set_custom_values(staff, account, {"first": "1", "second": "2"})
    set_custom_values(staff, account, {"first": "1", "second": "4", "third": "3"})
    entries = AuditEntry.objects.filter(action="custom_values.set", account=account).order_by("pk")
    assert [(row.before, row.after) for row in entries] == [
        ({"First": ""}, {"First": "1"}),
        ({"Second": ""}, {"Second": "2"}),
        ({"Second": "2"}, {"Second": "4"}),
        ({"Third": ""}, {"Third": "3"}),
    ]


def test_default_is_shown_and_satisfies(here, staff):
    account = factories.account(here)
    make(staff, "tier", "list", options=["gold", "silver"], default="gold", is_required=True)
    assert [row.words for row in shown_values(staff, account)] == ["gold"]
    assert set_custom_values(staff, account, {}) == {}


def test_display_rule_by_attribute_of_the_customer(here, staff):
    direct, reseller = factories.account(here), factories.account(here, "reseller")
    make(staff, "partner", shown_attribute="kind", shown_values=["reseller"])
    assert (len(shown_values(staff, direct)), len(shown_values(staff, reseller))) == (0, 1)
    with pytest.raises(BusinessError):
        set_custom_values(staff, direct, {"partner": "x"})


def test_type_is_fixed_once_used_and_archiving_keeps_values(here, staff):
    account = factories.account(here)
    field = make(staff, "what")
    field = save_field(staff, field=field, values={"field_type": "number"})
    set_custom_values(staff, account, {"what": "5"})
    with pytest.raises(Conflict, match="the type stays"):
        save_field(staff, field=field, values={"field_type": "text"})
    archive_field(staff, field=field)
    assert shown_values(staff, account) == []
    with pytest.raises(BusinessError):
        set_custom_values(staff, account, {"what": "6"})
    archive_field(staff, field=field, restore=True)
    assert [row.words for row in shown_values(staff, account)] == ["5"]


def test_who_may_set_and_manage(here, staff):
    account = factories.account(here)
    field = make(staff, "what", shop_editable=True)
    for roles in ([StaffRole.SUPPORT.value], [StaffRole.READ_ONLY.value]):
        with pytest.raises(PermissionRefused):
            set_custom_values(factories.actor(here, roles=roles), account, {"what": "x"})
    with pytest.raises(PermissionRefused):
        save_field(factories.actor(here, roles=[StaffRole.SALES.value]), field=field, values={})
    foreign = factories.actor(factories.organization())
    for actor in (foreign, factories.actor(here, of=factories.account(here))):
        with pytest.raises(NotVisible):
            set_custom_values(actor, account, {"what": "x"})
    with pytest.raises(NotVisible):
        save_field(foreign, field=field, values={"name": "Mine"})
    buyer = factories.actor(here, of=account, roles=[StorefrontRole.BUYER.value])
    with pytest.raises(PermissionRefused):
        set_custom_values(buyer, account, {"what": "x"})
    assert not CustomValues.objects.exists()


def test_database_holds_one_row_for_each_object(here, staff):
    account = factories.account(here)
    CustomValues.objects.create(organization=here, entity="account", object_id=account.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        CustomValues.objects.create(organization=here, entity="account", object_id=account.pk)


def test_list_filters_and_files_have_the_search_criteria(here, staff):
    make(staff, "tier", "list", options=["gold", "silver"], is_search=True)
    make(staff, "tags", "multi", options=["a", "b"], is_search=True)
    make(staff, "since", "date", is_search=True)
    make(staff, "size", "number", is_search=True)
    make(staff, "vip", "flag", is_search=True)
    make(staff, "word", is_search=True)
    make(staff, "silent")
    gold, silver = factories.account(here, name="Goldman"), factories.account(here, name="Silverman")
    values = {"tier": "gold", "tags": ["a"], "since": "2026-01-02", "size": "5", "vip": True, "word": "Hello World"}
    set_custom_values(staff, gold, values)
    set_custom_values(staff, silver, {"tier": "silver", "tags": ["b"], "size": "50", "vip": False, "silent": "hush"})
    client = staff_client(here)
    for query in ("tier=gold", "tags=a", "since=2026-01-02", "size=5.0", "vip=true", "word=hello"):
        text = client.get(f"/bss/accounts/?c_{query}").content.decode()
        assert "Goldman" in text, query
        assert "Silverman" not in text, query
    text = client.get("/bss/accounts/?format=csv").getvalue().decode()
    assert "Silent" in text
    assert "hush" in text
    assert "c_silent" not in client.get("/bss/accounts/").content.decode()


def test_list_reads_values_with_its_rows(here, staff):
    make(staff, "word", is_search=True)

    def statements() -> int:
        client = staff_client(here)
        client.get("/bss/accounts/")
        with CaptureQueriesContext(connection) as found:
            client.get("/bss/accounts/?format=csv").getvalue()
        return len(found)

    set_custom_values(staff, factories.account(here), {"word": "x"})
    one = statements()
    for number in range(3):
        set_custom_values(staff, factories.account(here), {"word": str(number)})
    assert statements() == one


def test_pages_show_and_edit(here, staff):
    account = factories.account(here)
    client = staff_client(here)
    made = client.post(
        "/bss/setup/custom-fields/new/",
        {"entity": "account", "name": "Tier", "code": "tier", "field_type": "list", "options": "gold\nsilver",
         "ordering": "0", "shop_visible": "on"},
    )  # fmt: skip
    assert made.status_code == 302
    field = CustomField.objects.get()
    assert field.options == ["gold", "silver"]
    assert "Tier" in client.get("/bss/setup/custom-fields/").content.decode()
    assert client.get(f"/bss/setup/custom-fields/{field.public_id}/").status_code == 200
    page = f"/bss/accounts/{account.public_id}/"
    assert f"{page}custom/" in client.get(page).content.decode()
    assert client.post(f"{page}custom/", {"tier": "gold"}).status_code == 302
    assert "gold" in client.get(page).content.decode()
    assert client.post(f"{page}custom/", {"tier": "bronze"}).status_code == 400
    user = factories.user(here, of=account)
    shop = Client(headers={"host": factories.site_of(here).host})
    shop.post("/accounts/login/", {"login": user.email, "password": factories.PASSWORD})
    text = shop.get("/company/").content.decode()
    assert "gold" in text
    assert "/company/custom/" not in text
    assert shop.post(f"/company/custom/{account.public_id}/", {"tier": "silver"}).status_code in (302, 400)
    assert values_of(account) == {field.key: "gold"}
    assert client.post(f"/bss/setup/custom-fields/{field.public_id}/archive/").status_code == 302
    assert "gold" not in shop.get("/company/").content.decode()


# --- Ids of list entries and groups -----------------------------------------------------------------------------------
def edited(here, field, **values) -> None:
    """Save a field's form as it stands, with some of it typed anew."""
    client = staff_client(here)
    path = reverse("bss:field_edit", args=[field.public_id])
    form = client.get(path).context["form"]
    shown = {name: form[name].field.prepare_value(form[name].value()) for name in form.fields}
    given = {name: value for name, value in shown.items() if value is not None and value is not False}
    data = {name: "on" if value is True else value for name, value in given.items()}
    answer = client.post(path, data | values)
    assert answer.status_code == 302, answer.context["form"].errors
    field.refresh_from_db()


def lines(field, *texts) -> str:
    return "\n".join(f"{text} [{field.option_numbers[text]}]" for text in texts)


def test_entries_keep_their_ids_however_the_list_is_edited(here, staff):
    field = make(staff, "tier", "list", options=["gold", "silver", "iron"])
    first = dict(field.option_numbers)
    assert len(set(first.values())) == 3
    edited(here, field)
    assert field.option_numbers == first
    edited(here, field, options=lines(field, "iron", "gold") + "\nlead")
    assert field.options == ["iron", "gold", "lead"]
    assert {text: field.option_numbers[text] for text in first} == first
    assert field.option_numbers["lead"] not in first.values()
    edited(here, field, options=f"noble gold [{first['gold']}]\ngold\nsilver\nodd [999999999]")
    assert field.options == ["noble gold", "gold", "silver", "odd [999999999]"]
    numbers = [field.option_numbers[text] for text in field.options]
    assert (numbers[0], numbers[2]) == (first["gold"], first["silver"])  # Silver is back with the id it had.
    assert len(set(numbers)) == 4
    assert numbers[1] > max(first.values())
    other = make(staff, "rank", "list", options=["gold"])
    assert other.option_numbers["gold"] not in field.option_numbers.values()
    with pytest.raises(BusinessError) as caught:
        save_field(staff, field=field, values={"option_ids": {"gold": other.option_numbers["gold"]}})
    assert caught.value.code == "option_unknown"


def test_values_follow_entries_that_are_renamed(here, staff):
    tier = make(staff, "tier", "list", options=["gold", "silver", "iron"], default="gold")
    tags = make(staff, "tags", "multi", options=["a", "b", "c"])
    accounts = [factories.account(here) for _ in range(3)]
    for account, word, several in zip(accounts, tier.options, (["a", "b"], ["b", "c"], ["c"]), strict=True):
        set_custom_values(staff, account, {"tier": word, "tags": several})
    # Two entries change names with one another.
    numbers = tier.option_numbers
    swapped = f"silver [{numbers['gold']}]\ngold [{numbers['silver']}]\niron [{numbers['iron']}]"
    edited(here, tier, options=swapped, default="iron")
    edited(here, tags, options=lines(tags, "a") + f"\nbee [{tags.option_numbers['b']}]\n" + lines(tags, "c"))
    assert [values_of(row)[tier.key] for row in accounts] == ["silver", "gold", "iron"]
    assert [values_of(row)[tags.key] for row in accounts] == [["a", "bee"], ["bee", "c"], ["c"]]
    edited(here, tier, options=f"steel [{numbers['iron']}]", default="iron")
    assert tier.default == "steel"


def test_groups_keep_their_ids(here, staff):
    first, second = make(staff, "first", group="Sales"), make(staff, "second", group="Sales", entity="order")
    third = make(staff, "third", group="Tax")
    number = first.group_number
    assert (second.group_number, third.group_number == number) == (number, False)
    edited(here, first, group="Revenue", rename_group="on")
    second.refresh_from_db()
    assert [(row.group, row.group_number) for row in (first, second)] == [("Revenue", number)] * 2
    edited(here, second, group="Tax")
    assert second.group_number == third.group_number
    edited(here, second, group="")
    assert second.group_number is None
    edited(here, second, group="Fresh")
    assert second.group_number not in (number, third.group_number)
    with pytest.raises(BusinessError) as caught:
        save_field(staff, field=first, values={"group": "Tax", "rename_group": True})
    assert caught.value.code == "group_taken"


def test_the_migration_numbers_what_is_there(here, staff):
    one, two = make(staff, "one", "list", options=["b", "a"], group="G"), make(staff, "two", "list", options=["a"])
    three = make(staff, "three", group="G")
    CustomField.objects.update(option_numbers={}, group_number=None)
    migration = import_module("core.migrations.0010_custom_numbers")
    with connection.cursor() as cursor:
        cursor.execute(migration.NUMBER_OPTIONS)
        cursor.execute(migration.NUMBER_GROUPS)
    for row in (one, two, three):
        row.refresh_from_db()
    numbers = [one.option_numbers["b"], one.option_numbers["a"], two.option_numbers["a"]]
    assert numbers == sorted(set(numbers))
    assert (one.group_number, three.group_number, two.group_number) == (one.group_number, one.group_number, None)
    assert one.group_number is not None
