"""System Options > API clients: the organization's programs, its resellers' programs, and what they may do."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.selectors import policy_for, resellers_with_api
from clients.services.clients import POLICY_FIELDS, drop_shared_key, make_shared_key, save_policy
from resellers.models import Account
from resellers.selectors import usable_rules
from ui import api_clients as pages
from ui.pages import Action, ActionPage, FormPage
from ui.tables import Column
from users.permissions import Perm

LIST = (gettext_lazy("API clients"), "bss:api_client_list")


class NewForm(pages.ApiClientForm):
    """A new program of the organization, or of a reseller."""

    account: forms.ModelChoiceField[Account] = forms.ModelChoiceField(
        queryset=None, required=False, label=gettext_lazy("For"), empty_label=gettext_lazy("This organization")
    )
    field_order = ("account", "name", "email", "permission_rule", "scopes", "compatible_only")

    def __init__(self, *args: Any, actor: Any, **kwargs: Any) -> None:
        super().__init__(*args, is_reseller=False, rules=usable_rules(actor), **kwargs)
        self.fields["account"].queryset = resellers_with_api(actor)  # type: ignore[attr-defined]


class PolicyForm(forms.Form):
    """What the organization allows at its API."""

    require_version = forms.BooleanField(
        label=gettext_lazy("Require the API version"),
        required=False,
        help_text=gettext_lazy("Calls without the header X-Api-Version are refused; otherwise they get version 3.0."),
    )
    resellers_pricing = forms.BooleanField(label=gettext_lazy("Resellers read prices of subscriptions"), required=False)
    resellers_synchronization = forms.BooleanField(
        label=gettext_lazy("Resellers read the synchronization"), required=False
    )
    resellers_usages = forms.BooleanField(label=gettext_lazy("Resellers read usages"), required=False)
    resellers_custom_fields = forms.BooleanField(
        label=gettext_lazy("Resellers write custom fields of subscriptions"), required=False
    )


class ApiClientList(pages.ApiClientList):
    """All clients of the organization and of its resellers."""

    perm = Perm.SYSTEM_OPTIONS
    door = "bss"
    columns = (
        pages.ApiClientList.columns[0],
        Column("account", gettext_lazy("Account"), sort="account__name"),
        Column("permission_rule", gettext_lazy("Permission rule"), sort="permission_rule__name"),
        *pages.ApiClientList.columns[1:],
    )

    def actions(self) -> list[Action]:
        """A new one; the rules for all."""
        return [*super().actions(), Action(_("API settings"), self.url("api_policy"), "gear")]


class ApiClientNew(pages.ApiClientNew):
    """A new program."""

    perm = Perm.SYSTEM_OPTIONS
    door = "bss"
    back = LIST
    form_class = NewForm

    def form_kwargs(self) -> dict[str, Any]:
        """Whose resellers may be chosen."""
        return {"actor": self.actor}

    def account(self, form: Any) -> Account | None:
        """As chosen."""
        found: Account | None = form.cleaned_data["account"]
        return found


class ApiPolicy(FormPage):
    """The rules for all clients, and the key that lets user names in."""

    perm = Perm.SYSTEM_OPTIONS
    title = gettext_lazy("API settings")
    back = LIST
    form_class = PolicyForm
    template_name = "bss/api_policy_page.html"
    success = gettext_lazy("Saved.")

    def initial(self) -> dict[str, Any]:
        """What is in force."""
        policy = policy_for(self.actor)
        return {name: getattr(policy, name) for name in POLICY_FIELDS}

    def context(self) -> dict[str, Any]:
        """The key, if there is one."""
        return {"policy": policy_for(self.actor)}

    def perform(self, form: Any) -> Any:
        """Call the service."""
        return save_policy(self.actor, values=form.cleaned_data)


class SharedKeyMake(pages.ShowsSecret, ActionPage):
    """The Reseller API key, or another secret of it."""

    perm = Perm.SYSTEM_OPTIONS
    door = "bss"
    title = gettext_lazy("Reseller API key")
    back = (gettext_lazy("API settings"), "bss:api_policy")

    def consequences(self) -> list[str]:
        """What it opens."""
        return [
            _("Programs may fetch tokens with this key and their own user name and password, as older ones do."),
            _("You see the secret once; an older one works for 24 hours more."),
        ]

    def perform(self, form: Any) -> HttpResponse:
        """Call the service, and show the secret."""
        policy, secret = make_shared_key(self.actor)
        shown = {"name": _("Reseller API key"), "key": policy.shared_key, "user_name": _("each program's own")}
        return self.secret_page(shown, secret, is_new=True)


class SharedKeyDrop(ActionPage):
    """No password flow any more."""

    perm = Perm.SYSTEM_OPTIONS
    title = gettext_lazy("Remove the Reseller API key")
    back = (gettext_lazy("API settings"), "bss:api_policy")
    success = gettext_lazy("The key is removed.")
    is_danger = True

    def consequences(self) -> list[str]:
        """At once."""
        return [_("Tokens that were fetched with user name and password stop working at once.")]

    def perform(self, form: Any) -> Any:
        """Call the service."""
        return drop_shared_key(self.actor)
