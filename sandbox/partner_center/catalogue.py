"""Products, SKUs, availabilities, inventory, promotions and legacy offers (``partner-center.md`` 7.1-7.4)."""

from typing import Any

from sandbox.partner_center.answers import classic, collection, integer, link, ok, squeezed, tidy
from sandbox.partner_center.catalogue_data import CURRENCIES, SYMBOLS
from sandbox.partner_center.desk import Desk
from sandbox.router import Routes
from sandbox.wire import Request, Response

VIEWS = {
    "onlineservices", "microsoftazure", "azure", "azurereservations", "azurereservationsvm", "azurereservationssql",
    "azurereservationscosmosdb", "software", "softwaresuselinux", "marketplacesaas",
}  # fmt: skip
SEGMENTS = {"commercial", "education", "government", "nonprofit"}
REFUNDS = {"Full": ("P1D", 0), "Partial": ("P7D", 1)}


class CatalogueCalls:
    """The catalogue's calls, both the partner's and those below a customer."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.catalogue = desk.catalogue

    def add_to(self, routes: Routes) -> None:
        """Add the calls."""
        for prefix, suffix in (("/v1", ""), ("/v1/customers/{customer}", "_for_customer")):
            products = f"{prefix}/products"
            routes.add("GET", products, f"list_products{suffix}", self.list_products)
            routes.add("GET", f"{products}/{{product}}", f"get_product{suffix}", self.get_product)
            skus = f"{products}/{{product}}/skus"
            routes.add("GET", skus, f"list_skus{suffix}", self.list_skus)
            routes.add("GET", f"{skus}/{{sku}}", f"get_sku{suffix}", self.get_sku)
            offers = f"{skus}/{{sku}}/availabilities"
            routes.add("GET", offers, f"list_availabilities{suffix}", self.list_availabilities)
            routes.add("GET", f"{offers}/{{availability}}", f"get_availability{suffix}", self.get_availability)
        routes.add("POST", "/v1/extensions/product/checkinventory", "check_inventory", self.check_inventory)
        routes.add("GET", "/v1/productpromotions", "list_promotions", self.list_promotions)
        routes.add("GET", "/v1/productpromotions/{promotion}", "get_promotion", self.get_promotion)
        eligibilities = "/v1/customers/{customer}/promotionEligibilities"
        routes.add("POST", eligibilities, "check_promotion_eligibility", self.check_promotions)
        routes.add("GET", "/v1/offers", "list_offers", self.list_offers)
        routes.add("GET", "/v1/offers/{offer}", "get_offer", self.get_offer)
        routes.add("GET", "/v1/offers/{offer}/addons", "list_offer_addons", self.list_offer_addons)
        routes.add("GET", "/v1/offercategories", "list_offer_categories", self.list_offer_categories)

    # --- Who asks ---

    def market(self, request: Request) -> str:
        """The market asked for, or the customer's own. Raises 400/2000 without one, 403/2030 for one not served."""
        market = request.query.get("country", "").upper()
        if "customer" in request.params:
            market = self.desk.country_of(self.desk.customer(request))
        if not market:
            raise classic(400, 2000, "The country is missing.")
        if market not in CURRENCIES:
            raise classic(403, 2030, f"The country {market} is not supported for this partner.")
        return market

    def segments(self, request: Request) -> set[str]:
        """The segments asked for; below a customer only those he qualifies for."""
        wanted = request.query.get("targetSegment", "").lower()
        if wanted and wanted not in SEGMENTS:
            raise classic(400, 2000, f"The targetSegment {wanted} is not valid.")
        allowed = SEGMENTS
        if "customer" in request.params:
            allowed = self.desk.segments_of(self.desk.customer(request))
        return ({wanted} if wanted else SEGMENTS) & allowed

    def base(self, request: Request) -> str:
        """The beginning of links: empty, or the customer's path."""
        customer = request.params.get("customer")
        return f"/customers/{customer}" if customer else ""

    # --- Products ---

    def list_products(self, request: Request) -> Response:
        """The products of a view, market and segment, all at once."""
        market, segments = self.market(request), self.segments(request)
        view = request.query.get("targetView", "").lower()
        if view not in VIEWS:
            raise classic(403, 400036, "The targetView is missing or not supported.")
        if view == "azurereservations":
            view = "azurereservationsvm"
        items = [
            self.product(request, row, market)
            for row in self.catalogue.products.values()
            if row["view"].lower() == view and any(segments & set(sku["segments"]) for sku in row["skus"])
        ]
        return ok(collection(items, f"{self.base(request)}/products?{request.query_string}"))

    def get_product(self, request: Request) -> Response:
        """One product. Raises 404/400013."""
        market = self.market(request)
        return ok(self.product(request, self._product(request), market))

    def list_skus(self, request: Request) -> Response:
        """The SKUs of a product that are sold in the segment."""
        market, segments = self.market(request), self.segments(request)
        product = self._product(request)
        items = [self.sku(request, product, sku, market) for sku in product["skus"] if segments & set(sku["segments"])]
        return ok(collection(items, f"{self.base(request)}/products/{product['id']}/skus?country={market}"))

    def get_sku(self, request: Request) -> Response:
        """One SKU. Raises 404/400018."""
        market = self.market(request)
        product, sku = self._sku(request)
        return ok(self.sku(request, product, sku, market))

    def list_availabilities(self, request: Request) -> Response:
        """The availabilities of a SKU: one per segment and duration, in the market's currency."""
        market = self.market(request)
        items = self.availabilities(request, market)
        path = f"{self.base(request)}/products/{request.params['product']}/skus/{request.params['sku']}"
        return ok(collection(items, f"{path}/availabilities?country={market}"))

    def get_availability(self, request: Request) -> Response:
        """One availability, while its id lives. Raises 404/800070 later."""
        market = self.market(request)
        wanted = request.params["availability"].upper()
        found = next((row for row in self.availabilities(request, market) if row["id"] == wanted), None)
        if found is None:
            raise classic(404, 800070, "The availability was not found.")
        return ok(found)

    def availabilities(self, request: Request, market: str) -> list[dict[str, Any]]:
        """The availabilities that the caller may see at this moment."""
        product, sku = self._sku(request)
        wanted = self.segments(request)
        return [
            self.availability(request, product, sku, market, segment, duration, cycles)
            for segment in sku["segments"]
            if segment in wanted
            for duration, cycles in self.catalogue.durations(sku).items()
        ]

    def _product(self, request: Request) -> dict[str, Any]:
        found = self.catalogue.products.get(request.params["product"].upper())
        if found is None:
            raise classic(404, 400013, f"The product {request.params['product']} was not found.")
        return found

    def _sku(self, request: Request) -> tuple[dict[str, Any], dict[str, Any]]:
        product = self._product(request)
        found = self.catalogue.sku(product["id"], request.params["sku"])
        if found is None:
            raise classic(404, 400018, f"The SKU {request.params['sku']} was not found.")
        return found

    # --- Shapes ---

    def product(self, request: Request, row: dict[str, Any], market: str) -> dict[str, Any]:
        """A product as Microsoft writes it."""
        path = f"{self.base(request)}/products/{row['id']}"
        kind: dict[str, Any] = {"id": row["type"], "displayName": row["type"]}
        if row.get("subType"):
            kind["subType"] = {"id": row["subType"], "displayName": row["subType"]}
        return {
            "id": row["id"],
            "title": row["title"],
            "description": row["description"],
            "productType": kind,
            "isMicrosoftProduct": True,
            "publisherName": "Microsoft Corporation",
            "links": {
                "skus": link(f"{path}/skus?country={market}"),
                "self": link(f"{path}?country={market}"),
            },
        }

    def sku(self, request: Request, product: dict[str, Any], sku: dict[str, Any], market: str) -> dict[str, Any]:
        """A SKU as Microsoft writes it; ``dynamicAttributes`` is an open map."""
        path = f"{self.base(request)}/products/{product['id']}/skus/{sku['id']}"
        cycles = {"onetime": "one_time"}
        is_seat = product["type"] == "OnlineServicesNCE"
        attested = {"enforceAttestation": True, "attestationType": sku.get("attestation", "")}
        return {
            "id": sku["id"],
            "productId": product["id"],
            "title": sku["title"],
            "description": product["description"],
            "minimumQuantity": sku["min"],
            "maximumQuantity": sku["max"],
            "isTrial": bool(sku.get("trial")),
            "supportedBillingCycles": sorted({cycles.get(squeezed(c), squeezed(c)) for _, c in sku["terms"]}),
            "purchasePrerequisites": ["MicrosoftCustomerAgreement"]
            + (["InventoryCheck"] if sku.get("inventory") else []),
            "inventoryVariables": ["customerId", "azureSubscriptionId"] if sku.get("inventory") else [],
            "provisioningVariables": ["scope", "subscriptionId"] if sku.get("inventory") else [],
            "actions": ["Refund"],
            **({"attestationProperties": attested} if sku.get("attestation") else {}),
            "dynamicAttributes": {
                "isMicrosoftProduct": True,
                "hasConstraints": bool(sku["parents"]),
                "isAddon": sku["addon"],
                "prerequisiteSkus": sku["parents"],
                "isSoftwareAssuranceApplicable": False,
                "upgradeTargetOffers": sku["upgrades"],
                **({"provisioningId": sku["provisioningId"]} if is_seat else {}),
                "internal": False,
            },
            "links": {
                "availabilities": link(f"{path}/availabilities?country={market}"),
                "self": link(f"{path}?country={market}"),
            },
        }

    def availability(
        self,
        request: Request,
        product: dict[str, Any],
        sku: dict[str, Any],
        market: str,
        segment: str,
        duration: str,
        cycles: tuple[str, ...],
    ) -> dict[str, Any]:
        """An availability with its terms, one per billing cycle."""
        code = f"{product['id']}:{sku['id']}"
        key = self.catalogue.availability_id(code, market, segment, duration, request.now)
        terms = [_term(code, duration, cycle) for cycle in cycles]
        currency = CURRENCIES[market]
        path = f"{self.base(request)}/products/{product['id']}/skus/{sku['id']}/availabilities"
        is_seat = product["type"] == "OnlineServicesNCE"
        renewal = [
            {
                "applicableTermIds": [term["id"] for term in terms],
                "renewalOptions": [
                    {"renewToId": (sku["upgrades"] or [code])[0] if sku.get("trial") else code, "isAutoRenewable": True}
                ],
            }
        ]
        return {
            "id": key,
            "productId": product["id"],
            "skuId": sku["id"],
            "catalogItemId": f"{code}:{key}",
            "defaultCurrency": {"code": currency, "symbol": SYMBOLS[currency]},
            "segment": segment,
            "country": market,
            "isPurchasable": True,
            "isRenewable": is_seat,
            **({"renewalInstructions": renewal} if is_seat else {}),
            "terms": terms,
            "links": {"self": link(f"{path}/{key}?country={market}")},
        }

    # --- Inventory and promotions ---

    def check_inventory(self, request: Request) -> Response:
        """Whether items can be had; everything can, but reservations in the region ``japanwest``."""
        body = tidy(request.json())
        region = str((body.get("inventoryContext") or {}).get("armRegionName") or "").lower()
        rows: list[dict[str, Any]] = []
        for target in body.get("targetItems") or []:
            product = self.catalogue.products.get(str(target.get("productId") or "").upper())
            if product is None:
                raise classic(404, 400013, f"The product {target.get('productId')} was not found.")
            for sku in product["skus"]:
                if target.get("skuId") and sku["id"] != target["skuId"]:
                    continue
                closed = region == "japanwest" and bool(sku.get("inventory"))
                restriction = {
                    "reasonCode": "NotAvailableForSubscription",
                    "description": f"Restriction identified of type 'Location' with values '{region}'.",
                    "properties": {"type": "Location", "values": region},
                }
                rows.append(
                    {
                        "productId": product["id"],
                        "skuId": sku["id"],
                        "isRestricted": closed,
                        "restrictions": [restriction] if closed else [],
                    }
                )
        return ok(rows)

    def list_promotions(self, request: Request) -> Response:
        """The promotions of a country and segment."""
        segment = request.query.get("segment", "commercial").lower()
        return ok(collection(list(self.catalogue.promotions(self.market(request), segment))))

    def get_promotion(self, request: Request) -> Response:
        """One promotion. Raises 404/400013."""
        found = next(
            (
                row
                for row in self.catalogue.promotions(self.market(request), "commercial")
                if row["id"].lower() == request.params["promotion"].lower()
            ),
            None,
        )
        if found is None:
            raise classic(404, 400013, "The promotion was not found.")
        return ok(found)

    def check_promotions(self, request: Request) -> Response:
        """Whether promotions fit items: the product, the term, and at least five seats."""
        market = self.desk.country_of(self.desk.customer(request))
        known = {row["id"].lower(): row for row in self.catalogue.promotions(market, "commercial")}
        items = []
        for item in tidy(request.json()).get("items") or []:
            promotion = known.get(str(item.get("promotionId") or "").strip().lower())
            errors = promotion_errors(promotion, item)
            eligibility = {"promotionId": item.get("promotionId", ""), "isEligible": not errors, "errors": errors}
            items.append({**item, "eligibilities": [eligibility]})
        return ok(collection(items))

    # --- Legacy offers ---

    def list_offers(self, request: Request) -> Response:
        """The recorded offers, paged by offset."""
        self.market(request)
        size, start = integer(request.query.get("size")), integer(request.query.get("offset")) or 0
        rows = list(self.catalogue.offers.values())
        page = rows[start : start + size] if size else rows[start:]
        following = None
        if size and start + size < len(rows):
            country = request.query.get("country", "")
            following = link(f"/offers?country={country}&size={size}&offset={start + size}")
        return ok(collection(page, f"/offers?{request.query_string}", following))

    def get_offer(self, request: Request) -> Response:
        """One offer. Raises 404/2006."""
        self.market(request)
        return ok(self._offer(request))

    def list_offer_addons(self, request: Request) -> Response:
        """The add-ons that may be sold on top of an offer."""
        self.market(request)
        base = str(self._offer(request)["id"]).lower()
        rows = [
            row
            for row in self.catalogue.offers.values()
            if row.get("isAddOn") and base in [key.lower() for key in row.get("prerequisiteOffers") or []]
        ]
        return ok(collection(rows, f"/offers/{base}/addons?{request.query_string}"))

    def list_offer_categories(self, request: Request) -> Response:
        """The categories of the recorded offers."""
        self.market(request)
        return ok(collection(self.catalogue.offer_categories, f"/offercategories?{request.query_string}"))

    def _offer(self, request: Request) -> dict[str, Any]:
        found = self.catalogue.offers.get(request.params["offer"].lower())
        if found is None:
            raise classic(404, 2006, f"The offer {request.params['offer']} was not found.")
        return found


def _term(code: str, duration: str, cycle: str) -> dict[str, Any]:
    words = {"P1M": "One-Month", "P1Y": "One-Year", "P3Y": "Three-Year"}
    description = f"{words[duration]} commitment, {cycle.lower()} billing" if duration else "Bought once"
    options = [{"sequenceId": number, "type": kind, "expiresAfter": after} for kind, (after, number) in REFUNDS.items()]
    return {
        "id": (code[-4:] + duration + cycle).lower().replace(":", ""),
        **({"duration": duration} if duration else {}),
        "description": description,
        "billingCycle": cycle,
        "cancellationPolicies": [{"refundOptions": options}],
    }


def promotion_errors(promotion: dict[str, Any] | None, item: dict[str, Any]) -> list[dict[str, Any]]:
    """Why a promotion does not fit an item, in Microsoft's words; empty if it fits."""
    if promotion is None:
        return [{"type": "PromotionId", "description": "The promotion does not exist."}]
    code = [part.upper() for part in str(item.get("catalogItemId") or "").split(":")[:2]]
    errors: list[dict[str, Any]] = []
    products = [row for row in promotion["requiredProducts"] if [row["productId"], row["skuId"]] == code]
    if not products:
        errors.append({"type": "Product", "description": "The promotion is for another product."})
    wanted = (str(item.get("termDuration")), squeezed(item.get("billingCycle")))
    if products and wanted not in [(r["term"]["duration"], squeezed(r["term"]["billingCycle"])) for r in products]:
        errors.append({"type": "Term", "description": "The promotion is for another term."})
    if (integer(item.get("quantity")) or 0) < 5:
        errors.append({"type": "SeatCount", "minRequiredSeats": 5, "maxRequiredSeats": 2400})
    return errors
