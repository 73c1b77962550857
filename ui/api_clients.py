"""API clients on the pages of both doors: the list, a new one, another secret, and the end.

A secret is shown once, on the page that answers the POST; nothing keeps it.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import ApiClient
from clients.scopes import Scope, available_scopes
from clients.selectors import clients_for
from clients.services.clients import create_client, revoke_client, rotate_client, update_client
from resellers.models import Account, PermissionRule
from resellers.routing import organization_site, site_address
from resellers.selectors import usable_rules
from ui.doors import paths_at_door
from ui.filters import Filter, Flag
from ui.pages import Action, ActionPage, FormPage, ListPage, Page
from ui.tables import Column
from users.permissions import Perm


def _scopes(row: ApiClient) -> str:
    return ", ".join(row.scopes) if row.scopes else str(_("All"))


def _state(row: ApiClient) -> str:
    return str(_("Live") if row.is_live else _("Revoked"))


class ApiClientForm(forms.Form):
    """A program's name and what it may do."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        required=False,
        help_text=gettext_lazy("Who is told if something is wrong with it."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Scopes"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None chosen means all."),
    )
    compatible_only = forms.BooleanField(
        label=gettext_lazy("Compatible members only"),
        required=False,
        help_text=gettext_lazy("For older programs that refuse members they do not know."),
    )

    permission_rule = forms.ChoiceField(
        label=gettext_lazy("Permission rule"),
        required=False,
        help_text=gettext_lazy("It sees the accounts with this rule, and those without any."),
    )

    def __init__(self, *args: Any, is_reseller: bool, rules: Sequence[PermissionRule] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rules = {str(row.public_id): row for row in rules}
        if rules:
            choices = [("", _("All accounts")), *((key, row.name) for key, row in self.rules.items())]
            self.fields["permission_rule"].choices = choices  # type: ignore[attr-defined]
        else:
            del self.fields["permission_rule"]
        known = available_scopes(is_reseller=is_reseller)
        choices = [(scope.value, f"{scope.value}: {scope.label}") for scope in Scope if scope.value in known]
        self.fields["scopes"].choices = choices  # type: ignore[attr-defined]

    def clean_permission_rule(self) -> PermissionRule | None:
        """The rule itself."""
        return self.rules.get(self.cleaned_data["permission_rule"])


class ClientPages:
    """Where the pages of a door are: ``door`` is its namespace, ``list_name`` the name of the list's address."""

    door: ClassVar[str] = ""

    def url(self, name: str, *args: object) -> str:
        """An address of this door."""
        return reverse(f"{self.door}:{name}", args=args)


class ApiClientList(ClientPages, ListPage):
    """The programs that may call the API."""

    title = gettext_lazy("API clients")
    intro = gettext_lazy("Programs that call the API by themselves. Their key and secret fetch tokens.")
    selector = clients_for
    columns: ClassVar[tuple[Column, ...]] = (
        Column("name", gettext_lazy("Name"), "main", sort="name", sub="user_name", sub_label=gettext_lazy("User name")),
        Column("key", gettext_lazy("Key"), "code"),
        Column("scopes", gettext_lazy("Scopes"), show=_scopes),
        Column("email", gettext_lazy("E-mail"), sort="email"),
        Column("state", gettext_lazy("Status"), show=_state),
        Column("last_used_at", gettext_lazy("Last used"), "ago", sort="last_used_at"),
        Column("created_at", gettext_lazy("Since"), "ago", sort="created_at"),
    )
    filters: ClassVar[tuple[Filter, ...]] = (
        Flag("compatible", gettext_lazy("Compatible members only"), "compatible_only"),
    )
    search = ("name", "user_name", "key", "email")
    sort = "-created_at"
    empty_icon = "plug"
    empty_title = gettext_lazy("No API clients yet")
    empty_text = gettext_lazy("Make one for each program, so that each can be ended by itself.")

    def row_url(self, row: Any) -> str:
        """The client."""
        return self.url("api_client", row.public_id)

    def actions(self) -> list[Action]:
        """A new one."""
        found = [Action(_("New API client"), self.url("api_client_new"), "plus", "primary")]
        if self.actor.has(Perm.WEBHOOK_MANAGE) or self.actor.has(Perm.SHOP_WEBHOOKS):
            found.append(Action(_("Webhooks"), self.url("webhook_list"), "bolt"))
        return found


class ShowsSecret(ClientPages):
    """Answers a POST with the secret."""

    def secret_page(self: Any, client: ApiClient | dict[str, str], secret: str, *, is_new: bool) -> HttpResponse:
        """The page with the secret; it is stored nowhere and no cache keeps it."""
        home = organization_site(self.actor.tenant_id)
        context = {
            "page": self,
            "layout": self.layout,
            "heading": self.page_title(),
            "crumbs": self.crumbs(),
            "client": client,
            "secret": secret,
            "is_new": is_new,
            "token_url": f"{site_address(home)}/oauth/token",
            "list_url": self.url("api_client_list"),
        }
        answer = render(self.request, "ui/api_secret_page.html", context)
        answer["Cache-Control"] = "no-store"
        return answer


class ApiClientNew(ShowsSecret, FormPage):
    """A new program."""

    title = gettext_lazy("New API client")
    form_class: ClassVar[type[forms.Form]] = ApiClientForm

    def account(self, form: Any) -> Account | None:
        """Whose it is; None for the organization's."""
        return None

    def perform(self, form: Any) -> HttpResponse:
        """Call the service, and show the secret."""
        data = form.cleaned_data
        client, secret = create_client(
            self.actor,
            account=self.account(form),
            name=data["name"],
            email=data["email"],
            scopes=data["scopes"],
            permission_rule=data.get("permission_rule"),
        )
        if data["compatible_only"]:
            client = update_client(self.actor, client=client, values={"compatible_only": True})
        return self.secret_page(client, secret, is_new=True)


class OfClient(ShowsSecret, FormPage):
    """Something about one client."""

    object: ApiClient

    def load(self, **kwargs: Any) -> ApiClient:
        """The client of the address."""
        row: ApiClient = self.find(clients_for(self.actor), kwargs["public_id"])
        return row


class ApiClientEdit(OfClient):
    """Its name and scopes; from here it also gets another secret, or ends."""

    title = gettext_lazy("API client")
    template_name = "ui/api_client_page.html"
    form_class = ApiClientForm
    success = gettext_lazy("Saved.")

    def page_title(self) -> str:
        """Its name."""
        return self.object.name

    def form_kwargs(self) -> dict[str, Any]:
        """Which scopes there are for it, and which rules: only programs of the organization have one."""
        is_reseller = self.object.account_id is not None
        return {"is_reseller": is_reseller, "rules": () if is_reseller else usable_rules(self.actor)}

    def initial(self) -> dict[str, Any]:
        """What is stored."""
        row = self.object
        return {
            "name": row.name,
            "email": row.email,
            "scopes": row.scopes,
            "compatible_only": row.compatible_only,
            "permission_rule": row.permission_rule.public_id if row.permission_rule else "",
        }

    def context(self) -> dict[str, Any]:
        """Where its deeds are."""
        key = self.object.public_id
        return {"rotate_url": self.url("api_client_rotate", key), "revoke_url": self.url("api_client_revoke", key)}

    def perform(self, form: Any) -> ApiClient:
        """Call the service."""
        return update_client(self.actor, client=self.object, values=form.cleaned_data)


class ApiClientRotate(OfClient, ActionPage):
    """Another secret."""

    title = gettext_lazy("New secret")

    def consequences(self) -> list[str]:
        """Both count for a day."""
        return [_("You see the new secret once."), _("The old one works for 24 hours more.")]

    def perform(self, form: Any) -> HttpResponse:
        """Call the service, and show the secret."""
        return self.secret_page(self.object, rotate_client(self.actor, client=self.object), is_new=False)


class ApiClientRevoke(OfClient, ActionPage):
    """The end of a client."""

    title = gettext_lazy("Revoke API client")
    success = gettext_lazy("The client is revoked.")
    is_danger = True

    def consequences(self) -> list[str]:
        """At once and for good."""
        return [_("Its tokens and secrets stop working at once."), _("It cannot be brought back; make another.")]

    def perform(self, form: Any) -> ApiClient:
        """Call the service."""
        return revoke_client(self.actor, client=self.object)


_ONE = "<uuid:public_id>/"
ROUTES: tuple[tuple[str, str, type[Page]], ...] = (
    ("api_client", _ONE, ApiClientEdit),
    ("api_client_rotate", f"{_ONE}secret/", ApiClientRotate),
    ("api_client_revoke", f"{_ONE}revoke/", ApiClientRevoke),
)


def client_paths(below: str, **values: Any) -> list[URLPattern]:
    """The pages of one client at a door, at addresses below ``below``; ``values`` are their attributes there."""
    return paths_at_door(ROUTES, below, values)
