"""API clients on the pages of both doors: who makes them, what is shown once, and that nobody sees another's."""

import pytest
from django.test import Client
from django.urls import reverse

from clients.models import ApiClient, ApiPolicy, ApiToken
from clients.services.clients import create_client, update_client
from clients.services.tokens import token_by_credentials
from core.audit import AuditEntry
from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from resellers.enums import Edition
from resellers.models import Account, PermissionRule
from resellers.services.rules import delete_rule
from tests import factories
from tests.api.caller import Program
from tests.shop import Shop, make_shop
from users.permissions import StorefrontRole

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def made_shop(module_rows: None) -> Shop:
    found = make_shop()
    Account.objects.filter(pk=found.reseller.pk).update(edition=Edition.STANDARD)
    found.reseller.refresh_from_db()
    return found


def browser(shop: Shop, *, of: Account | None = None, roles: list[str] | None = None) -> Client:
    client = Client(headers={"host": shop.site.host})
    client.force_login(factories.user(shop.organization, of=of, roles=roles))
    return client


def secret_in(html: str, row: ApiClient) -> str:
    """The secret that a page shows: the one text whose hash is kept."""
    from clients.selectors import secret_digest  # only here: what the page shows is compared with what is kept

    words = html.replace("<", " ").replace(">", " ").split()
    return next(word for word in words if secret_digest(word) == row.secret_hash)


def test_staff_make_rotate_and_revoke(shop: Shop):
    staff = browser(shop)
    answer = staff.post(reverse("bss:api_client_new"), {"name": "ERP", "account": "", "scopes": ["orders:read"]})
    row = ApiClient.objects.get(name="ERP")
    secret = secret_in(answer.content.decode(), row)
    assert (answer.status_code, answer["Cache-Control"], row.account, row.scopes) == (
        200,
        "no-store",
        None,
        ["orders:read"],
    )
    assert token_by_credentials(shop.organization.pk, key=row.key, secret=secret).scopes == ("orders:read",)
    for name in ("bss:api_client_list", "bss:api_policy"):
        assert secret not in staff.get(reverse(name)).content.decode()
    page = staff.get(reverse("bss:api_client", args=[row.public_id])).content.decode()
    assert row.key in page
    assert secret not in page
    answer = staff.post(reverse("bss:api_client_rotate", args=[row.public_id]))
    row.refresh_from_db()
    assert secret_in(answer.content.decode(), row) != secret
    assert staff.post(reverse("bss:api_client_revoke", args=[row.public_id])).status_code == 302
    row.refresh_from_db()
    assert (row.is_live, ApiToken.objects.count()) == (False, 0)
    written = AuditEntry.objects.filter(action__startswith="api_client.").order_by("pk")
    assert list(written.values_list("action", flat=True)) == [
        f"api_client.{w}" for w in ("created", "rotated", "revoked")
    ]
    assert secret not in str(list(written.values()))


def test_the_policy_and_the_shared_key(shop: Shop):
    staff = browser(shop)
    staff.post(reverse("bss:api_policy"), {"resellers_pricing": "on"})
    assert ApiPolicy.objects.get().resellers_pricing is True
    assert b"Reseller API key" in staff.post(reverse("bss:api_key_make")).content
    assert ApiPolicy.objects.get().shared_key
    staff.post(reverse("bss:api_key_drop"))
    assert ApiPolicy.objects.get().shared_key == ""


def test_a_reseller_manages_his_own(shop: Shop):
    admin = browser(shop, of=shop.reseller)
    answer = admin.post(reverse("storefront:api_client_new"), {"name": "Portal"})
    row = ApiClient.objects.get(name="Portal")
    assert (row.account_id, answer.status_code) == (shop.reseller.pk, 200)
    assert "/oauth/token" in answer.content.decode()
    assert b"Portal" in admin.get(reverse("storefront:api_client_list")).content
    other = factories.account(shop.organization, "reseller")
    Account.objects.filter(pk=other.pk).update(edition=Edition.STANDARD)
    stranger = browser(shop, of=other)
    assert b"Portal" not in stranger.get(reverse("storefront:api_client_list")).content
    for name in ("api_client", "api_client_rotate", "api_client_revoke"):
        address = reverse(f"storefront:{name}", args=[row.public_id])
        assert {stranger.get(address).status_code, stranger.post(address).status_code} == {404}
    assert ApiClient.objects.get(pk=row.pk).is_live


@pytest.mark.parametrize("edition", [Edition.BASIC, Edition.FREE])
def test_the_page_needs_an_edition_with_an_api(shop: Shop, edition: str):
    Account.objects.filter(pk=shop.reseller.pk).update(edition=edition)
    status = browser(shop, of=shop.reseller).get(reverse("storefront:api_client_list")).status_code
    assert status == (403 if edition == Edition.BASIC else 200)


def test_others_do_not_see_the_page(shop: Shop):
    address = reverse("storefront:api_client_list")
    assert browser(shop, of=shop.customer).get(address).status_code == 403
    buyer = browser(shop, of=shop.reseller, roles=[StorefrontRole.BUYER.value])
    assert buyer.get(address).status_code == 403


def test_rules_of_services(shop: Shop):
    with pytest.raises(BusinessError, match="resellers"):
        create_client(shop.staff, account=shop.customer, name="x")
    with pytest.raises(BusinessError) as refused:
        create_client(shop.staff, account=shop.reseller, name="x", scopes=["cost:read"])
    assert refused.value.code == "scope_unknown"
    with pytest.raises(NotVisible):
        create_client(shop.reseller_admin, account=None, name="x")
    with pytest.raises(PermissionRefused):
        create_client(factories.actor(shop.organization, roles=["sales"]), account=None, name="x")
    for number in range(10):
        create_client(shop.staff, account=None, name=f"n{number}")
    with pytest.raises(BusinessError) as refused:
        create_client(shop.staff, account=None, name="x")
    assert refused.value.code == "api_client_limit"


def test_nobody_signs_in_as_a_program(shop: Shop):
    row, secret = create_client(shop.staff, account=shop.reseller, name="x")
    assert not row.user.has_usable_password()
    assert not row.user.check_password(secret)
    assert row.user.memberships.count() == 0


# --- Permission rules -------------------------------------------------------------------------------------------------
def test_a_rule_narrows_what_a_program_sees(shop: Shop):
    mine = PermissionRule.objects.create(organization=shop.organization, name="Mine")
    other = PermissionRule.objects.create(organization=shop.organization, name="Others")
    Account.objects.filter(pk=shop.customer.pk).update(permission_rule=mine)
    Account.objects.filter(pk=shop.reseller.pk).update(permission_rule=other)
    staff = browser(shop)
    values = {"name": "ERP", "account": "", "permission_rule": str(mine.public_id)}
    answer = staff.post(reverse("bss:api_client_new"), values)
    row = ApiClient.objects.get(name="ERP")
    assert row.permission_rule == mine
    caller = Program(shop, row, secret_in(answer.content.decode(), row)).sign_in()

    def seen() -> set[int]:
        return {item["id"] for item in caller.get("/api/accounts?pageSize=100").json()["data"]}

    assert (shop.customer.pk in seen(), shop.reseller.pk in seen()) == (True, False)
    assert caller.get(f"/api/accounts/{shop.reseller.pk}").status_code == 404
    page = reverse("bss:api_client", args=[row.public_id])
    assert "Mine" in staff.get(reverse("bss:api_client_list")).content.decode()
    assert staff.get(page).context["form"]["permission_rule"].value() == mine.public_id
    assert staff.post(page, {"name": "ERP", "permission_rule": str(other.public_id)}).status_code == 302
    caller.sign_in()
    assert (shop.customer.pk in seen(), shop.reseller.pk in seen()) == (False, True)
    assert staff.post(page, {"name": "ERP", "permission_rule": ""}).status_code == 302
    caller.sign_in()
    assert {shop.customer.pk, shop.reseller.pk} <= seen()
    written = AuditEntry.objects.filter(action="api_client.updated").order_by("pk")
    rules = [(entry.before["permission_rule"], entry.after["permission_rule"]) for entry in written]
    assert rules == [("Mine", "Others"), ("Others", "")]


def test_only_programs_of_the_organization_have_a_rule(shop: Shop):
    rule = PermissionRule.objects.create(organization=shop.organization, name="Mine")
    foreign = PermissionRule.objects.create(organization=factories.organization(), name="Foreign")
    with pytest.raises(BusinessError) as refused:
        create_client(shop.staff, account=shop.reseller, name="x", permission_rule=rule)
    assert (refused.value.code, refused.value.field) == ("rule_not_here", "permission_rule")
    with pytest.raises(NotVisible):
        create_client(shop.staff, account=None, name="x", permission_rule=foreign)
    own, _secret = create_client(shop.staff, account=None, name="x")
    theirs, _secret = create_client(shop.staff, account=shop.reseller, name="y")
    with pytest.raises(NotVisible):
        update_client(shop.staff, client=own, values={"permission_rule": foreign})
    with pytest.raises(BusinessError):
        update_client(shop.staff, client=theirs, values={"permission_rule": rule})
    staff, admin = browser(shop), browser(shop, of=shop.reseller)
    values = {"name": "Z", "account": shop.reseller.pk, "permission_rule": str(rule.public_id)}
    answer = staff.post(reverse("bss:api_client_new"), values)
    assert (answer.status_code, "permission_rule" in answer.context["form"].errors) == (400, True)
    chosen = {"name": "Z", "account": "", "permission_rule": str(foreign.public_id)}
    assert staff.post(reverse("bss:api_client_new"), chosen).status_code == 400
    assert not ApiClient.objects.filter(name="Z").exists()
    for person, name in ((staff, "bss:api_client"), (admin, "storefront:api_client")):
        assert "permission_rule" not in person.get(reverse(name, args=[theirs.public_id])).context["form"].fields
    assert "permission_rule" not in admin.get(reverse("storefront:api_client_new")).context["form"].fields


def test_a_rule_that_narrows_a_program_is_not_deleted(shop: Shop):
    rule = PermissionRule.objects.create(organization=shop.organization, name="Mine")
    row, _secret = create_client(shop.staff, account=None, name="x", permission_rule=rule)
    with pytest.raises(Conflict) as refused:
        delete_rule(shop.staff, rule=rule)
    assert refused.value.code == "rule_in_use"
    update_client(shop.staff, client=row, values={"permission_rule": None})
    delete_rule(shop.staff, rule=rule)
