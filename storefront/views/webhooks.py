"""Settings > API credentials > Webhooks of a reseller: where his programs are told what happens."""

from typing import ClassVar

from django.utils.translation import gettext_lazy

from ui import webhooks as pages
from users.permissions import Perm

LIST = (gettext_lazy("Webhooks"), "storefront:webhook_list")


class Room:
    """Who may, and where."""

    perm: ClassVar[str] = Perm.SHOP_WEBHOOKS
    door: ClassVar[str] = "storefront"
    layout: ClassVar[str] = "base_storefront.html"


class WebhookList(Room, pages.WebhookList):
    """His endpoints."""


class WebhookNew(Room, pages.WebhookNew):
    """A new endpoint."""

    back = LIST


class WebhookDetail(Room, pages.WebhookDetail):
    """An endpoint."""

    back = LIST


class WebhookEdit(Room, pages.WebhookEdit):
    """Its address and events."""

    back = LIST


class WebhookRotate(Room, pages.WebhookRotate):
    """Another secret."""

    back = LIST


class WebhookTest(Room, pages.WebhookTest):
    """A test."""

    back = LIST


class WebhookDelete(Room, pages.WebhookDelete):
    """Its end."""

    back = LIST


class WebhookDeliveries(Room, pages.WebhookDeliveries):
    """What was sent to it."""

    back = LIST


class WebhookDelivery(Room, pages.WebhookDeliveryDetail):
    """A delivery."""

    back = LIST


class WebhookReplay(Room, pages.WebhookReplay):
    """A delivery once more."""

    back = LIST
