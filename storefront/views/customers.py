"""A reseller's customers: made at the basket or in My Customers, edited, given a kind (``channel.md`` 6.2)."""

from typing import Any, cast

from django.contrib import messages
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.models import Basket
from orders.services.basket import set_target
from provisioning.services.kinds import change_kind, kinds_for
from resellers.enums import MODES, AccountKind
from resellers.models import Account
from resellers.selectors import customers_of, own_account
from resellers.services.customers import create_customer, look_alikes, update_customer
from storefront.access import ShopRequest, basket_of
from storefront.forms import CustomerForm
from storefront.views.lists import NEW
from ui.pages import ActionPage, FormPage
from users.permissions import Perm

CUSTOMERS = (gettext_lazy("Customers"), "storefront:customer_list")
FIELDS = (
    "name", "email", "phone", "address_line1", "address_line2", "city", "state", "postal_code", "country", "tax_id",
)  # fmt: skip


class CustomerForms(FormPage):
    """A form about one of the own customers."""

    perm = Perm.SHOP_CUSTOMER_CREATE
    layout = "base_storefront.html"
    back = CUSTOMERS
    form_class = CustomerForm
    object: Any

    def tell(self, account: Account) -> None:
        """What might be a mistake is said, and hinders nothing."""
        for words in look_alikes(self.actor, account):
            messages.warning(self.request, words)


class CustomerCreate(CustomerForms):
    """A new end customer or affiliate account; ``for`` in the address says which."""

    intro = gettext_lazy("You owe for what you order for this company. Its currency and prices are yours.")
    submit = gettext_lazy("Create")

    @property
    def kind(self) -> str:
        """End customer or affiliate account."""
        found: str = self.kwargs["kind"]
        if found not in NEW:
            raise Http404
        return found

    def page_title(self) -> str:
        """What is made."""
        return str(NEW[self.kind])

    def initial(self) -> dict[str, Any]:
        """The reseller's country."""
        own = own_account(self.actor)
        return {"country": own.country} if own else {}

    def perform(self, form: Any) -> Account:
        """Call the service."""
        account = create_customer(self.actor, kind=self.kind, values=form.cleaned_data)
        self.tell(account)
        return account

    def success_message(self, result: Account) -> str:
        """Its name."""
        return _("%(name)s is one of your customers now.") % {"name": result.name}

    success = gettext_lazy("Created.")

    def done_url(self, result: Account) -> str:
        """On to the customer."""
        return reverse("storefront:customer_detail", args=[result.public_id])


class BasketCustomer(CustomerCreate):
    """The same on the way to checkout: the basket is for the new company at once."""

    perm = Perm.SHOP_ORDER
    back = (gettext_lazy("Basket"), "storefront:basket")
    intro = gettext_lazy("It is saved before you go on and stays, even if you leave this basket.")
    submit = gettext_lazy("Save and go on")

    def perform(self, form: Any) -> Account:
        """Make it, and say that the basket is for it."""
        account = super().perform(form)
        set_target(self.actor, basket=self.basket(), mode=MODES[account.kind], account=account)
        return account

    def done_url(self, result: Account) -> str:
        """On to the billing information, or back to an empty basket."""
        return reverse("storefront:checkout_billing" if self.basket().lines.exists() else "storefront:basket")

    def basket(self) -> Basket:
        """The basket of whoever is ordering."""
        request = cast(ShopRequest, self.request)
        if request.site is None:
            raise Http404
        request.shop = request.site
        return basket_of(request)


class OfCustomer(FormPage):
    """Something about one customer."""

    layout = "base_storefront.html"
    back = CUSTOMERS
    success = gettext_lazy("Saved.")

    def load(self, **kwargs: Any) -> Account:
        """The customer of the address."""
        row: Account = self.find(customers_of(self.actor), kwargs["public_id"])
        return row

    def cancel_url(self) -> str:
        """Back to the customer."""
        return reverse("storefront:customer_detail", args=[self.object.public_id])


class CustomerEdit(OfCustomer, CustomerForms):
    """Company data and the first contact."""

    title = gettext_lazy("Edit customer")

    def form_kwargs(self) -> dict[str, Any]:
        """The note was for the first day; it is not asked again."""
        return {"is_new": False}

    def initial(self) -> dict[str, Any]:
        """What is stored."""
        contact = self.object.contacts.filter(is_primary=True).first()
        names = {"first_name": contact.first_name, "last_name": contact.last_name} if contact else {}
        return names | {name: getattr(self.object, name) for name in FIELDS}

    def perform(self, form: Any) -> Account:
        """Call the service."""
        account = update_customer(self.actor, account=self.object, values=form.cleaned_data)
        self.tell(account)
        return account


class CustomerKind(OfCustomer, ActionPage):
    """End customer or affiliate account: the other of the two; an Admin's affair until a vendor knows the account."""

    perm = Perm.SHOP_USERS_MANAGE

    def other(self) -> str:
        """What it would become."""
        return next(iter(kinds_for(self.actor, self.object)), "")

    def page_title(self) -> str:
        """What is done."""
        words = {
            AccountKind.AFFILIATE.value: _("Make it an affiliate account"),
            AccountKind.END_CUSTOMER.value: _("Make it an end customer"),
        }
        return words.get(self.other(), _("Kind of customer"))

    def consequences(self) -> list[str]:
        """What follows."""
        if self.other() == AccountKind.AFFILIATE:
            return [_("What you order for it no longer carries your MPN ID."), _("Placed orders stay as they are.")]
        return [_("What you order for it carries your MPN ID from now on."), _("Placed orders stay as they are.")]

    def perform(self, form: Any) -> Account:
        """Call the service."""
        return change_kind(self.actor, account=self.object, kind=self.other())
