"""What can be changed about an account: company, credit, price list, reselling, status."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bss.forms.accounts import CreditForm, EditAccountForm, NewAccountForm, PriceListForm, company_values
from bss.forms.operations import ReasonForm
from bss.forms.rules import manager_choices, rule_choices
from catalog.selectors import assigned_price_list, lists_for_account
from catalog.services.price_lists import assign_price_list
from core import money
from core.errors import BusinessError
from core.tenancy import Actor
from orders.selectors import is_busy
from resellers.enums import AccountKind, AccountStatus
from resellers.models import Account
from resellers.selectors import account_choices, accounts_for, managers_for, organization_of, usable_rules
from resellers.services.accounts import (
    CREDIT_FIELDS,
    create_account,
    enable_reselling,
    set_credit,
    set_status,
    update_account,
)
from ui.pages import ActionPage, FormPage
from users.permissions import Perm


class OfAccount(FormPage):
    """A form about one account; it leads back to it."""

    perm = Perm.ACCOUNT_EDIT
    back = (gettext_lazy("Accounts"), "bss:account_list")
    success = gettext_lazy("Saved.")

    def load(self, **kwargs: Any) -> Account:
        """The account of the address."""
        row: Account = self.find(accounts_for(self.actor), kwargs["public_id"])
        return row

    def cancel_url(self) -> str:
        """Back to the account."""
        return reverse("bss:account_detail", args=[self.object.public_id])

    def crumbs(self) -> list[tuple[str, str]]:
        """The list and the account, so that it is seen whose page this is."""
        return [*super().crumbs(), (self.object.name, self.cancel_url())]


def access_of(actor: Actor, data: dict[str, Any]) -> dict[str, Any]:
    """The account manager and the permission rule that were chosen in a form by their public ids."""
    users = {str(row.public_id): row.user for row in managers_for(actor)}
    found: dict[str, Any] = {"account_manager": users.get(data["account_manager"])}
    if "permission_rule" in data:
        rules = {str(row.public_id): row for row in usable_rules(actor)}
        found["permission_rule"] = rules.get(data["permission_rule"])
    return found


class AccountCreate(FormPage):
    """A new account."""

    perm = Perm.ACCOUNT_EDIT
    title = gettext_lazy("New account")
    intro = gettext_lazy("Users, price list and credit are given on the account's page afterwards.")
    back = (gettext_lazy("Accounts"), "bss:account_list")
    form_class = NewAccountForm
    submit = gettext_lazy("Create account")
    success = gettext_lazy("The account is there. Invite somebody who may order for it.")

    def form_kwargs(self) -> dict[str, Any]:
        """The resellers a sub account can be billed to."""
        return {
            "resellers": account_choices(self.actor),
            "managers": manager_choices(managers_for(self.actor)),
            "rules": rule_choices(usable_rules(self.actor)),
        }

    def initial(self) -> dict[str, Any]:
        """The organization's currency and country; a reseller's page names him."""
        organization = organization_of(self.actor)
        found = {"currency": organization.currency, "country": organization.country} if organization else {}
        return found | {key: self.request.GET[key] for key in ("kind", "bill_to") if key in self.request.GET}

    def perform(self, form: NewAccountForm) -> Account:
        """Call the service."""
        data = form.cleaned_data
        organization = organization_of(self.actor)
        if organization is None:
            raise BusinessError("organization_missing", _("Choose an organization first."))
        bill_to = accounts_for(self.actor).get_visible(self.actor, data["bill_to"]) if data["bill_to"] else None
        access = access_of(self.actor, data)
        return create_account(
            self.actor,
            kind=data["kind"],
            values={key: value for key, value in data.items() if key not in ("kind", "bill_to")} | access,
            bill_to=bill_to,
            organization=organization,
        )

    def done_url(self, result: Account) -> str:
        """On to the new account."""
        return reverse("bss:account_detail", args=[result.public_id])


class AccountEdit(OfAccount):
    """Company data."""

    title = gettext_lazy("Edit account")
    form_class = EditAccountForm

    def form_kwargs(self) -> dict[str, Any]:
        """A reseller also has wishes."""
        return {"is_reseller": self.object.kind == AccountKind.RESELLER}

    def initial(self) -> dict[str, Any]:
        """What is stored."""
        return company_values(self.object)

    def perform(self, form: Any) -> Account:
        """Call the service."""
        return update_account(self.actor, account=self.object, values=form.cleaned_data)


class AccountCredit(OfAccount):
    """Credit, payment and tax."""

    perm = Perm.ACCOUNT_CREDIT
    title = gettext_lazy("Credit and payment")
    form_class = CreditForm

    def form_kwargs(self) -> dict[str, Any]:
        """The currency beside the limit."""
        return {"currency": self.object.currency}

    def initial(self) -> dict[str, Any]:
        """What is stored."""
        row = self.object
        limit = money.to_minor(row.credit_limit, row.currency)
        return {name: getattr(row, name) for name in CREDIT_FIELDS} | {"credit_limit": limit}

    def perform(self, form: Any) -> Account:
        """Call the service."""
        return set_credit(self.actor, account=self.object, values=form.cleaned_data)


class AccountPriceList(OfAccount):
    """The list the account buys from."""

    title = gettext_lazy("Price list")
    intro = gettext_lazy("What is in the basket already gets the new prices; placed orders keep theirs.")
    form_class = PriceListForm

    def form_kwargs(self) -> dict[str, Any]:
        """The lists in the account's currency."""
        rows = lists_for_account(self.actor, self.object)
        return {"price_lists": [(str(row.public_id), f"{row.name} ({row.currency})") for row in rows]}

    def initial(self) -> dict[str, Any]:
        """The assigned one."""
        found = assigned_price_list(self.actor, self.object)
        return {"price_list": str(found.public_id) if found else ""}

    def perform(self, form: Any) -> None:
        """Call the service."""
        chosen = form.cleaned_data["price_list"]
        rows = lists_for_account(self.actor, self.object)
        assign_price_list(
            self.actor, account=self.object, price_list=rows.get_visible(self.actor, chosen) if chosen else None
        )


class AccountAction(OfAccount, ActionPage):
    """A deed on an account."""


class AccountReselling(AccountAction):
    """A direct customer becomes a reseller."""

    title = gettext_lazy("Enable reselling")
    success = gettext_lazy("The account is a Basic reseller now.")

    def consequences(self) -> list[str]:
        """What changes; it cannot be undone."""
        return [
            _("The account becomes a Basic reseller: it may have end customers and affiliate accounts."),
            _("Its orders for them are billed to it, within its credit."),
            _("It can become a direct customer again only while it is Basic and has no customers."),
        ]

    def perform(self, form: Any) -> Account:
        """Call the service."""
        has_list = assigned_price_list(self.actor, self.object) is not None
        return enable_reselling(self.actor, account=self.object, has_price_list=has_list)


class AccountStatusAction(AccountAction):
    """Another status, with a reason."""

    form_class = ReasonForm
    status: str = ""
    sentences: tuple[Any, ...] = ()

    def consequences(self) -> list[str]:
        """What follows from the status."""
        return [str(sentence) for sentence in self.sentences]

    def perform(self, form: Any) -> Account:
        """Call the service."""
        return set_status(
            self.actor,
            account=self.object,
            status=self.status,
            reason=form.cleaned_data["reason"],
            busy=is_busy(self.actor, self.object),
        )


class AccountHold(AccountStatusAction):
    """No orders for now."""

    perm = Perm.ACCOUNT_CREDIT
    title = gettext_lazy("Put on hold")
    status = AccountStatus.SUSPENDED
    success = gettext_lazy("The account is on hold.")
    sentences = (
        gettext_lazy("Nobody can order for this account, nor for accounts billed to it."),
        gettext_lazy("Running services go on."),
    )


class AccountRelease(AccountStatusAction):
    """Orders again."""

    perm = Perm.ACCOUNT_CREDIT
    title = gettext_lazy("Release account")
    status = AccountStatus.ACTIVE
    success = gettext_lazy("The account may order again.")
    sentences = (gettext_lazy("The account may order again at once."),)


class AccountClose(AccountStatusAction):
    """The end of the business with this account."""

    perm = Perm.ACCOUNT_BILL_TO
    title = gettext_lazy("Close account")
    status = AccountStatus.CLOSED
    success = gettext_lazy("The account is closed.")
    is_danger = True
    sentences = (
        gettext_lazy("Its users cannot sign in to it any more; its documents stay."),
        gettext_lazy("Live services and open orders have to be cancelled first."),
    )


class AccountReopen(AccountStatusAction):
    """A closed account comes back."""

    perm = Perm.ACCOUNT_BILL_TO
    title = gettext_lazy("Reopen account")
    status = AccountStatus.ACTIVE
    success = gettext_lazy("The account is open again.")
    sentences = (gettext_lazy("Its users can sign in and order again."),)
