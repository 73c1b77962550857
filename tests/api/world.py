"""One of everything the API shows, for tests that walk the whole document: whose ids are whose, and paths with them."""

import re
import uuid
from dataclasses import dataclass, field

from api.document import served_document
from catalog.models import AddOnRelation
from clients.services.clients import save_policy
from core.custom_fields import CustomField
from resellers.enums import Edition
from resellers.models import Account
from subscriptions.models import Subscription
from tests import factories
from tests.api.caller import Program, program
from tests.api.test_subscriptions import add_addon
from tests.bss.running import running
from tests.shop import Shop, fill_basket, make_shop, place

SWITCHES = ("resellers_pricing", "resellers_synchronization", "resellers_usages", "resellers_custom_fields")
ENTITIES = ("account", "order", "product", "subscription")


@dataclass
class World:
    """A shop with services, orders, licences and custom fields; ``ids`` are the reseller's, ``foreign`` not."""

    shop: Shop
    distributor: Program
    reseller: Program
    ids: dict[str, str] = field(default_factory=dict)
    foreign: dict[str, str] = field(default_factory=dict)


def filled(path: str, ids: dict[str, str]) -> str:
    """A path of the document with these ids in it."""
    return re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], path)


def wanted() -> set[str]:
    """The parameters that paths of the document have."""
    return {name for path in served_document()["paths"] for name in re.findall(r"\{(\w+)\}", path)}


def _more(world: World, ids: dict[str, str], owner: Account) -> None:
    """Ids of what only some versions of the API serve: a draft, a webhook, look-ups."""
    caller, names = world.distributor, wanted()
    ids |= {"systemId": str(world.shop.instance.pk), "countryId": "405", "invoiceId": str(uuid.uuid4())}
    if "webhookId" in names:
        hook = caller.post("/api/webhooks", {"url": "https://erp.example.com/hooks", "events": ["order.executed"]})
        ids["webhookId"] = hook.json()["id"]
        ids["deliveryId"] = caller.post(f"/api/webhooks/{ids['webhookId']}/test").json()["id"]
    if "post" in served_document()["paths"]["/api/orders"]:
        draft = caller.post("/api/orders", {"accountId": owner.pk}).json()["id"]
        item = caller.post(f"/api/orders/{draft}/items", {"productId": ids["productId"], "quantity": 2})
        ids |= {"draftId": draft, "draftItemId": item.json()["id"]}


def _service(shop: Shop, *, resold: bool) -> tuple[Subscription, str]:
    row = running(shop, quantity=3)
    if resold:
        values = {"account": shop.end_customer, "bill_to": shop.reseller, "purchase_mode": "end_customer"}
        Subscription.objects.filter(pk=row.pk).update(**values)
        row.refresh_from_db()
    return row, str(add_addon(row).public_id)


def make_world(shop: Shop | None = None) -> World:
    """Everything once for the reseller's end customer, and once for a direct customer."""
    shop = shop or make_shop()
    Account.objects.filter(pk=shop.reseller.pk).update(edition=Edition.STANDARD)
    shop.reseller.edition = Edition.STANDARD
    save_policy(shop.staff, values=dict.fromkeys(SWITCHES, True))
    for number, entity in enumerate(ENTITIES, start=1):
        values = {"entity": entity, "code": "reference", "name": "Reference", "field_type": "text"}
        shown = {"shop_visible": True, "shop_editable": True, "provisioning_code": number}
        CustomField.objects.create(organization=shop.organization, **values, **shown)
    addon = factories.product(shop.instance, is_addon=True)
    AddOnRelation.objects.create(organization=shop.organization, parent=shop.product, addon=addon)
    made = World(shop, program(shop), program(shop, of=shop.reseller))
    sale = {"mode": "end_customer", "target": shop.end_customer, "quantity": 2, "mpn_id": "1234567"}
    for ids, resold in ((made.ids, True), (made.foreign, False)):
        row, addon_id = _service(shop, resold=resold)
        buyer = shop.reseller_admin if resold else shop.customer_admin
        order = place(buyer, fill_basket(shop, buyer, **(sale if resold else {})))
        owner = shop.end_customer if resold else shop.customer
        ids |= {
            "subscriptionId": str(row.public_id),
            "addonId": addon_id,
            "accountId": str(owner.pk),
            "orderId": str(order.public_id),
            "itemId": made.distributor.get(f"/api/orders/{order.public_id}/items").json()[0]["id"],
            "assetId": str(factories.asset(shop.product, account=owner).public_id),
            "productId": str(shop.product.public_id),
        }
        _more(made, ids, owner)
        wish = made.distributor.post(f"/api/subscriptions/{row.public_id}/quantity", {"quantity": 2})
        ids["requestId"] = wish.json()["requestId"]
    return made
