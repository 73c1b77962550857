"""Settings > API credentials of a reseller: the programs that call the API in his name."""

from typing import Any

from django.utils.translation import gettext_lazy

from resellers.models import Account
from resellers.selectors import own_account
from ui import api_clients as pages
from users.permissions import Perm

LIST = (gettext_lazy("API credentials"), "storefront:api_client_list")


class ApiClientList(pages.ApiClientList):
    """The reseller's programs."""

    perm = Perm.SHOP_API
    layout = "base_storefront.html"
    door = "storefront"
    title = gettext_lazy("API credentials")


class ApiClientNew(pages.ApiClientNew):
    """A new program."""

    perm = Perm.SHOP_API
    layout = "base_storefront.html"
    door = "storefront"
    back = LIST

    def form_kwargs(self) -> dict[str, Any]:
        """A reseller's scopes."""
        return {"is_reseller": True}

    def account(self, form: Any) -> Account | None:
        """His own."""
        return own_account(self.actor)


class ApiClientEdit(pages.ApiClientEdit):
    """A client."""

    perm = Perm.SHOP_API
    layout = "base_storefront.html"
    door = "storefront"
    back = LIST


class ApiClientRotate(pages.ApiClientRotate):
    """Another secret."""

    perm = Perm.SHOP_API
    layout = "base_storefront.html"
    door = "storefront"
    back = LIST


class ApiClientRevoke(pages.ApiClientRevoke):
    """Its end."""

    perm = Perm.SHOP_API
    layout = "base_storefront.html"
    door = "storefront"
    back = LIST
