"""Which events webhooks tell, to whom, and how little of them leaves the house."""

import json
import uuid

import pytest

from api.contract import contract
from clients.models import ApiPolicy
from clients.services.clients import revoke_client
from core.errors import BusinessError, NotVisible, PermissionRefused
from notifications.models import WebhookDelivery
from notifications.services import events as events_module
from notifications.services.events import process_event
from notifications.services.webhooks import (
    create_webhook,
    delete_webhook,
    replay_delivery,
    rotate_webhook,
    update_webhook,
)
from notifications.services.webhooks import test_webhook as send_test
from notifications.topics import TOPICS, messages_of, sample_subject
from resellers.enums import Edition
from resellers.models import PermissionRule
from resellers.services.accounts import update_account
from subscriptions.enums import Purpose
from subscriptions.models import Subscription
from subscriptions.services.changes import open_change
from subscriptions.services.price import set_next_price
from tests import factories
from tests.bss.running import running
from tests.notifications.hooks import bodies, happen, hook, process_all, program_of, told, with_edition
from tests.shop import Shop, fill_basket, make_shop, place

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    found = make_shop()
    with_edition(found.reseller)
    return found


@pytest.fixture
def resold(shop: Shop) -> Subscription:
    """A running service of the reseller's end customer."""
    row = running(shop)
    values = {"account": shop.end_customer, "bill_to": shop.reseller, "purchase_mode": "end_customer"}
    Subscription.objects.filter(pk=row.pk).update(**values)
    process_all()
    return Subscription.objects.select_related("account").get(pk=row.pk)


def open_to_resellers(shop: Shop) -> None:
    switches = ("resellers_pricing", "resellers_synchronization", "resellers_usages")
    ApiPolicy.objects.update_or_create(organization=shop.organization, defaults=dict.fromkeys(switches, True))


# --- What is told -----------------------------------------------------------------------------------------------------
def test_an_order_is_told_from_beginning_to_end(shop):
    everything = hook(shop)
    running(shop)
    process_all()
    found = told(everything)
    for name in (
        "order.submitted",
        "subscription.created",
        "order.executing",
        "subscription.synchronization.started",
        "subscription.activated",
        "subscription.synchronization.succeeded",
        "order.executed",
    ):
        assert found.count(name) == 1, name


def test_changes_of_a_service_are_told(shop):
    row = running(shop)
    process_all()
    everything = hook(shop)
    operation = open_change(shop.staff, row, purpose=Purpose.REDUCE, desired={"quantity": 4, "was": 5})
    process_all()
    assert told(everything) == ["subscription.quantityrequest.updated"]
    body = bodies(everything)[0]
    assert body["data"]["id"] == str(operation.public_id)
    assert body["data"]["links"]["self"].endswith(f"{row.public_id}/quantityrequest/{operation.public_id}")


def test_prices_and_companies(shop):
    row = running(shop)
    process_all()
    everything = hook(shop)
    set_next_price(shop.staff, subscription=row, unit_price=row.unit_price + 1, reason="Agreed by phone")
    update_account(shop.staff, account=shop.customer, values={"name": "Dune Two", "city": "Athens"})
    update_account(shop.staff, account=shop.customer, values={"name": "Dune Two"})
    process_all()
    assert told(everything) == ["subscription.pricing_changed", "account.updated"]
    assert bodies(everything)[1]["changed"] == ["name", "billingAddress"]
    assert "Dune" not in json.dumps(bodies(everything))


@pytest.mark.parametrize(
    ("name", "payload", "topics"),
    [
        (
            "subscription.changed",
            {"purpose": "licences", "before": {"quantity": 5, "status": "active"}, "after": {"quantity": 7}},
            {"subscription.quantity_changed": ["quantity", "subscriptionAmount"]},
        ),
        (
            "subscription.changed",
            {"purpose": "auto_renew", "before": {"auto_renew": True}, "after": {"auto_renew": False}},
            {"subscription.updated": ["automaticRenewal"]},
        ),
        ("subscription.reactivated", {"before": {}, "after": {}}, {"subscription.resumed": ["status", "statusReason"]}),
        (
            "subscription.ending",
            {"before": {"status": "active"}, "after": {"status": "pending_cancel"}},
            {"subscription.updated": ["status", "statusReason"]},
        ),
        ("cancellation_request.submitted", {"kind": "cancel"}, {"subscription.cancellation_requested": None}),
        ("cancellation_request.submitted", {"kind": "cancel", "forwarded": True}, {}),
        (
            "cancellation_request.submitted",
            {"kind": "reduce", "request": str(uuid.uuid4())},
            {"subscription.quantityrequest.updated": ["status"]},
        ),
        ("subscription.change_asked", {"purpose": "cancel", "by_request": True}, {"subscription.updated": None}),
        ("subscription.change_asked", {"purpose": "cancel"}, {"subscription.cancellation_requested": None}),
        ("subscription.renewing", {}, {}),
        ("plan.activated", {}, {}),
    ],
)
def test_our_events_become_public_ones(name, payload, topics):
    found = messages_of(name, {"subscription": str(uuid.uuid4()), **payload})
    assert [message.topic.name for message in found] == list(topics)
    for message in found:
        expected = topics[message.topic.name]
        assert expected is None or list(message.changed) == expected


def test_every_topic_has_a_whole_sample():
    for topic in TOPICS.values():
        subject = sample_subject(topic)
        assert topic.kind.path.format(**subject)
        (message,) = [row for row in messages_of(_raw(topic.name), subject) if row.topic is topic] or [None]
        assert message is not None, topic.name


def _raw(name: str) -> str:
    """Our own name of an event whose public name means something else here."""
    return {
        "order.executed": "order.finished",
        "order.submitted": "order.placed",
        "order.executing": "order.executed",
    }.get(name, name)


def test_changed_members_are_members_of_the_contract():
    known = {name for schema in contract()["components"]["schemas"].values() for name in schema.get("properties", {})}
    assert {member for topic in TOPICS.values() for member in topic.changed} - known == set()


def test_an_event_processed_again_is_told_once(shop):
    everything = hook(shop)
    event = happen("account.updated", shop.customer)
    type(event).objects.filter(pk=event.pk).update(state="pending")
    process_event(event.pk)
    assert told(everything) == ["account.updated"]


def test_a_mail_that_fails_keeps_no_webhook_back(shop, monkeypatch):
    def broken(_event: object) -> None:
        raise ValueError

    everything = hook(shop)
    monkeypatch.setitem(events_module.HANDLERS, "account.updated", broken)
    event = happen("account.updated", shop.customer)
    event.refresh_from_db()
    assert (event.state, told(everything)) == ("pending", ["account.updated"])


def test_only_what_was_chosen(shop):
    some = hook(shop, events=("account.created",))
    happen("account.updated", shop.customer)
    happen("account.created", shop.customer)
    assert told(some) == ["account.created"]


# --- To whom ----------------------------------------------------------------------------------------------------------
def test_a_reseller_hears_of_his_own_alone(shop, resold):
    other = with_edition(factories.account(shop.organization, "reseller"))
    mine, his, ours = hook(shop, shop.reseller), hook(shop, other), hook(shop)
    stranger = make_shop()
    theirs = hook(stranger)
    happen("subscription.suspended", resold, before={}, after={})
    happen("account.updated", shop.end_customer)
    happen("account.updated", shop.customer)
    happen("account.updated", other)
    assert told(mine) == ["subscription.suspended", "account.updated"]
    assert told(his) == ["account.updated"]
    assert told(ours) == ["subscription.suspended", *["account.updated"] * 3]
    assert told(theirs) == []


def test_no_event_of_another_organization_by_a_foreign_id(shop, resold):
    stranger = make_shop()
    theirs = hook(stranger)
    happen("subscription.updated", stranger.customer, subscription=str(resold.public_id))
    assert told(theirs) == []


def test_switches_of_the_distributor_count(shop, resold):
    mine, ours = hook(shop, shop.reseller), hook(shop)
    for name in ("subscription.pricing_changed", "subscription.synchronization.failed", "subscription.usage.updated"):
        happen(name, resold, usage="azure")
    assert (told(mine), len(told(ours))) == ([], 3)
    open_to_resellers(shop)
    happen("subscription.pricing_changed", resold)
    assert told(mine) == ["subscription.pricing_changed"]


def test_scopes_and_permission_rules_count(shop):
    orders = hook(shop, scopes=("webhooks:manage", "orders:read"))
    narrow = hook(shop)
    rule = PermissionRule.objects.create(organization=shop.organization, name="Only these")
    hidden = PermissionRule.objects.create(organization=shop.organization, name="Not these")
    type(narrow.client).objects.filter(pk=narrow.client_id).update(permission_rule=rule)
    type(shop.customer).objects.filter(pk=shop.customer.pk).update(permission_rule=hidden)
    shop.customer.refresh_from_db()
    happen("account.updated", shop.customer)
    assert (told(orders), told(narrow)) == ([], [])
    type(shop.customer).objects.filter(pk=shop.customer.pk).update(permission_rule=rule)
    happen("account.updated", shop.customer)
    assert (told(orders), told(narrow)) == ([], ["account.updated"])


@pytest.mark.parametrize("loss", ["edition", "revoked", "scope"])
def test_who_may_have_no_webhooks_hears_nothing(shop, loss):
    mine = hook(shop, shop.reseller)
    match loss:
        case "edition":
            with_edition(shop.reseller, Edition.FREE)
        case "revoked":
            revoke_client(shop.staff, client=mine.client)
        case "scope":
            type(mine.client).objects.filter(pk=mine.client_id).update(scopes=["accounts:read"])
    happen("account.updated", shop.end_customer)
    assert told(mine) == []


def test_orders_stay_their_payers(shop):
    mine = hook(shop, shop.reseller)
    basket = fill_basket(shop, shop.reseller_admin, mode="end_customer", target=shop.end_customer)
    order = place(shop.reseller_admin, basket)
    process_all()
    assert "order.submitted" in told(mine)
    assert {body["data"]["id"] for body in bodies(mine) if body["type"].startswith("order.")} == {str(order.public_id)}


# --- Who manages them -------------------------------------------------------------------------------------------------
def test_ten_of_an_account(shop):
    for _number in range(5):
        hook(shop, events=("account.updated",))
    client = program_of(shop)
    for _number in range(5):
        create_webhook(shop.staff, client=client, url="https://a.example.com/", events=["account.updated"])
    with pytest.raises(BusinessError) as refused:
        create_webhook(shop.staff, client=client, url="https://a.example.com/", events=["account.updated"])
    assert refused.value.code == "webhook_limit"
    hook(shop, shop.reseller, events=("account.updated",))  # A reseller has ten of his own.


@pytest.mark.parametrize(
    "url",
    [
        "http://erp.example.com/",
        "ftp://erp.example.com/",
        "https://",
        "https://user:secret@erp.example.com/",
        "https://erp.example.com/#part",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://intranet/",
        "https://db.internal/",
        "https://erp.example.com:99999/",
        "https://erp.example.com\\@127.0.0.1/",
        "https://erp.example.com/ x",
        "https://erp.example.com/" + "x" * 500,
    ],
)
def test_addresses_that_are_no_receivers(shop, url):
    client = program_of(shop)
    with pytest.raises(BusinessError) as refused:
        create_webhook(shop.staff, client=client, url=url, events=["account.updated"])
    assert (refused.value.code, refused.value.field) == ("webhook_url", "url")


@pytest.mark.parametrize("names", [[], ["nothing.at_all"], ["webhook.test"], None])
def test_events_that_there_are_not(shop, names):
    with pytest.raises(BusinessError) as refused:
        create_webhook(shop.staff, client=program_of(shop), url="https://a.example.com/", events=names)
    assert refused.value.code == "webhook_events"


def test_nobody_else_touches_them(shop):
    mine, ours = hook(shop, shop.reseller), hook(shop)
    admin = factories.actor(shop.organization, of=shop.reseller)
    row = send_test(shop.staff, endpoint=ours)
    other = with_edition(factories.account(shop.organization, "reseller"))
    stranger, foreign = factories.actor(shop.organization, of=other), make_shop().staff
    buyer = factories.actor(shop.organization, of=shop.reseller, roles=["buyer"])
    sales = factories.actor(shop.organization, roles=["sales"])
    for actor, endpoint, error in (
        (stranger, mine, NotVisible),
        (stranger, ours, NotVisible),
        (admin, ours, NotVisible),
        (shop.customer_admin, ours, NotVisible),
        (foreign, ours, NotVisible),
        (buyer, mine, PermissionRefused),
        (sales, ours, PermissionRefused),
    ):
        for deed in (
            lambda who, what: update_webhook(who, endpoint=what, values={"url": "https://evil.example.com/"}),
            lambda who, what: rotate_webhook(who, endpoint=what),
            lambda who, what: send_test(who, endpoint=what),
            lambda who, what: replay_delivery(who, endpoint=what, public_id=row.public_id),
            lambda who, what: delete_webhook(who, endpoint=what),
        ):
            with pytest.raises(error):
                deed(actor, endpoint)
    with pytest.raises(NotVisible):
        replay_delivery(admin, endpoint=mine, public_id=row.public_id)
    with pytest.raises((NotVisible, PermissionRefused)):
        create_webhook(stranger, client=mine.client, url="https://a.example.com/", events=["account.updated"])
    delete_webhook(shop.staff, endpoint=ours)
    assert WebhookDelivery.objects.count() == 0


def test_a_plan_without_the_api_makes_none(shop):
    client = program_of(shop, shop.reseller)
    with_edition(shop.reseller, Edition.FREE)
    client.refresh_from_db()
    with pytest.raises(PermissionRefused) as refused:
        create_webhook(shop.staff, client=client, url="https://a.example.com/", events=["account.updated"])
    assert refused.value.code == "edition_required"
