"""The vendor's price of a product (``api.md`` 10.4): his last quote, never a call to him."""

from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from api.errors import ApiError, invalid
from api.resources.accounts import country_id
from api.views.products import OfProduct
from api.wire import moment
from catalog.quotes import offered_plan, vendor_quote
from resellers.countries import COUNTRIES
from resellers.models import Account
from resellers.selectors import accounts_for


class ExternalPrice(OfProduct):
    """``GET /api/products/{productId}/externalprices``."""

    answers = "ProductPriceSimple"

    def get(self, request: Request, product_id: str) -> HttpResponse:
        """What it costs the caller, or one of his accounts, by the vendor's last quote."""
        self.wanted()
        self._demand("unitId", "currency")
        unit = self.guid("unitId", self.query["unitid"])
        currency = self.query["currency"].strip().upper()
        country = self._country()
        account_id = self.number("accountId", self.query["accountid"]) if "accountid" in self.query else None
        if "billingfrequencyoptionid" in self.query:
            self.guid("billingFrequencyOptionId", self.query["billingfrequencyoptionid"])
            raise invalid("billingFrequencyOptionId", "No product is sold by instalments; leave it out.")
        product = self.found(product_id).select_related("product_type__instance").get()
        plan = offered_plan(product, unit)
        if plan is None:
            raise invalid("unitId", "This product is not sold in this unit.")
        plan.product = product
        plan_quote = vendor_quote(
            self.caller.actor, plan, account=self._account(account_id), currency=currency, country=country
        )
        if plan_quote is None:
            message = "The vendor has quoted no price for this within the last 24 hours."
            raise ApiError(400, "price_unavailable", message, type="BusinessRuleError")
        priced = plan_quote.priced
        body: dict[str, Any] = {
            "sellPrice": priced.price.amount,
            "details": f"{priced.plan.label}, {priced.price.currency}, quoted {moment(plan_quote.quoted_at)}",
        }
        if self.caller.sees_cost and priced.cost is not None:
            body["purchasePrice"] = priced.cost
        return self.answer(body)

    def _demand(self, *names: str) -> None:
        """Raise 400 naming every value of the query that the contract requires and that is missing or empty."""
        missing = [name for name in names if not self.query.get(name.lower(), "").strip()]
        if missing:
            faults = [
                {"code": "invalid_parameter", "detail": f"'{name}' is required.", "parameter": name} for name in missing
            ]
            words = " ".join(fault["detail"] for fault in faults)
            raise ApiError(400, "invalid_parameter", words, errors=faults)

    def _account(self, key: int | None) -> Account | None:
        if key is None:
            return None
        found = accounts_for(self.caller.actor).filter(pk=key).first()
        if found is None:
            raise invalid("accountId", "There is no account with this id.")
        return found

    def _country(self) -> str:
        """The country's code; empty if none is asked for."""
        if "countryid" not in self.query:
            return ""
        key = self.number("countryId", self.query["countryid"])
        code = next((code for code, _name in COUNTRIES if country_id(code) == key), "")
        if not code:
            raise invalid("countryId", "There is no country with this id.")
        return code
