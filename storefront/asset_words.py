"""A licence in words for the customer: what goes on with it, and what he may do (``esd.md`` 7, 8)."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from core.tenancy import Actor
from storefront.service_words import Deed
from subscriptions.asset_enums import AssetStatus, DeliveryNote, ReturnStatus, TokenStatus
from subscriptions.asset_rules import AssetAction, obstacle
from subscriptions.asset_selectors import delivery_account
from subscriptions.models import Asset, AssetReturn
from users.permissions import Perm
from vendors.models import SyncStatus


@dataclass(frozen=True)
class Headline:
    """What stands above the licence: a sentence, more of it, and a tone."""

    words: str
    note: str
    tone: str


def headline(row: Asset, request: AssetReturn | None, *, is_moving: bool) -> Headline | None:
    """The one thing worth saying about a licence; None for one that is simply ready."""
    if row.status == AssetStatus.PENDING:
        if is_moving:
            note = _("This usually takes a minute or two. The key is sent by e-mail as well.")
            if row.is_perpetual:
                note = _("This usually takes a few minutes. You hear of it by e-mail.")
            return Headline(_("Your licence is on its way."), note, "info")
        if row.sync_status == SyncStatus.FAILED:
            note = _("Being checked by the provider. Nothing is charged for it.")
            return Headline(_("This licence could not be provided yet."), note, "warning")
        return Headline(_("Not confirmed yet; we are checking."), "", "info")
    if row.return_status == ReturnStatus.SUCCESSFUL:
        return Headline(_("This licence is returned."), _("Its key can no longer be used; it was credited."), "neutral")
    if row.status == AssetStatus.CANCELLED:
        return Headline(_("This licence was given up."), _("Nothing was charged for it."), "neutral")
    if row.token_status == TokenStatus.REDEEMED:
        return Headline(_("This licence is in use."), _("Its key has been redeemed."), "success")
    if row.delivery_note == DeliveryNote.FAILED and request is None:
        return Headline(_("Mail not delivered"), _("Send it again to another address of the account."), "warning")
    return None


def asset_deeds(actor: Actor, row: Asset) -> list[Deed]:
    """What may be done with the licence, and why not; nothing for who may not manage it or once it is over."""
    if not actor.has(Perm.SHOP_SERVICES_MANAGE) or row.status == AssetStatus.CANCELLED:
        return []

    def deed(action: AssetAction, name: str, icon: str, label: str, hint: str, *, is_danger: bool = False) -> Deed:
        url = reverse(f"storefront:asset_{name}", args=[row.public_id])
        return Deed(label, hint, icon, url, obstacle(row, action)[1], is_danger)

    label, hint = _("Send the e-mail again"), _("With the key, to you or somebody else of the account")
    if row.is_perpetual:
        label, hint = _("Send the keys by e-mail"), _("To you or somebody else of the account")
    mail = deed(AssetAction.RESEND, "resend", "mail", label, hint)
    label, hint = _("Cancel the licence"), _("Give it back unused; the full amount is credited")
    if row.is_perpetual:
        hint = _("Give it back as a whole; the full amount is credited")
    give_back = deed(AssetAction.RETURN, "cancel", "cross", label, hint, is_danger=True)
    return [mail, give_back] if actor.reaches(delivery_account(row)) else [give_back]
