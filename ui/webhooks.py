"""Webhooks on the pages of both doors: the endpoints, their secrets, and what was sent to them.

A secret is shown once, on the page that answers the POST.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import ApiClient
from notifications.models import WebhookDelivery, WebhookEndpoint, WebhookState
from notifications.selectors import attempts_of, deliveries_of, programs_for, webhooks_for
from notifications.services.webhooks import (
    create_webhook,
    delete_webhook,
    replay_delivery,
    rotate_webhook,
    test_webhook,
    update_webhook,
)
from notifications.topics import TEST_TOPIC, TOPICS
from ui.api_clients import ClientPages
from ui.doors import paths_at_door
from ui.filters import Choice, Filter, Flag, Period
from ui.pages import Action, ActionPage, BulkAction, DetailPage, Fact, FormPage, ListPage, Page
from ui.tables import Column

GROUPS = (
    ("subscription.addon.", gettext_lazy("Add-ons")),
    ("subscription.synchronization.", gettext_lazy("Vendor")),
    ("subscription.usage.", gettext_lazy("Usage")),
    ("subscription.", gettext_lazy("Subscriptions")),
    ("order.", gettext_lazy("Orders")),
    ("asset.", gettext_lazy("Licences")),
    ("account.", gettext_lazy("Accounts")),
    ("invoice.", gettext_lazy("Invoices")),
)


def shown_address(row: WebhookEndpoint) -> str:
    """The address without its scheme, cut where it gets long; whole on its own page and in files."""
    return Truncator(row.url.partition("://")[2]).chars(48)


def _events(row: WebhookEndpoint) -> str:
    return str(_("All events")) if len(row.events) == len(TOPICS) else ", ".join(row.events)


def _state(row: WebhookEndpoint) -> str:
    if not row.is_active:
        return str(row.get_off_reason_display())
    return str(_("Failing") if row.failing_since else _("Active"))


def _answer(row: WebhookDelivery) -> str:
    return str(row.last_status) if row.last_status else row.last_error


def _event_choices(actor: Any = None) -> list[tuple[str, str]]:
    return [(name, name) for name in (*TOPICS, TEST_TOPIC.name)]


def grouped_events() -> list[tuple[str, list[tuple[str, str]]]]:
    """The events below the thing they are about, each with its words."""
    found: dict[str, list[tuple[str, str]]] = {str(label): [] for _prefix, label in GROUPS}
    for name, topic in TOPICS.items():
        label = next(str(label) for prefix, label in GROUPS if name.startswith(prefix))
        found[label].append((name, f"{topic.words} ({name})"))
    return sorted(found.items(), key=lambda item: item[0] != str(_("Subscriptions")))


class EndpointForm(forms.Form):
    """Where to, and of what."""

    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=500,
        widget=forms.URLInput,
        help_text=gettext_lazy("https, and reachable from the public internet."),
    )
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Events"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one event.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["events"].choices = grouped_events()  # type: ignore[attr-defined]


class NewEndpointForm(EndpointForm):
    """A new one also names its program."""

    client: forms.ModelChoiceField[ApiClient] = forms.ModelChoiceField(
        queryset=None,
        label=gettext_lazy("API client"),
        help_text=gettext_lazy("It hears of what this program may read by the API, and of nothing else."),
    )
    field_order = ("client", "url", "events")

    def __init__(self, *args: Any, actor: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["client"].queryset = programs_for(actor)  # type: ignore[attr-defined]


class ChangeEndpointForm(EndpointForm):
    """An existing one can be off."""

    is_active = forms.BooleanField(
        label=gettext_lazy("Active"),
        required=False,
        help_text=gettext_lazy("Switched off, nothing is sent; what waits can be replayed later."),
    )


class WebhookList(ClientPages, ListPage):
    """The endpoints."""

    title = gettext_lazy("Webhooks")
    intro = gettext_lazy("Addresses of your programs that are told at once when something happens.")
    selector = webhooks_for
    columns: ClassVar[tuple[Column, ...]] = (
        Column("name", gettext_lazy("Webhook"), "main", sort="url", show=shown_address),
        Column("url", gettext_lazy("Address"), in_files_only=True),
        Column("client.name", gettext_lazy("API client"), sort="client__name"),
        Column("events", gettext_lazy("Events"), "clip", show=_events),
        Column("state", gettext_lazy("Status"), show=_state),
        Column("failing_since", gettext_lazy("Failing since"), "ago", sort="failing_since"),
        Column("created_at", gettext_lazy("Since"), "ago", sort="created_at"),
    )
    filters: ClassVar[tuple[Filter, ...]] = (
        Flag("active", gettext_lazy("Active"), "is_active"),
        Filter("client", gettext_lazy("API client"), "client__name"),
        Period("since", gettext_lazy("Since"), "created_at"),
    )
    search = ("url", "client__name")
    sort = "-created_at"
    empty_icon = "bolt"
    empty_title = gettext_lazy("No webhooks yet")
    empty_text = gettext_lazy("Make one, and its receiver need not ask the API again and again.")

    def row_url(self, row: Any) -> str:
        """The endpoint."""
        return self.url("webhook", row.public_id)

    def actions(self) -> list[Action]:
        """A new one; the programs they belong to."""
        return [
            Action(_("New webhook"), self.url("webhook_new"), "plus", "primary"),
            Action(_("API clients"), self.url("api_client_list"), "key"),
        ]


class ShowsWebhookSecret(ClientPages):
    """Answers a POST with the secret."""

    def secret_page(self: Any, webhook: WebhookEndpoint, secret: str, *, is_new: bool) -> HttpResponse:
        """The page with the secret, which no cache keeps."""
        context = {
            "page": self,
            "layout": self.layout,
            "heading": self.page_title(),
            "crumbs": self.crumbs(),
            "webhook": webhook,
            "secret": secret,
            "is_new": is_new,
            "webhook_url": self.url("webhook", webhook.public_id),
        }
        answer = render(self.request, "ui/webhook_secret_page.html", context)
        answer["Cache-Control"] = "no-store"
        return answer


class WebhookNew(ShowsWebhookSecret, FormPage):
    """A new endpoint."""

    title = gettext_lazy("New webhook")
    form_class = NewEndpointForm

    def form_kwargs(self) -> dict[str, Any]:
        """Whose programs may be chosen."""
        return {"actor": self.actor}

    def perform(self, form: Any) -> HttpResponse:
        """Call the service, and show the secret."""
        data = form.cleaned_data
        row, secret = create_webhook(self.actor, client=data["client"], url=data["url"], events=data["events"])
        return self.secret_page(row, secret, is_new=True)


class WebhookDetail(ClientPages, DetailPage):
    """An endpoint and what can be done with it."""

    selector = webhooks_for
    status_field = ""
    parts = ("ui/_webhook_latest.html",)
    facts = (
        Fact("url", gettext_lazy("Address")),
        Fact("state", gettext_lazy("Status"), show=_state),
        Fact("client.name", gettext_lazy("API client")),
        Fact("events", gettext_lazy("Events"), show=_events),
        Fact("api_version", gettext_lazy("Version")),
        Fact("failing_since", gettext_lazy("Failing since"), "when"),
        Fact("previous_until", gettext_lazy("Old secret signs until"), "when"),
        Fact("created_at", gettext_lazy("Since"), "when"),
    )

    def page_title(self) -> str:
        """Its address."""
        return shown_address(self.object)

    def actions(self, row: Any) -> list[Action]:
        """What can be done now."""
        key = row.public_id
        off = "" if row.is_active else _("It is off.")
        return [
            Action(_("Edit"), self.url("webhook_edit", key), "edit", "primary"),
            Action(_("Send a test"), self.url("webhook_test", key), "arrow-right", reason=off),
            Action(_("New secret"), self.url("webhook_rotate", key), "sync"),
            Action(_("Delete"), self.url("webhook_delete", key), "trash", "danger"),
        ]

    def context(self) -> dict[str, Any]:
        """The latest deliveries."""
        rows = deliveries_of(self.actor, self.object)[:10]
        return {
            "latest": [(row, self.url("webhook_delivery", self.object.public_id, row.public_id)) for row in rows],
            "deliveries_url": self.url("webhook_deliveries", self.object.public_id),
        }


class OfWebhook(ShowsWebhookSecret, FormPage):
    """Something about one endpoint."""

    object: WebhookEndpoint

    def load(self, **kwargs: Any) -> WebhookEndpoint:
        """The endpoint of the address."""
        row: WebhookEndpoint = self.find(webhooks_for(self.actor), kwargs["public_id"])
        return row

    def crumbs(self) -> list[tuple[str, str]]:
        """Below the endpoint."""
        return [*super().crumbs(), (shown_address(self.object), self.url("webhook", self.object.public_id))]


class WebhookEdit(OfWebhook):
    """Address, events, on or off."""

    title = gettext_lazy("Edit webhook")
    form_class = ChangeEndpointForm
    success = gettext_lazy("Saved.")

    def initial(self) -> dict[str, Any]:
        """What is stored."""
        return {"url": self.object.url, "events": self.object.events, "is_active": self.object.is_active}

    def perform(self, form: Any) -> WebhookEndpoint:
        """Call the service."""
        return update_webhook(self.actor, endpoint=self.object, values=form.cleaned_data)


class WebhookRotate(OfWebhook, ActionPage):
    """Another secret."""

    title = gettext_lazy("New secret")

    def consequences(self) -> list[str]:
        """Both count for a day."""
        return [_("You see the new secret once."), _("For 24 hours what is sent is signed with both secrets.")]

    def perform(self, form: Any) -> HttpResponse:
        """Call the service, and show the secret."""
        return self.secret_page(self.object, rotate_webhook(self.actor, endpoint=self.object), is_new=False)


class WebhookTest(OfWebhook, ActionPage):
    """A test."""

    title = gettext_lazy("Send a test")
    success = gettext_lazy("The test is on its way. Reload the page to see how it was answered.")

    def consequences(self) -> list[str]:
        """What goes out."""
        return [_("The event webhook.test is sent to the address, signed like any other.")]

    def perform(self, form: Any) -> WebhookDelivery:
        """Call the service."""
        return test_webhook(self.actor, endpoint=self.object)


class WebhookDelete(OfWebhook, ActionPage):
    """The end of an endpoint."""

    title = gettext_lazy("Delete webhook")
    success = gettext_lazy("The webhook is deleted.")
    is_danger = True

    def consequences(self) -> list[str]:
        """With all it has."""
        return [_("Nothing is sent to this address any more, and its list of deliveries is deleted.")]

    def perform(self, form: Any) -> None:
        """Call the service."""
        delete_webhook(self.actor, endpoint=self.object)

    def done_url(self, result: Any) -> str:
        """The list: the endpoint is gone."""
        return self.url("webhook_list")


def _replay(actor: Any, row: WebhookDelivery) -> object:
    return replay_delivery(actor, endpoint=row.endpoint, public_id=row.public_id)


class WebhookDeliveries(ClientPages, ListPage):
    """What was sent to an endpoint in the last 30 days."""

    title = gettext_lazy("Deliveries")
    intro = gettext_lazy("Each event with what became of it; kept for 30 days.")
    columns = (
        Column("topic", gettext_lazy("Event"), "main", sort="topic", sub="message_id", sub_label="webhook-id"),
        Column("state", gettext_lazy("State"), "status", sort="state"),
        Column("answer", gettext_lazy("Answer"), "clip", show=_answer),
        Column("last_milliseconds", gettext_lazy("Milliseconds"), "number", sort="last_milliseconds"),
        Column("tries", gettext_lazy("Attempts"), "number", sort="tries"),
        Column("last_tried_at", gettext_lazy("Last attempt"), "when", sort="last_tried_at", in_files_only=True),
        Column("created_at", gettext_lazy("Happened"), "when", sort="created_at"),
    )
    filters = (
        Choice("event", gettext_lazy("Event"), "topic", _event_choices),
        Choice("state", gettext_lazy("State"), "state", WebhookState.choices),
        Period("happened", gettext_lazy("Happened"), "created_at"),
    )
    search = ("message_id", "topic", "last_error")
    sort = "-pk"
    empty_icon = "bolt"
    empty_title = gettext_lazy("Nothing was sent yet")
    empty_text = gettext_lazy("Send a test, or wait for the first event.")

    @cached_property
    def webhook(self) -> WebhookEndpoint:
        """The endpoint of the address."""
        row: WebhookEndpoint = self.find(webhooks_for(self.actor), self.kwargs["public_id"])
        return row

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """A choice of rows; of an endpoint that is not there, nothing can be chosen."""
        self.find(webhooks_for(self.actor), kwargs["public_id"])
        return super().post(request, *args, **kwargs)

    def crumbs(self) -> list[tuple[str, str]]:
        """Below the endpoint."""
        return [*super().crumbs(), (shown_address(self.webhook), self.url("webhook", self.webhook.public_id))]

    def rows(self) -> Any:
        """Its deliveries."""
        return deliveries_of(self.actor, self.webhook).select_related("endpoint")

    def row_url(self, row: Any) -> str:
        """The delivery with its attempts."""
        return self.url("webhook_delivery", self.webhook.public_id, row.public_id)

    @property
    def bulk_actions(self) -> Sequence[BulkAction]:  # type: ignore[override]
        """Send them once more."""
        return (BulkAction("replay", _("Replay"), self.perm, _replay),)


class WebhookDeliveryDetail(ClientPages, DetailPage):
    """One delivery: what was sent, and every attempt."""

    status_field = "state"
    parts = ("ui/_webhook_attempts.html",)
    facts = (
        Fact("topic", gettext_lazy("Event"), "code"),
        Fact("message_id", "webhook-id", "code"),
        Fact("created_at", gettext_lazy("Happened"), "when"),
        Fact("last_tried_at", gettext_lazy("Last attempt"), "when"),
    )

    def get(self, request: HttpRequest, public_id: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show it."""
        self.webhook: WebhookEndpoint = self.find(webhooks_for(self.actor), public_id)
        self.object = self.find(deliveries_of(self.actor, self.webhook), kwargs["delivery_id"])
        return self.show(
            object=self.object,
            fact_cells=[(fact.label, fact.cell(self.object)) for fact in self.facts],
            actions=self.actions(self.object),
        )

    def page_title(self) -> str:
        """The event."""
        return str(self.object.topic)

    def crumbs(self) -> list[tuple[str, str]]:
        """Below the endpoint's deliveries."""
        key = self.webhook.public_id
        return [
            *super().crumbs(),
            (shown_address(self.webhook), self.url("webhook", key)),
            (_("Deliveries"), self.url("webhook_deliveries", key)),
        ]

    def actions(self, row: Any) -> list[Action]:
        """Once more."""
        off = "" if self.webhook.is_active else _("The webhook is off. Switch it on first.")
        address = self.url("webhook_replay", self.webhook.public_id, row.public_id)
        return [Action(_("Replay"), address, "sync", "primary", reason=off)]

    def context(self) -> dict[str, Any]:
        """The attempts, and the text that is sent while its owner may read it."""
        return {"log": attempts_of(self.actor, [self.object.pk]).get(self.object.pk, [])}


class WebhookReplay(OfWebhook, ActionPage):
    """A delivery once more."""

    title = gettext_lazy("Replay")
    success = gettext_lazy("The delivery is on its way once more.")

    def load(self, **kwargs: Any) -> WebhookEndpoint:
        """The endpoint; the delivery must be one of its own."""
        row = super().load(**kwargs)
        self.delivery: WebhookDelivery = self.find(deliveries_of(self.actor, row), kwargs["delivery_id"])
        return row

    def consequences(self) -> list[str]:
        """The same again."""
        return [
            _("The same text is sent with the same webhook-id, from the beginning of the plan."),
            _("A receiver that has it already drops it by that id."),
        ]

    def perform(self, form: Any) -> WebhookDelivery:
        """Call the service."""
        return replay_delivery(self.actor, endpoint=self.object, public_id=self.delivery.public_id)

    def done_url(self, result: Any) -> str:
        """The delivery."""
        return self.url("webhook_delivery", self.object.public_id, self.delivery.public_id)


_ONE = "<uuid:public_id>/"
_DELIVERY = f"{_ONE}deliveries/<uuid:delivery_id>/"
ROUTES: tuple[tuple[str, str, type[Page]], ...] = (
    ("webhook_new", "new/", WebhookNew),
    ("webhook", _ONE, WebhookDetail),
    ("webhook_edit", f"{_ONE}edit/", WebhookEdit),
    ("webhook_rotate", f"{_ONE}secret/", WebhookRotate),
    ("webhook_test", f"{_ONE}test/", WebhookTest),
    ("webhook_delete", f"{_ONE}delete/", WebhookDelete),
    ("webhook_deliveries", f"{_ONE}deliveries/", WebhookDeliveries),
    ("webhook_delivery", _DELIVERY, WebhookDeliveryDetail),
    ("webhook_replay", f"{_DELIVERY}replay/", WebhookReplay),
)


def webhook_paths(below: str, *, door: str, **values: Any) -> list[URLPattern]:
    """The pages of one door, at addresses below ``below``; ``values`` say who may (``perm``) and in which layout.

    The organization's door also says whose an endpoint is.
    """
    place = {"door": door, **values}
    columns = WebhookList.columns
    if door == "bss":
        account = Column("client.account", gettext_lazy("Account"), sort="client__account__name")
        columns = (*columns[:3], account, *columns[3:])
    return [
        *paths_at_door([("webhook_list", "", WebhookList)], below, place | {"columns": columns}),
        *paths_at_door(ROUTES, below, place | {"back": (gettext_lazy("Webhooks"), f"{door}:webhook_list")}),
    ]
