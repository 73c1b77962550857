"""Who looks after an account, and which employees see it."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.rules import AccessForm, access_values, manager_choices, rule_choices
from bss.views.account_forms import OfAccount, access_of
from resellers.models import Account
from resellers.selectors import accounts_with_rule, managers_for, usable_rules
from resellers.services.rules import set_access
from users.permissions import Perm


class AccountAccess(OfAccount):
    """Account manager and permission rule of an account."""

    perm = Perm.ACCOUNT_EDIT
    title = gettext_lazy("Account manager and visibility")
    form_class = AccessForm

    def load(self, **kwargs: Any) -> Account:
        """The account of the address."""
        row: Account = self.find(accounts_with_rule(self.actor), kwargs["public_id"])
        return row

    def form_kwargs(self) -> dict[str, Any]:
        """Employees, and the rules this one may give; no rules for who may not change this account's."""
        rules = rule_choices(usable_rules(self.actor))
        shown = None
        if self.actor.may(self.object, "full") and (rules or self.object.permission_rule_id):
            shown = [("", _("Everybody whose role allows it")), *rules]
        managers = manager_choices(managers_for(self.actor))
        return {"managers": managers, "rules": shown, "nobody": _("Nobody in particular")}

    def initial(self) -> dict[str, Any]:
        """What is stored."""
        return access_values(self.object, managers_for(self.actor))

    def perform(self, form: Any) -> Account:
        """Call the service."""
        return set_access(self.actor, account=self.object, values=access_of(self.actor, form.cleaned_data))
