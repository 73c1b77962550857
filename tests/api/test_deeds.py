"""Changing subscriptions: cancel, quantity, renewal; each once, by those who may."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import transaction

from billing.models import Charge
from catalog.models import AddOnRelation, ProductType
from core import clock
from core.errors import Conflict, NotVisible
from orders.services.decide import accept_request, preview_request
from orders.services.giveback import keep_addon
from orders.services.more import wish_addon
from orders.services.preview import next_period_price, period_price
from provisioning.services import renewals
from resellers.enums import Edition
from subscriptions.enums import OperationState, Purpose
from subscriptions.models import CancellationRequest, Operation, ScheduledChange, Subscription
from subscriptions.services.changes import abandon_change, apply_change, refuse_change
from subscriptions.services.requests import reject_request, withdraw_request
from tests.api.caller import Program, program
from tests.api.conftest import set_edition
from tests.api.contract import check
from tests.api.test_subscriptions import add_addon
from tests.shop import Shop

pytestmark = pytest.mark.django_db
ONE = "/api/subscriptions/{subscriptionId}"


def path_of(row: Subscription, what: str = "") -> str:
    return f"/api/Subscriptions/{row.public_id}{what}"


def operations(row: Subscription, purpose: str) -> list[Operation]:
    return list(Operation.objects.filter(subscription=row, purpose=purpose))


def test_cancel_is_an_empty_200_and_one_operation(reseller: Program, resold: Subscription):
    for _try in range(2):
        check(reseller.post(path_of(resold, "/cancel")), f"{ONE}/cancel", method="post")
    assert len(operations(resold, Purpose.CANCEL)) == 1
    row = reseller.get(path_of(resold)).json()
    assert (row["status"], row["statusReason"]) == ("Active", "CancellationInProgress")


def test_cancel_is_typed_when_refused(distributor: Program, service: Subscription):
    Subscription.objects.filter(pk=service.pk).update(cancel_until=clock.now() - dt.timedelta(days=1))
    body = check(distributor.post(path_of(service, "/cancel")), f"{ONE}/cancel", method="post")
    assert (body["type"], body["code"]) == ("SubscriptionCancellationProvisioningError", "cancel_window_closed")
    ScheduledChange.objects.create(
        organization=service.organization, subscription=service, plan=service.plan, quantity=4
    )
    # The vendor's side is looked at first.
    assert distributor.post(path_of(service, "/cancel")).json()["code"] == "cancel_window_closed"
    Subscription.objects.filter(pk=service.pk).update(cancel_until=clock.now() + dt.timedelta(days=1))
    body = distributor.post(path_of(service, "/cancel")).json()
    assert (body["type"], body["code"]) == ("SubscriptionCancellationPlatformError", "scheduled_change_pending")
    Subscription.objects.filter(pk=service.pk).update(status="inactive")
    body = distributor.post(path_of(service, "/cancel")).json()
    assert (body["type"], body["code"]) == ("SubscriptionCancellationPlatformError", "not_active")
    assert operations(service, Purpose.CANCEL) == []


@pytest.mark.parametrize(("status", "quantity"), [("failed", 2), ("active", 2)])
def test_what_the_vendor_refused_comes_first(distributor: Program, service: Subscription, status: str, quantity: int):
    Subscription.objects.filter(pk=service.pk).update(status=status, sync_status="failed")
    body = check(distributor.post(path_of(service, "/cancel")), f"{ONE}/cancel", method="post")
    assert (body["type"], body["code"]) == ("SubscriptionCancellationProvisioningError", "synchronization_failed")
    for what, sent in (("/quantity", {"quantity": quantity}), ("/autoRenewalSettings", {"autoRenewalEnabled": False})):
        body = check(distributor.post(path_of(service, what), sent), f"{ONE}{what}", method="post")
        assert (body["code"], body["isRetriableError"]) == ("synchronization_failed", False)
    assert operations(service, Purpose.CANCEL) == operations(service, Purpose.REDUCE) == []


def test_one_wish_for_fewer_at_a_time(distributor: Program, reseller: Program, resold: Subscription):
    path = path_of(resold, "/quantity")
    assert reseller.post(path, {"quantity": 2}).status_code == 200
    for caller in (reseller, distributor):
        assert check(caller.post(path, {"quantity": 1}), f"{ONE}/quantity", method="post")["code"] == "request_pending"
    Operation.objects.filter(subscription=resold, purpose=Purpose.REDUCE).delete()
    Subscription.objects.filter(pk=resold.pk).update(sync_status="synchronized")
    ProductType.objects.filter(pk=resold.product.product_type_id).update(auto_cancel_subscriptions=False)
    assert reseller.post(path, {"quantity": 2}).json()["status"] == 0
    assert reseller.post(path, {"quantity": 1}).json()["code"] == "request_pending"


def test_a_wish_keeps_its_numbers(reseller: Program, resold: Subscription, shop: Shop):
    ProductType.objects.filter(pk=resold.product.product_type_id).update(auto_cancel_subscriptions=False)
    answer = reseller.post(path_of(resold, "/quantity"), {"quantity": 2})
    where = answer["Location"].partition("test")[2]
    withdraw_request(shop.reseller_admin, request=CancellationRequest.objects.get())
    Subscription.objects.filter(pk=resold.pk).update(quantity=20)
    body = reseller.get(where).json()
    assert (body["previousSubscriptionQuantity"], body["nextSubscriptionQuantity"]) == (3, 2)
    assert body["statusName"] == "Cancelled"


def test_whoever_asks_for_changes_finds_what_is_asked_for_a_service(
    shop: Shop, reseller: Program, resold: Subscription
):
    ProductType.objects.filter(pk=resold.product.product_type_id).update(auto_cancel_subscriptions=False)
    moments = [reseller.get(path_of(resold)).json()["updatedAt"]]
    reseller.post(path_of(resold, "/cancel"))
    moments.append(reseller.get(path_of(resold)).json()["updatedAt"])
    withdraw_request(shop.reseller_admin, request=CancellationRequest.objects.get())
    moments.append(reseller.get(path_of(resold)).json()["updatedAt"])
    reseller.post(path_of(resold, "/cancel"))
    reject_request(shop.staff, request=CancellationRequest.objects.get(status="submitted"), reason="Not this month")
    moments.append(reseller.get(path_of(resold)).json()["updatedAt"])
    assert moments == sorted(set(moments))


def test_a_reseller_asks_where_staff_decide(reseller: Program, resold: Subscription):
    ProductType.objects.filter(pk=resold.product.product_type_id).update(auto_cancel_subscriptions=False)
    for _try in range(2):
        assert reseller.post(path_of(resold, "/cancel")).status_code == 200
    assert CancellationRequest.objects.filter(subscription=resold).count() == 1
    assert reseller.get(path_of(resold)).json()["statusReason"] == "CancellationRequested"


def test_fewer_licences_and_what_became_of_them(reseller: Program, resold: Subscription):
    answer = reseller.post(path_of(resold, "/quantity"), {"Quantity": "2"})
    body = check(answer, f"{ONE}/quantity", method="post", reseller=True)
    assert (body["previousSubscriptionQuantity"], body["nextSubscriptionQuantity"], body["status"]) == (3, 2, 1)
    where = answer["Location"].partition("test")[2]
    again = reseller.get(where)
    check(again, f"{ONE}/quantityrequest/{{requestId}}")
    assert (again.json(), again["Retry-After"]) == (body, "5")
    Operation.objects.filter(public_id=body["requestId"]).update(state=OperationState.DONE)
    assert reseller.get(where).json()["statusName"] == "Completed"
    Operation.objects.filter(public_id=body["requestId"]).update(
        state=OperationState.REFUSED, code="7700", message="Tenant 42 of Contoso has no credit"
    )
    failed = reseller.get(where).json()
    assert (failed["statusName"], failed["error"]["code"]) == ("Failed", "vendor_refused")
    assert "Contoso" not in failed["error"]["message"]


@pytest.mark.parametrize(
    ("body", "type", "code"),
    [
        ({"quantity": 9}, "UnsupportedUpdateTypeException", "increase_needs_order"),
        ({"quantity": 0}, "InvalidRequestError", "quantity_out_of_range"),
        ({"quantity": -1}, "InvalidRequestError", "quantity_out_of_range"),
        ({"quantity": 1.5}, "InvalidRequestError", "invalid_number"),
        ({"quantity": True}, "InvalidRequestError", "invalid_number"),
        ({}, "InvalidRequestError", "required"),
        ({"quantity": 2, "name": "x"}, "InvalidRequestError", "member_not_allowed"),
        ({"quantity": 2, "nonsense": 1}, "InvalidRequestError", "unknown_member"),
        ({"quantity": 2, "effectiveDate": "2031-01-01T00:00:00Z"}, "InvalidRequestError", "invalid_effective_date"),
        ({"quantity": 2, "effectiveDate": "2031-01-01T00:00:00"}, "InvalidRequestError", "invalid_date"),
        ([], "InvalidRequestError", "invalid_body"),
    ],
)
def test_quantity_is_refused_by_name(distributor: Program, service: Subscription, body: object, type: str, code: str):
    answer = distributor.post(path_of(service, "/quantity"), body)
    found = check(answer, f"{ONE}/quantity", method="post")
    assert (answer.status_code, found["type"], found["code"]) == (400, type, code)
    assert operations(service, Purpose.REDUCE) == []


def test_the_same_quantity_is_an_empty_200(distributor: Program, service: Subscription):
    answer = distributor.post(path_of(service, "/quantity"), {"quantity": 5})
    assert (answer.status_code, answer.content) == (200, b"")


def test_fewer_at_the_end_of_the_term(distributor: Program, service: Subscription):
    ProductType.objects.filter(pk=service.product.product_type_id).update(refund_policy="none")
    body = distributor.post(path_of(service, "/quantity"), {"quantity": 4}).json()
    assert (body["status"], body["nextSubscriptionQuantity"]) == (0, 4)
    assert str(ScheduledChange.objects.get(subscription=service).public_id) == body["requestId"]
    ScheduledChange.objects.update(status="applied")
    Subscription.objects.filter(pk=service.pk).update(quantity=4)
    later = distributor.get(path_of(service, f"/quantityrequest/{body['requestId']}")).json()
    assert (later["previousSubscriptionQuantity"], later["nextSubscriptionQuantity"]) == (5, 4)
    check(
        distributor.get(path_of(service, f"/quantityrequest/{body['requestId']}")),
        f"{ONE}/quantityrequest/{{requestId}}",
    )


def test_renewal(distributor: Program, service: Subscription):
    answer = distributor.post(path_of(service, "/autoRenewalSettings"), {"autoRenewalEnabled": False})
    assert check(answer, f"{ONE}/autoRenewalSettings", method="post")["succeed"] is True
    assert len(operations(service, Purpose.AUTO_RENEW)) == 1
    wrong = distributor.post(path_of(service, "/autoRenewalSettings"), {"autoRenewalEnabled": "no"})
    assert wrong.json()["code"] == "invalid_boolean"


def test_no_instalment_plan(distributor: Program, service: Subscription):
    answer = distributor.get(path_of(service, "/currentInstallmentplan"))
    assert check(answer, f"{ONE}/currentInstallmentplan")["code"] == "installment_plan_not_found"


@pytest.mark.parametrize("what", ["/cancel", "/quantity", "/autoRenewalSettings"])
def test_writes_need_the_standard_edition_and_the_scope(
    shop: Shop, reseller: Program, resold: Subscription, service: Subscription, what: str
):
    body = {"quantity": 2} if what == "/quantity" else None
    assert reseller.post(path_of(service, what), body).status_code == 404
    reader = program(shop, of=shop.reseller, scopes=("subscriptions:read",))
    assert reader.post(path_of(resold, what), body).json()["code"] == "scope_missing"
    set_edition(shop.reseller, Edition.FREE)
    assert reseller.post(path_of(resold, what), body).json()["code"] == "edition_required"
    assert reseller.post(path_of(service, what), body).status_code == 403  # Before it is looked whether it exists.
    assert reseller.get(path_of(resold)).status_code == 200
    set_edition(shop.reseller, Edition.BASIC)
    assert reseller.get(path_of(resold)).json()["code"] == "edition_required"
    assert Operation.objects.filter(subscription=resold).exclude(purpose=Purpose.PROVISION).count() == 0


def test_a_key_gives_the_same_answer_once_more(reseller: Program, resold: Subscription):
    path = path_of(resold, "/quantity")
    first = reseller.post(path, {"quantity": 2}, idempotency_key="one")
    again = reseller.post(path, {"quantity": 2}, idempotency_key="one")
    assert (again.status_code, again.content, again["Location"]) == (200, first.content, first["Location"])
    assert again["Idempotency-Replayed"] == "true"
    assert len(operations(resold, Purpose.REDUCE)) == 1
    other = reseller.post(path, {"quantity": 1}, idempotency_key="one")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    refused = reseller.post(path, {"quantity": 99}, idempotency_key="two")
    assert refused.content == reseller.post(path, {"quantity": 99}, idempotency_key="two").content
    assert reseller.post(path, {"quantity": 99}, idempotency_key="three\n").status_code == 400


@pytest.fixture
def extended(resold: Subscription) -> Subscription:
    """The reseller's service with an add-on that runs; it began a month ago."""
    add_addon(resold, first_activated_at=clock.now())
    return resold


def ending(row: Subscription) -> str:
    return path_of(row, f"/addons/{row.addons.get().public_id}/cancelendofbillingperiod")


def test_an_addon_ends_with_the_billing_period(reseller: Program, extended: Subscription):
    before = reseller.get(path_of(extended)).json()["updatedAt"]
    for key in ("one", "one", "two"):
        answer = reseller.post(ending(extended), idempotency_key=key)
        assert (answer.status_code, answer.content) == (200, b"")
    addon = check(reseller.get(path_of(extended, "/addons")), f"{ONE}/addons")[0]
    assert (addon["status"], addon["statusReason"]) == ("PendingCancellation", "CustomerRequest")
    assert reseller.get(path_of(extended)).json()["updatedAt"] > before
    assert operations(extended, Purpose.ADDON_CANCEL) == []
    # Still paid for in this period, no more in the next one.
    assert (period_price(extended), next_period_price(extended)) == (39, 36)
    Subscription.objects.filter(pk=extended.pk).update(period_ends_at=clock.now() - dt.timedelta(minutes=1))
    for _run in range(2):
        renewals.run_clock()
    (operation,) = operations(extended, Purpose.ADDON_CANCEL)
    assert operation.desired["addons"] == {addon["id"]: 0}
    extended.refresh_from_db()
    assert extended.period_ends_at < clock.now()  # The period goes on once the vendor has ended it.


def charged(row: Subscription) -> list[Decimal]:
    """What the billing periods have cost that began by the clock."""
    rows = Charge.objects.filter(subscription=row, source__startswith="period:").order_by("pk")
    return list(rows.values_list("net", flat=True))


def period_is_over(row: Subscription, **values: object) -> None:
    values |= {"period_ends_at": clock.now() - dt.timedelta(minutes=1)}
    Subscription.objects.filter(pk=row.pk).update(**values)
    renewals.run_clock()
    row.refresh_from_db()


def test_an_ended_addon_is_in_no_later_period(shop: Shop, reseller: Program, extended: Subscription):
    reseller.post(ending(extended))
    period_is_over(extended)
    (operation,) = operations(extended, Purpose.ADDON_CANCEL)
    Operation.objects.filter(pk=operation.pk).update(state=OperationState.DONE)
    with transaction.atomic():
        apply_change(shop.staff, extended, operation, {})
    renewals.run_clock()
    assert (charged(extended), extended.addons.get().status) == ([36], "cancelled")
    assert len(operations(extended, Purpose.ADDON_CANCEL)) == 1


@pytest.mark.parametrize("given_up", [False, True])
def test_what_the_vendor_does_not_end_runs_on_and_is_charged(
    shop: Shop, reseller: Program, extended: Subscription, given_up: bool
):
    reseller.post(ending(extended))
    period_is_over(extended, sync_status="failed")  # Another change was refused before: he is asked all the same.
    (operation,) = operations(extended, Purpose.ADDON_CANCEL)
    Operation.objects.filter(pk=operation.pk).update(state=OperationState.REFUSED)
    with transaction.atomic():
        if given_up:
            abandon_change(shop.staff, extended, operation, reason="He keeps it")
        else:
            refuse_change(shop.staff, extended, operation, "Too late", "window_closed", {})
    assert extended.addons.get().status == "active"
    for _run in range(2):
        renewals.run_clock()
    assert charged(extended) == [39]
    assert len(operations(extended, Purpose.ADDON_CANCEL)) == 1


def test_a_suspended_service_keeps_its_addon_until_it_runs_again(reseller: Program, extended: Subscription):
    reseller.post(ending(extended))
    period_is_over(extended, status="suspended")
    assert operations(extended, Purpose.ADDON_CANCEL) == []
    assert (charged(extended), extended.addons.get().status) == ([39], "pending_cancel")


def test_a_service_that_ends_takes_its_addon_along(reseller: Program, extended: Subscription):
    reseller.post(ending(extended))
    now = clock.now()
    period_is_over(extended, auto_renew=False, term_ends_at=now - dt.timedelta(days=1))
    assert operations(extended, Purpose.ADDON_CANCEL) == []
    assert len(operations(extended, Purpose.RENEW)) == 1


def test_an_addon_that_ends_is_not_bought_again(shop: Shop, extended: Subscription, reseller: Program):
    addon = extended.addons.get()
    AddOnRelation.objects.create(organization=shop.organization, parent=extended.product, addon=addon.product)
    reseller.post(ending(extended))
    row = Subscription.objects.select_related("organization", "account", "bill_to", "product__product_type").get(
        pk=extended.pk
    )
    with pytest.raises(Conflict) as caught:
        wish_addon(row, plan=addon.plan, quantity=1)
    assert caught.value.code == "addon_ending"


def test_what_is_ordered_at_a_distributors_does_not_end_later(reseller: Program, extended: Subscription):
    application = extended.instance.application
    application.__class__.objects.filter(pk=application.pk).update(code="back_ordering")
    body = check(reseller.post(ending(extended)), f"{ONE}/addons/{{addonId}}/cancelendofbillingperiod", method="post")
    assert (body["code"], extended.addons.get().status) == ("addon_ends_at_once", "active")


def test_an_addon_is_kept_after_all(shop: Shop, reseller: Program, extended: Subscription):
    addon = extended.addons.get()
    with pytest.raises(NotVisible):
        keep_addon(shop.reseller_admin, subscription=extended, addon=addon)
    reseller.post(ending(extended))
    keep_addon(shop.reseller_admin, subscription=extended, addon=addon)
    assert reseller.get(path_of(extended, "/addons")).json()[0]["status"] == "Active"


def test_staff_decide_about_addons_where_the_product_says_so(shop: Shop, reseller: Program, extended: Subscription):
    ProductType.objects.filter(pk=extended.product.product_type_id).update(auto_cancel_addons=False)
    for _try in range(2):
        assert reseller.post(ending(extended)).status_code == 200
    request = CancellationRequest.objects.get()
    assert (request.kind, request.execution) == ("addon_cancel", "period_end")
    assert preview_request(shop.staff, request).amount.net == 0
    accept_request(shop.staff, request=request)
    request.refresh_from_db()
    assert (request.status, extended.addons.get().status) == ("completed", "pending_cancel")
    assert operations(extended, Purpose.ADDON_CANCEL) == []


def test_an_addon_of_another_or_of_a_service_that_does_not_run_does_not_end(
    shop: Shop, reseller: Program, service: Subscription, extended: Subscription
):
    add_addon(service, first_activated_at=clock.now())
    assert reseller.post(ending(service)).status_code == 404
    Subscription.objects.filter(pk=extended.pk).update(sync_status="failed")
    body = check(reseller.post(ending(extended)), f"{ONE}/addons/{{addonId}}/cancelendofbillingperiod", method="post")
    assert (body["type"], body["code"]) == ("SubscriptionCancellationPlatformError", "synchronization_failed")
