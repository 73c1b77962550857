"""Licences: the list, one licence with its key, and what a customer does with it (``esd.md`` 7, 8)."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.custom_fields import Entity
from core.errors import BusinessError, PermissionRefused
from core.selectors import history_for
from orders.selectors import orders_for
from provisioning.services.asset_refresh import reading_asset, start_asset_refresh
from resellers.enums import PurchaseMode
from storefront.asset_words import asset_deeds, headline
from storefront.forms import AssetCancelForm, ResendForm
from storefront.views.lists import NamedServices
from storefront.views.subscription import both_legs
from subscriptions.asset_enums import AssetStatus, ReturnStatus, TokenStatus
from subscriptions.asset_rules import AssetAction, obstacle
from subscriptions.asset_selectors import (
    addresses_to_choose,
    assets_for,
    is_moving,
    keys_of,
    listed_assets,
    return_in_view,
    returns_for,
)
from subscriptions.enums import RequestStatus
from subscriptions.legs import shown_to
from subscriptions.models import Asset, AssetReturn
from subscriptions.services.keys import resend_token, reveal_token
from subscriptions.services.returns import submit_return, withdraw_return
from ui.custom_fields import CustomList
from ui.filters import Choice, Filter, Period
from ui.pages import ActionPage, Page
from ui.tables import Column
from users.permissions import Perm

BACK = (gettext_lazy("Licences"), "storefront:asset_list")
MASKED = Column("masked_token", gettext_lazy("Key"), "code")


def with_key(columns: list[Column]) -> list[Column]:
    """The columns of the screen: files have no key, not even its end."""
    at = next((place for place, column in enumerate(columns) if column.path == "token_status"), len(columns))
    return [*columns[:at], MASKED, *columns[at:]]


def returned(row: Asset) -> str:
    """The return status of what was returned; nothing for everything else, so that a list stays calm."""
    return row.return_status if row.return_status != ReturnStatus.NONE else ""


class AssetList(CustomList, NamedServices):
    """Licences of the own account and of a reseller's customers."""

    entity = Entity.ASSET
    perm = Perm.SHOP_SERVICES_VIEW
    title = gettext_lazy("Licences")
    selector = listed_assets
    columns = (
        Column(
            "name",
            gettext_lazy("Licence"),
            "main",
            sort="name",
            sub="perpetual_id",
            sub_label=gettext_lazy("Perpetual ID"),
        ),
        Column(
            "account.name",
            gettext_lazy("For"),
            sort="account__name",
            sub="bill_to.name",
            sub_label=gettext_lazy("Billed to"),
        ),
        Column("get_purchase_mode_display", gettext_lazy("Purchase mode"), sort="purchase_mode"),
        Column("order_number", gettext_lazy("Order"), sort="order_number"),
        Column("purchased_at", gettext_lazy("Purchase date"), "date", sort="purchased_at"),
        Column("quantity", gettext_lazy("Quantity"), "number", in_files_only=True),
        Column("unit_price", gettext_lazy("Price"), "money", sort="unit_price"),
        Column("sell_unit_price", gettext_lazy("Customer's price"), "money", sort="sell_unit_price"),
        Column("status", gettext_lazy("Status"), "status", sort="status"),
        Column("token_status", gettext_lazy("Token status"), "status", sort="token_status"),
        Column(
            "return_status",
            gettext_lazy("Return status"),
            "status",
            sort="return_status",
            show=returned,
            in_files_only=True,
        ),
        Column("returnable_until", gettext_lazy("Returnable until"), "date", sort="returnable_until"),
    )
    filters = (
        Choice("status", gettext_lazy("Status"), "status", AssetStatus.choices),
        Choice("token", gettext_lazy("Token status"), "token_status", TokenStatus.choices),
        Choice("return", gettext_lazy("Return status"), "return_status", ReturnStatus.choices),
        Choice("mode", gettext_lazy("Purchase mode"), "purchase_mode", PurchaseMode.choices),
        Filter("account", gettext_lazy("For"), "account__name"),
        Filter("order", gettext_lazy("Order"), "order_number"),
        Filter("perpetual_id", gettext_lazy("Perpetual ID"), "perpetual_id"),
        Period("bought", gettext_lazy("Purchase date"), "purchased_at"),
        Period("returnable", gettext_lazy("Returnable until"), "returnable_until"),
    )
    search = ("sold_name", "account__name", "order_number", "perpetual_id")
    empty_icon = "key"
    empty_title = gettext_lazy("No licences yet")
    empty_text = gettext_lazy("What you buy once and keep appears here, with its key.")

    def screen_columns(self) -> list[Column]:
        """With the masked key."""
        return with_key(super().screen_columns())

    def row_url(self, row: Any) -> str:
        """The licence."""
        return reverse("storefront:asset_detail", args=[row.public_id])


class AssetPage(Page):
    """A page about one licence, in the storefront's layout."""

    perm = Perm.SHOP_SERVICES_VIEW
    layout = "base_storefront.html"
    back = BACK
    asset: Asset

    def load(self, public_id: object) -> Asset:
        """The licence of the address."""
        row: Asset = self.find(assets_for(self.actor), public_id)
        return shown_to(self.actor, row)

    def key_context(self) -> dict[str, Any]:
        """What ``storefront/_asset_key.html`` draws beside the licence."""
        return {
            "asset": self.asset,
            "may_reveal": self.actor.has(Perm.SHOP_TOKEN_REVEAL),
            "key": "",
            "entered_keys": list(keys_of(self.actor, self.asset)) if self.asset.is_perpetual else [],
        }

    def vendor_context(self) -> dict[str, Any]:
        """What ``storefront/_asset_vendor.html`` draws: when the vendor was asked, and whether he is being asked."""
        return {
            "asset": self.asset,
            "reading": reading_asset(self.actor, self.asset),
            "may_manage": self.actor.has(Perm.SHOP_SERVICES_MANAGE),
            "not_now": obstacle(self.asset, AssetAction.REFRESH)[1],
        }


class AssetDetail(AssetPage):
    """How one licence stands; htmx asks for the head alone while something is under way."""

    template_name = "storefront/asset_detail.html"

    def page_title(self) -> str:
        """The licence's name."""
        return self.asset.name

    def get(self, request: HttpRequest, public_id: str) -> HttpResponseBase:
        """Show it."""
        self.asset = self.load(public_id)
        return self.show()

    def context(self) -> dict[str, Any]:
        """Everything the page shows; amounts only for who may see prices, nothing of the vendor's words."""
        row, actor = self.asset, self.actor
        request = return_in_view(actor, row)
        moves = is_moving(actor, row)
        found = asset_deeds(actor, row)
        closed: dict[str, list[Any]] = {}
        for deed in found:
            if deed.reason:
                closed.setdefault(deed.reason, []).append(deed)
        sees_orders = actor.has(Perm.SHOP_ORDERS_VIEW)
        return {
            **self.key_context(),
            **self.vendor_context(),
            "request_shown": request,
            "is_moving": moves,
            "headline": headline(row, request, is_moving=moves),
            "returnable_day": row.returnable_until.astimezone(dt.UTC).date() if row.returnable_until else None,
            "deeds": found,
            "open_deeds": [deed for deed in found if not deed.reason],
            "closed_deeds": closed,
            "order": orders_for(actor).filter(lines__asset=row).first() if sees_orders else None,
            "sees_prices": actor.has(Perm.SHOP_PRICES_VIEW) and row.is_priced,
            "both": both_legs(actor, row) if actor.has(Perm.SHOP_PRICES_VIEW) else None,
            "history": history_for(actor, row, *returns_for(actor).filter(asset=row)),
        }


class AssetReveal(AssetDetail):
    """The whole key: POST shows it in place, in an answer that nobody keeps; GET leads back to the licence."""

    perm = Perm.SHOP_TOKEN_REVEAL
    level = "read"
    revealed = ""

    def get(self, request: HttpRequest, public_id: str) -> HttpResponseBase:
        """Nothing is shown without a click."""
        return redirect("storefront:asset_detail", public_id=self.load(public_id).public_id)

    def post(self, request: HttpRequest, public_id: str) -> HttpResponseBase:
        """The key, inside the page or as the part of it that htmx asks for."""
        self.actor.require(Perm.SHOP_SERVICES_VIEW)
        self.asset = self.load(public_id)
        status, words = 200, ""
        try:
            self.revealed = reveal_token(self.actor, self.asset)
        except PermissionRefused:
            raise
        except BusinessError as error:
            status, words = 400, str(error.message)
        if self.wants_part():
            values = {**self.key_context(), "key_refused": words}
            response: Any = render(request, "storefront/_asset_key.html", values)
        else:
            response = self.show(status, key_refused=words)
        response["Cache-Control"] = "no-store"
        return response  # type: ignore[no-any-return]

    def key_context(self) -> dict[str, Any]:
        """With the key, in this one answer."""
        return super().key_context() | {"key": self.revealed}


class AssetRefresh(AssetPage):
    """Reads the licence's status anew: POST starts it, GET tells how far it is (htmx) or leads back."""

    perm = Perm.SHOP_SERVICES_MANAGE

    def get(self, request: HttpRequest, public_id: str) -> HttpResponseBase:
        """As it stands now."""
        self.asset = self.load(public_id)
        return self.answer(request)

    def post(self, request: HttpRequest, public_id: str) -> HttpResponseBase:
        """Ask the vendor in the background."""
        self.asset = self.load(public_id)
        try:
            start_asset_refresh(self.actor, self.asset)
        except PermissionRefused:
            raise
        except BusinessError as error:
            if not self.wants_part():
                messages.warning(request, str(error.message))
        return self.answer(request)

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        """The part that says when the vendor was asked; once it is read, the page draws the rest anew."""
        if not self.wants_part():
            return redirect("storefront:asset_detail", public_id=self.asset.public_id)
        known = self.vendor_context()
        response = render(request, "storefront/_asset_vendor.html", {"asked": True, **known})
        if known["reading"] is None and request.method == "GET":
            response["HX-Trigger-After-Settle"] = "asset-read"
        return response


class AssetDeed(ActionPage):
    """A deed on a licence: says what follows, then does it."""

    perm = Perm.SHOP_SERVICES_MANAGE
    layout = "base_storefront.html"
    back = BACK

    def load(self, **kwargs: Any) -> Asset:
        """The licence of the address."""
        row: Asset = self.find(assets_for(self.actor), kwargs["public_id"])
        return shown_to(self.actor, row)

    def crumbs(self) -> list[tuple[str, str]]:
        """The list and the licence."""
        return [*super().crumbs(), (self.object.name, self.cancel_url())]

    def cancel_url(self) -> str:
        """Back to the licence."""
        return reverse("storefront:asset_detail", args=[self.object.public_id])


class AssetCancel(AssetDeed):
    """Asks for the licence to be taken back."""

    title = gettext_lazy("Cancel the licence")
    submit = gettext_lazy("Submit the request")
    form_class = AssetCancelForm
    success = gettext_lazy("Your request was sent. Your provider decides about it; you can withdraw it until then.")
    is_danger = True

    def consequences(self) -> list[str]:
        """What it means, or why it is not possible."""
        words = obstacle(self.object, AssetAction.RETURN)[1]
        if words:
            return [words]
        first = _("Your provider decides about the request. Once accepted, the key can no longer be used, at once.")
        money = _("The full amount is credited when Microsoft has taken the licence back.")
        if self.object.is_perpetual:
            return [first, _("A perpetual licence can only be returned as a whole."), money]
        return [first, money, _("A licence that was used cannot be returned.")]

    def perform(self, form: Any) -> AssetReturn:
        """Ask for it."""
        return submit_return(self.actor, asset=self.object, comment=form.cleaned_data["comment"])


class AssetWithdraw(AssetDeed):
    """Takes the request back before anybody has decided."""

    title = gettext_lazy("Withdraw the request")
    success = gettext_lazy("The request is withdrawn. The licence stays as it is.")

    def consequences(self) -> list[str]:
        """Nothing changes."""
        return [_("The licence stays as it is. You can ask again as long as it is returnable.")]

    def perform(self, form: Any) -> AssetReturn:
        """Take it back."""
        waiting = returns_for(self.actor).filter(asset=self.object, status=RequestStatus.SUBMITTED).first()
        if waiting is None:
            raise BusinessError("nothing_requested", _("No request waits for a decision."))
        return withdraw_return(self.actor, request=waiting)


class AssetResend(AssetDeed):
    """Sends the mail with the key again."""

    title = gettext_lazy("Send the e-mail again")
    form_class = ResendForm
    success = gettext_lazy("The e-mail is on its way.")

    def form_kwargs(self) -> dict[str, Any]:
        """The addresses it may go to."""
        return {"addresses": addresses_to_choose(self.actor, self.object)}

    def consequences(self) -> list[str]:
        """Whoever reads it has the key."""
        if self.object.is_perpetual:
            return [_("The e-mail holds all keys. It is sent at most five times a day.")]
        return [_("The e-mail holds the key. It is sent at most five times a day.")]

    def perform(self, form: Any) -> Asset:
        """Send it."""
        return resend_token(self.actor, asset=self.object, email=form.cleaned_data["email"])
