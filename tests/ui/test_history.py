"""The audit log as sentences: words, and what customers and staff without rights do not read."""

import datetime as dt
from decimal import Decimal

import pytest
from django.template import Context, Template

from core import audit, clock
from core.audit import MASK, AuditEntry
from core.selectors import audit_log, history_for
from core.tenancy import Actor, ActorKind, system_actor
from resellers.enums import AccountStatus
from resellers.models import Membership
from resellers.services.accounts import set_credit, set_status, update_account
from sso.services.people import invite_user, remove_member, set_roles
from tests import factories
from tests.shop import Shop, make_shop
from ui.history import changes, difference, line, lines, reason, who, words_of
from users.permissions import StaffRole, StorefrontRole

pytestmark = pytest.mark.django_db


def last(action: str) -> AuditEntry:
    return AuditEntry.objects.filter(action=action).latest("id")


def texts(entry: AuditEntry, actor: Actor) -> list[str]:
    return [change.text for change in changes(entry, actor)]


def note(actor: Actor, shop: Shop, action: str = "subscription.licences_done", **values: object) -> AuditEntry:
    """An entry about the customer's account as if it were a service."""
    made = audit.record(actor, action, shop.customer, account=shop.customer, **values)
    made.object_type = "subscriptions.subscription"
    return made


def test_change_is_a_sentence(shop):
    entry = note(
        shop.customer_admin,
        shop,
        before={"quantity": 5, "status": "active", "auto_renew": True},
        after={"quantity": 8, "status": "suspended", "auto_renew": True, "operation": "1234"},
    )
    found = line(entry, shop.customer_admin)
    assert (found.words, found.who) == ("Buy licences: done", shop.customer_admin.label)
    assert [change.text for change in found.changes] == ["Quantity 5 → 8", "Status Active → Suspended"]
    assert found.text == "Quantity 5 → 8; Status Active → Suspended"


def test_only_what_is_in_both_or_new_is_told(shop):
    asked = note(shop.staff, shop, before={"quantity": 5, "status": "active"}, after={"quantity": 8})
    assert texts(asked, shop.staff) == ["Quantity 5 → 8"]
    gone = note(shop.staff, shop, before={"quantity": 5})
    assert texts(gone, shop.staff) == ["Quantity 5"]
    assert texts(note(shop.staff, shop), shop.staff) == []


def test_roles_and_statuses_are_in_words(shop):
    member = Membership.objects.get(user_id=shop.customer_admin.user_id)
    invite_user(
        shop.customer_admin,
        account=shop.customer,
        email="grace@account.test",
        first_name="Grace",
        last_name="Hopper",
        roles=[StorefrontRole.ADMIN.value],
    )
    set_roles(shop.customer_admin, membership=Membership.objects.latest("id"), roles=["admin", "buyer"])
    assert texts(last("user.roles_changed"), shop.customer_admin) == ["Roles Admin → Admin, Buyer"]
    remove_member(shop.customer_admin, membership=Membership.objects.exclude(pk=member.pk).latest("id"))
    assert texts(last("user.removed"), shop.customer_admin) == ["E-mail grace@account.test", "Roles Admin, Buyer"]
    set_status(shop.staff, account=shop.customer, status=AccountStatus.SUSPENDED, reason="Late payment")
    assert texts(last("account.status"), shop.customer_admin) == ["Status Active → On hold"]


def test_customer_does_not_read_notes_reasons_credit_or_names_of_the_staff(shop):
    update_account(
        shop.staff, account=shop.customer, values={"city": "Bonn", "notes": "Pays late", "accounting_number": "D-1"}
    )
    assert texts(last("account.updated"), shop.customer_admin) == ["City Berlin → Bonn"]
    assert "Notes Pays late" in texts(last("account.updated"), shop.staff)
    set_status(shop.staff, account=shop.customer, status=AccountStatus.SUSPENDED, reason="Late payment")
    entry = last("account.status")
    assert (reason(entry, shop.customer_admin), who(entry, shop.customer_admin)) == ("", "Customer service")
    assert (reason(entry, shop.staff), who(entry, shop.staff)) == ("Late payment", shop.staff.label)
    set_credit(shop.staff, account=shop.customer, values={"credit_limit": Decimal(5)})
    seen = history_for(shop.customer_admin, shop.customer)
    assert [item.action for item in seen] == ["account.status", "account.updated", "account.created"]
    assert [item.action for item in history_for(shop.staff, shop.customer, limit=1)] == ["account.credit"]


def test_customer_reads_reasons_written_for_him_and_his_own(shop):
    for actor, action, told in (
        (shop.staff, "order.cancelled", "Sold out"),
        (shop.staff, "order.executed", ""),
        (shop.customer_admin, "order.executed", "Sold out"),
        (system_actor(shop.organization.pk), "subscription.refused", ""),
    ):
        assert reason(note(actor, shop, action, reason="Sold out"), shop.customer_admin) == told


def test_money_is_for_those_who_see_prices(shop):
    entry = note(shop.reseller_admin, shop, "order.placed", after={"total": Decimal("1234.5000"), "quantity": 2})
    end_customer = factories.actor(shop.organization, of=shop.end_customer)
    assert texts(entry, shop.reseller_admin) == ["Total 1,234.50", "Quantity 2"]
    assert texts(entry, end_customer) == ["Quantity 2"]


def test_cost_is_masked_for_staff_without_the_right_to_it(shop):
    entry = audit.record(shop.staff, "price.set", shop.customer, after={"rule": "markup", "value": Decimal("20.0000")})
    entry.object_type = "catalog.pricelist"
    reader = factories.actor(shop.organization, roles=[StaffRole.READ_ONLY.value])
    assert texts(entry, reader) == []
    assert [(item.label, item.before, item.after) for item in difference(entry, reader)] == [
        ("Rule", MASK, MASK),
        ("Value", MASK, MASK),
    ]
    assert [item.after for item in difference(entry, shop.staff)][1] == "20"


def test_actors_in_words(shop):
    reader = shop.customer_admin
    automatic = note(system_actor(shop.organization.pk), shop)
    assert (who(automatic, reader), who(automatic, shop.staff)) == ("Automatically", "system")
    accepted = note(system_actor(shop.organization.pk, label="grace@account.test"), shop, "user.accepted")
    assert who(accepted, reader) == "grace@account.test"
    assert who(note(Actor(ActorKind.ANONYMOUS, shop.organization.pk), shop), reader) == "A visitor"
    assert who(note(shop.reseller_admin, shop), reader) == shop.reseller_admin.label


def test_history_is_of_visible_accounts_only(shop):
    other = make_shop()
    note(shop.staff, shop)
    assert [len(history_for(actor, shop.customer)) for actor in (shop.reseller_admin, other.staff)] == [0, 0]
    assert list(audit_log(other.customer_admin).filter(account=shop.customer)) == []
    assert history_for(shop.staff) == []


@pytest.mark.parametrize(
    ("kind", "name", "value", "shown"),
    [
        ("x", "quantity", 5, "5"),
        ("x", "quantity", None, ""),
        ("x", "active", False, "No"),
        ("x", "credit_limit", "100000.0000", "100,000.00"),
        ("x", "total", "0.1250", "0.125"),
        ("x", "percent", "20.5000", "20.5"),
        ("x", "until", "2026-01-15T10:30:00+00:00", "01/15/2026 10:30 a.m."),
        ("x", "what", "2026-01-15 odd", "2026-01-15 odd"),
        ("x", "settings", {"quantity": 5, "odd": ""}, "Quantity: 5, Odd: "),
        ("resellers.membership", "roles", "['buyer', 'support']", "Buyer, Support"),
        ("resellers.membership", "roles", "[]", ""),
        ("x", "list", "[1], [2]", "1], [2"),
        ("x", "list", "[not python]", "not python"),
        ("orders.order", "mode", "personal_use", "Personal use"),
        ("orders.order", "mode", "unheard_of", "unheard_of"),
    ],
)
def test_values_in_words(kind, name, value, shown):
    assert words_of(kind, name, value) == shown


def test_card_shows_six_and_folds_the_rest(shop, still_clock):
    still_clock(dt.datetime(2026, 1, 15, 12, tzinfo=dt.UTC))
    for quantity in range(8):
        note(shop.staff, shop, after={"quantity": quantity}, reason="<b>internal</b>")
    entries = list(AuditEntry.objects.filter(action="subscription.licences_done"))
    template = Template("{% load history %}{% history_card entries %}")
    page = template.render(Context({"entries": entries, "actor": shop.staff}))
    assert page.count("<li>") == 8
    assert page.split("<details")[0].count("<li>") == 6
    assert "&lt;b&gt;internal" in page
    shown = template.render(Context({"entries": entries, "actor": shop.customer_admin}))
    assert ("internal" in shown, shop.staff.label in shown) == (False, False)
    assert template.render(Context({"entries": [], "actor": shop.staff})).strip() == ""


def test_lines_are_made_without_asking_the_database(shop, django_assert_num_queries):
    note(shop.staff, shop, after={"quantity": 1})
    entries = list(audit_log(shop.customer_admin))
    with django_assert_num_queries(0):
        assert lines(entries, shop.customer_admin)[0].at <= clock.now()
