"""Assets: licences bought once, what is known of them, their keys, and what staff do with them (``esd.md`` 7, 8)."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.selectors import charges_for
from bss.forms.operations import CommentForm, KeysForm, ReasonForm, ResendForm
from bss.views.shared import history_of
from core.custom_fields import Entity
from core.errors import BusinessError, PermissionRefused
from core.tenancy import Actor
from orders.legs import shared_legs
from orders.selectors import orders_for
from orders.services.asset_return import return_asset
from provisioning.services import desk
from provisioning.services.asset_refresh import reading_asset, start_asset_refresh
from resellers.enums import PurchaseMode
from subscriptions.asset_enums import AssetStatus, DeliveryNote, ReturnStatus, TokenStatus
from subscriptions.asset_rules import AssetAction, failed_creation, obstacle, open_return
from subscriptions.asset_selectors import (
    asset_operations,
    assets_for,
    delivery_addresses,
    keys_of,
    lacking_keys,
    listed_assets,
    return_in_view,
)
from subscriptions.models import Asset, AssetReturn, Operation
from subscriptions.services.keys import add_keys, resend_token, reveal_token
from ui.custom_fields import CustomList
from ui.filters import Choice, Filter, Flag, Period
from ui.pages import Action, ActionPage, BulkAction, DetailPage, Fact
from ui.tables import Column
from users.permissions import Perm
from vendors.models import SyncStatus
from vendors.selectors import instance_choices

LIST = (gettext_lazy("Assets"), "bss:asset_list")
TOKEN = Column(
    "token_status",
    gettext_lazy("Token"),
    "status",
    sort="token_status",
    sub="masked_token",
    sub_label=gettext_lazy("Key"),
)
CHARGE_ROWS, OPERATION_ROWS = 20, 20


def nothing_failed() -> BusinessError:
    """Retry and Give up are for a purchase that came to nothing."""
    return BusinessError("nothing_failed", _("Only a licence that was not provisioned can be tried again."))


def retry_creation(actor: Actor, row: Asset) -> Operation:
    """Hand the failed purchase of a licence to the desk."""
    operation = failed_creation(row)
    if operation is None:
        raise nothing_failed()
    return desk.retry(actor, operation=operation)


@dataclass(frozen=True)
class KeysMissing(Choice):
    """Perpetual licences whose keys somebody should enter."""

    def apply(self, rows: QuerySet[Any], values: dict[str, Any]) -> QuerySet[Any]:
        """Narrow to them."""
        return lacking_keys(rows) if values.get(self.name) else rows


class AssetList(CustomList):
    """All licences of the organization, newest first."""

    entity = Entity.ASSET
    perm = Perm.BSS_VIEW
    title = gettext_lazy("Assets")
    intro = gettext_lazy("Licences that customers bought once and keep.")
    selector = listed_assets
    columns = (
        Column(
            "name",
            gettext_lazy("Asset"),
            "main",
            sort="name",
            sub="perpetual_id",
            sub_label=gettext_lazy("Perpetual ID"),
        ),
        Column(
            "account.name",
            gettext_lazy("Customer"),
            sort="account__name",
            sub="bill_to.name",
            sub_label=gettext_lazy("Billed to"),
        ),
        Column("get_purchase_mode_display", gettext_lazy("Purchase mode"), sort="purchase_mode"),
        Column(
            "purchased_at",
            gettext_lazy("Purchase date"),
            "date",
            sort="purchased_at",
            sub="order_number",
            sub_label=gettext_lazy("Order"),
        ),
        Column("status", gettext_lazy("Status"), "status", sort="status"),
        Column("sync_status", gettext_lazy("Synchronization"), "status", sort="sync_status"),
        Column(
            "token_status",
            gettext_lazy("Token status"),
            "status",
            sort="token_status",
        ),
        Column("return_status", gettext_lazy("Return status"), "status", in_files_only=True),
        Column("returnable_until", gettext_lazy("Returnable until"), "date", sort="returnable_until"),
        Column("product.name", gettext_lazy("Product"), in_files_only=True),
        Column("product.code", gettext_lazy("Code"), "code", in_files_only=True),
        Column("instance.system_name", gettext_lazy("Instance"), in_files_only=True),
        Column("quantity", gettext_lazy("Quantity"), "number", in_files_only=True),
        Column("unit_price", gettext_lazy("Price"), "money", in_files_only=True),
        Column("external_id", gettext_lazy("Licence id"), "code", in_files_only=True),
        Column("transaction_id", gettext_lazy("Transaction id"), "code", in_files_only=True),
        Column("vendor_order_id", gettext_lazy("Order ID of the vendor"), "code", in_files_only=True),
        Column("vendor_order_alias", gettext_lazy("Order ID Alias"), "code", in_files_only=True),
        Column("warning", gettext_lazy("Warning"), in_files_only=True),
        Column("get_delivery_note_display", gettext_lazy("E-mail"), in_files_only=True),
    )
    filters: ClassVar[tuple[Filter, ...]] = (
        Choice("status", gettext_lazy("Status"), "status", AssetStatus.choices),
        Choice("token", gettext_lazy("Token status"), "token_status", TokenStatus.choices),
        Choice("return", gettext_lazy("Return status"), "return_status", ReturnStatus.choices),
        Choice("sync", gettext_lazy("Synchronization"), "sync_status", SyncStatus.choices),
        Choice("instance", gettext_lazy("Instance"), "instance__public_id", instance_choices),
        Choice("mode", gettext_lazy("Purchase mode"), "purchase_mode", PurchaseMode.choices),
        Filter("account", gettext_lazy("Customer"), "account__name"),
        Filter("bill_to", gettext_lazy("Billed to"), "bill_to__name"),
        Filter("product", gettext_lazy("Product"), "product__name"),
        Filter("order", gettext_lazy("Order"), "order_number"),
        Choice("mail", gettext_lazy("E-mail"), "delivery_note", DeliveryNote.choices),
        Filter("perpetual_id", gettext_lazy("Perpetual ID"), "perpetual_id"),
        Flag("perpetual", gettext_lazy("Perpetual licence"), "is_perpetual"),
        KeysMissing("keys", gettext_lazy("Keys"), "pk", (("missing", gettext_lazy("None entered within a day")),)),
        Period("bought", gettext_lazy("Purchase date"), "purchased_at"),
    )
    search = ("name", "account__name", "bill_to__name", "order_number", "external_id", "perpetual_id")
    empty_icon = "key"
    empty_title = gettext_lazy("No assets yet")
    empty_text = gettext_lazy("A licence appears here as soon as its order is executed.")
    bulk_actions = (BulkAction("retry", gettext_lazy("Retry"), Perm.OPERATION_ACT, retry_creation),)

    def screen_columns(self) -> list[Column]:
        """With the masked key below its status; no file has it."""
        return [TOKEN if column.path == TOKEN.path else column for column in super().screen_columns()]

    def row_url(self, row: Any) -> str:
        """The licence with all that is known of it."""
        return reverse("bss:asset_detail", args=[row.public_id])


class AssetDetail(DetailPage):
    """One licence: whose, how it stands, its key, what was asked of the vendor, the money and its history."""

    perm = Perm.BSS_VIEW
    selector = assets_for
    template_name = "bss/asset_page.html"
    back = LIST
    facts = (
        Fact("purchased_at", gettext_lazy("Purchase date"), "when"),
        Fact("quantity", gettext_lazy("Quantity"), "number"),
        Fact("unit_price", gettext_lazy("Unit price"), "money"),
        Fact("get_purchase_mode_display", gettext_lazy("Purchase mode")),
        Fact("sync_status", gettext_lazy("Synchronization"), "status", sub="sync_note"),
        Fact("token_status", gettext_lazy("Token status"), "status"),
        Fact("return_status", gettext_lazy("Return status"), "status"),
        Fact("returnable_until", gettext_lazy("Returnable until"), "date"),
        Fact("activated_at", gettext_lazy("Ready"), "when"),
        Fact("redeemed_at", gettext_lazy("Redeemed"), "when"),
        Fact("cancelled_at", gettext_lazy("Cancelled"), "when"),
        Fact("delivery_note", gettext_lazy("E-mail"), "status"),
    )
    parts = (
        "bss/_asset_alerts.html",
        "bss/_asset_perpetual.html",
        "bss/_asset_key.html",
        "bss/_asset_money.html",
        "bss/_custom.html",
        "bss/_asset_operations.html",
    )
    side = ("bss/_asset_whose.html", "bss/_history.html")

    def shown_facts(self) -> list[Fact]:
        """Empty ones are left out; a day of return counts in UTC."""
        always = {"purchased_at", "unit_price", "sync_status", "returnable_until"}
        never = {"return_status"} if self.object.return_status == ReturnStatus.NONE else set()
        return [
            fact for fact in self.facts if fact.path in always or (fact.raw(self.object) and fact.path not in never)
        ]

    def context(self) -> dict[str, Any]:
        """The key, the open return, operations, charges and the order."""
        row: Asset = self.object
        return {
            **self.key_context(row),
            "request_shown": return_in_view(self.actor, row),
            "shared": shared_legs(self.actor, row),
            "reading": reading_asset(self.actor, row),
            "operations": list(asset_operations(self.actor, row)[:OPERATION_ROWS]),
            "links_operations": self.actor.has(Perm.OPERATION_VIEW),
            "charges": list(charges_for(self.actor).filter(asset=row)[:CHARGE_ROWS]),
            "order": orders_for(self.actor).filter(lines__asset=row).first(),
            "history": history_of(self.actor, row),
        }

    def key_context(self, row: Asset) -> dict[str, Any]:
        """What ``bss/_asset_key.html`` draws."""
        return {
            "asset": row,
            "may_reveal": self.actor.has(Perm.TOKEN_REVEAL),
            "key": "",
            "entered_keys": list(keys_of(self.actor, row)) if row.is_perpetual else [],
        }

    def actions(self, row: Asset) -> list[Action]:
        """Refresh, resend and cancel; retry and give up for a purchase that came to nothing."""
        found = []
        if self.actor.has(Perm.OPERATION_ACT) and row.status == AssetStatus.PENDING:
            why = "" if failed_creation(row) else str(nothing_failed().message)
            found.append(Action(_("Retry"), self._url("retry"), "sync", "primary", why))
            found.append(Action(_("Give up"), self._url("give_up"), "cross", "danger", why))
        if self.actor.has(Perm.SERVICE_MANAGE) and row.status != AssetStatus.CANCELLED:
            found += [
                Action(label, self._url(name), icon, tone, obstacle(row, action)[1], is_post=is_post)
                for action, label, name, icon, is_post, tone in self._deeds(row)
            ]
        return found

    def _deeds(self, row: Asset) -> list[tuple[AssetAction, str, str, str, bool, str]]:
        """What is done with a licence of its kind: action, label, address, icon, whether at once, tone."""
        back = (AssetAction.RETURN, _("Cancel"), "cancel", "cross", False, "danger")
        if row.is_perpetual:
            return [
                (AssetAction.ADD_KEYS, _("Add keys"), "add_keys", "plus", False, ""),
                (AssetAction.RESEND, _("Send keys"), "resend", "mail", False, ""),
                (AssetAction.REFRESH, _("Check again"), "refresh", "sync", True, ""),
                back,
            ]
        return [
            (AssetAction.REFRESH, _("Refresh status"), "refresh", "sync", True, ""),
            (AssetAction.RESEND, _("Resend e-mail"), "resend", "mail", False, ""),
            back,
        ]

    def _url(self, name: str) -> str:
        return reverse(f"bss:asset_{name}", args=[self.object.public_id])


class AssetReveal(AssetDetail):
    """The whole key: POST shows it in place, in an answer that nobody keeps; GET leads back to the asset."""

    perm = Perm.TOKEN_REVEAL
    revealed = ""

    def get(self, request: HttpRequest, public_id: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Nothing is shown without a click."""
        row = self.find(assets_for(self.actor), public_id)
        return redirect("bss:asset_detail", public_id=row.public_id)

    def post(self, request: HttpRequest, public_id: str) -> HttpResponseBase:
        """The key, inside the page or as the part of it that htmx asks for."""
        self.object = self.find(assets_for(self.actor), public_id)
        status, words = 200, ""
        try:
            self.revealed = reveal_token(self.actor, self.object)
        except PermissionRefused:
            raise
        except BusinessError as error:
            status, words = 400, str(error.message)
        if self.wants_part():
            values = {**self.key_context(self.object), "key_refused": words}
            response: Any = render(request, "bss/_asset_key.html", values)
        else:
            response = self.show(
                status,
                object=self.object,
                fact_cells=[(fact.label, fact.cell(self.object)) for fact in self.shown_facts()],
                actions=self.actions(self.object),
                key_refused=words,
            )
        response["Cache-Control"] = "no-store"
        return response  # type: ignore[no-any-return]

    def key_context(self, row: Asset) -> dict[str, Any]:
        """With the key, in this one answer."""
        return super().key_context(row) | {"key": self.revealed}


class AssetDeed(ActionPage):
    """A deed on an asset: says what follows, then does it."""

    perm = Perm.SERVICE_MANAGE
    back = LIST

    def load(self, **kwargs: Any) -> Asset:
        """The asset of the address."""
        row: Asset = self.find(assets_for(self.actor), kwargs["public_id"])
        return row

    def crumbs(self) -> list[tuple[str, str]]:
        """The list and the asset."""
        return [*super().crumbs(), (self.object.name, self.cancel_url())]

    def cancel_url(self) -> str:
        """Back to the asset."""
        return reverse("bss:asset_detail", args=[self.object.public_id])


class AssetRefresh(AssetDeed):
    """Read the licence's status at the vendor now."""

    title = gettext_lazy("Refresh status")

    def page_title(self) -> str:
        """By what is asked: the ids of a perpetual licence, the state of any other."""
        return _("Check again") if self.object.is_perpetual else super().page_title()

    def consequences(self) -> list[str]:
        """Nothing is changed at the vendor."""
        return [_("The vendor is asked how the licence stands; nothing is changed there.")]

    def perform(self, form: Any) -> None:
        """Ask in the background."""
        start_asset_refresh(self.actor, self.object)
        messages.success(self.request, _("The vendor is being asked."))


class AssetResend(AssetDeed):
    """Send the mail with the key again."""

    title = gettext_lazy("Resend e-mail")
    form_class = ResendForm
    success = gettext_lazy("The e-mail is on its way.")

    def form_kwargs(self) -> dict[str, Any]:
        """The addresses it may go to."""
        return {"addresses": delivery_addresses(self.object)}

    def consequences(self) -> list[str]:
        """Whoever reads it has the key."""
        if self.object.is_perpetual:
            return [_("The e-mail holds all keys that were entered. It is sent at most five times a day.")]
        return [_("The e-mail holds the key. It is sent at most five times a day.")]

    def perform(self, form: Any) -> Asset:
        """Send it."""
        return resend_token(self.actor, asset=self.object, email=form.cleaned_data["email"])


class AssetAddKeys(AssetDeed):
    """Enter the keys of a perpetual licence, which somebody read in the vendor's portal."""

    title = gettext_lazy("Add keys")
    submit = gettext_lazy("Save the keys")
    form_class = KeysForm

    def consequences(self) -> list[str]:
        """Nobody is told yet."""
        return [
            _("Microsoft gives keys in its portal only. They are stored encrypted and shown masked."),
            _("Nothing is sent yet; choose Send keys afterwards."),
        ]

    def perform(self, form: Any) -> None:
        """Store them."""
        count = add_keys(self.actor, asset=self.object, keys=form.cleaned_data["keys"].splitlines())
        words = ngettext("%(count)s key is stored.", "%(count)s keys are stored.", count)
        messages.success(self.request, words % {"count": count})


class AssetCancel(AssetDeed):
    """Give the licence back at once."""

    title = gettext_lazy("Cancel asset")
    submit = gettext_lazy("Send Request")
    form_class = CommentForm
    success = gettext_lazy("Accepted. It is credited as soon as the vendor has taken the licence back.")
    is_danger = True

    def consequences(self) -> list[str]:
        """What it means, or why it is not possible."""
        words = obstacle(self.object, AssetAction.RETURN)[1]
        if words:
            found = open_return(self.object)
            return [words, _("Decide about the open request instead.")] if found else [words]
        whole = [_("A perpetual licence can only be returned as a whole.")] if self.object.quantity > 1 else []
        return [
            _("The vendor is asked at once to take the licence back; its key can no longer be used then."),
            *whole,
            _("The full amount is credited when he has done it, and the customer is told by e-mail."),
        ]

    def perform(self, form: Any) -> AssetReturn:
        """A request that is accepted as it is written."""
        return return_asset(self.actor, asset=self.object, comment=form.cleaned_data["comment"])


class AssetRetry(AssetDeed):
    """Provision a failed licence again."""

    perm = Perm.OPERATION_ACT
    title = gettext_lazy("Retry")
    success = gettext_lazy("It is on its way to the vendor.")

    def consequences(self) -> list[str]:
        """Charged again, ordered once."""
        return [
            _("The vendor is asked again; what he may have done already is found and not ordered twice."),
            _("A refused licence is charged again; without enough credit nothing happens."),
        ]

    def perform(self, form: Any) -> Operation:
        """Hand it to the desk."""
        return retry_creation(self.actor, self.object)


class AssetGiveUp(AssetDeed):
    """Stop for good: the order line is closed uncharged."""

    perm = Perm.OPERATION_ACT
    title = gettext_lazy("Give up")
    form_class = ReasonForm
    success = gettext_lazy("Given up.")
    is_danger = True

    def consequences(self) -> list[str]:
        """Released and cancelled."""
        return [
            _("Nothing more is sent to the vendor. What he may have done already stays as it is there."),
            _("The licence is cancelled, and the amount held for it is released."),
        ]

    def perform(self, form: Any) -> Operation:
        """Hand it to the desk."""
        operation = failed_creation(self.object)
        if operation is None:
            raise nothing_failed()
        return desk.give_up(self.actor, operation=operation, reason=form.cleaned_data["reason"])
