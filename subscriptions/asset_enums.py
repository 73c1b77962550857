"""States of assets and of their keys, and what may follow what (``esd.md`` 7)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.states import Machine


class AssetStatus(models.TextChoices):
    """The life of an asset."""

    PENDING = "pending", _("Pending")
    ACTIVE = "active", _("Active")
    CANCELLED = "cancelled", _("Cancelled")


class TokenStatus(models.TextChoices):
    """What became of an asset's key; none before the vendor gave one."""

    ACTIVATED = "activated", _("Activated")
    REDEEMED = "redeemed", _("Redeemed")
    RETURN_ACCEPTED = "return_accepted", _("Return Accepted")


class ReturnStatus(models.TextChoices):
    """Whether the vendor took the licence back."""

    NONE = "none", _("None")
    SUCCESSFUL = "successful", _("Successful")


class DeliveryNote(models.TextChoices):
    """What became of the mail with the key."""

    QUEUED = "queued", _("On its way")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Mail not delivered")


class AssetEvent(models.TextChoices):
    """What can happen to an asset."""

    CONFIRM = "confirm", _("The vendor confirmed")
    GIVE_UP = "give_up", _("Give up")
    RETURN = "return", _("The vendor took it back")


ASSET_MACHINE = Machine(
    _("asset"),
    "status",
    {
        (AssetStatus.PENDING, AssetEvent.CONFIRM): AssetStatus.ACTIVE,
        (AssetStatus.PENDING, AssetEvent.GIVE_UP): AssetStatus.CANCELLED,
        (AssetStatus.ACTIVE, AssetEvent.RETURN): AssetStatus.CANCELLED,
    },
)

TOKEN_MACHINE = Machine(
    _("key"),
    "token_status",
    {
        (TokenStatus.ACTIVATED, TokenStatus.REDEEMED): TokenStatus.REDEEMED,
        (TokenStatus.ACTIVATED, TokenStatus.RETURN_ACCEPTED): TokenStatus.RETURN_ACCEPTED,
    },
)
