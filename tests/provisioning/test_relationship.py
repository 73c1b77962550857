"""An existing tenant: after the customer has accepted us, the order is delivered into it."""

import datetime as dt

import pytest

from office365.connector import Office365Connector
from orders.enums import OrderStatus
from provisioning.context import context_for
from provisioning.requests import account_data
from subscriptions.enums import OperationState, SubscriptionStatus
from subscriptions.models import Operation, Subscription
from tests.drain import drain
from tests.shop import fill_basket, make_shop, place
from vendors.models import AccountLink
from vendors.services.instances import write_secret


@pytest.mark.django_db(transaction=True)
def test_existing_tenant_is_used_after_its_acceptance(twins):
    shop = make_shop(settings=twins.instance_settings(), code="CFQ7TTC0LDPB:0001")
    write_secret(shop.instance, "refresh_token", twins.credentials()["refresh_token"])
    tenant = next(row for row in twins.credentials()["existing_tenants"] if row["country"] == "DE")
    options = {"has_tenant": True, "domain": tenant["domain"]}
    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin, options=options))
    link = Office365Connector().relationship_link(
        context_for(shop.instance), account_data(shop.customer, shop.instance)
    )
    assert link.startswith(twins.url)
    drain(twins, patience=dt.timedelta(minutes=1))
    row = Subscription.objects.get()
    assert (order.status, row.status) == (OrderStatus.EXECUTED, SubscriptionStatus.INACTIVE)
    assert Operation.objects.get(verb="account_sync").flag == "awaiting_relationship"
    (request,) = twins.call("GET", "/_twin/relationships")["relationships"]
    twins.call("POST", f"/_twin/relationships/{request['id']}/accept", json={"domain": tenant["domain"]})
    drain(twins)
    row.refresh_from_db()
    assert row.status == SubscriptionStatus.ACTIVE
    assert AccountLink.objects.get(account=shop.customer).external_id == tenant["id"]
    assert {item.state for item in Operation.objects.all()} == {OperationState.DONE}
