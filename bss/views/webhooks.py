"""System Options > Webhooks: the endpoints of the organization's programs and of its resellers' programs."""

from typing import ClassVar

from django.utils.translation import gettext_lazy

from ui import webhooks as pages
from ui.tables import Column
from users.permissions import Perm

LIST = (gettext_lazy("Webhooks"), "bss:webhook_list")


class Room:
    """Who may, and where."""

    perm: ClassVar[str] = Perm.WEBHOOK_MANAGE
    door: ClassVar[str] = "bss"


class WebhookList(Room, pages.WebhookList):
    """All endpoints."""

    columns: ClassVar[tuple[Column, ...]] = (
        *pages.WebhookList.columns[:3],
        Column("client.account", gettext_lazy("Account"), sort="client__account__name"),
        *pages.WebhookList.columns[3:],
    )


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
