"""Custom fields that customers may fill in themselves."""

from django.urls import reverse

from orders.selectors import orders_for
from resellers.selectors import accounts_for
from subscriptions.asset_selectors import assets_for
from subscriptions.legs import shown_to
from subscriptions.selectors import subscriptions_for
from ui.custom_fields import CustomEdit
from users.permissions import Perm


class ShopCustom(CustomEdit):
    """The fields of one object in the storefront."""

    layout = "base_storefront.html"


class AccountCustom(ShopCustom):
    """The own company's, or a customer's."""

    perm = Perm.SHOP_COMPANY_EDIT
    selector = accounts_for
    detail = "storefront:customer_detail"

    def cancel_url(self) -> str:
        """To the company, or to the customer."""
        own = self.object.pk == self.actor.account_id
        return reverse("storefront:profile") if own else super().cancel_url()


class OrderCustom(ShopCustom):
    """An order's."""

    perm = Perm.SHOP_ORDER
    selector = orders_for
    detail = "storefront:order_detail"


class ServiceCustom(ShopCustom):
    """A service's or licence's."""

    def thing(self) -> str:
        """Under the name its reader knows."""
        return str(shown_to(self.actor, self.object))


class SubscriptionCustom(ServiceCustom):
    """A service's."""

    perm = Perm.SHOP_SERVICES_MANAGE
    selector = subscriptions_for
    detail = "storefront:subscription_detail"


class AssetCustom(ServiceCustom):
    """A licence's."""

    perm = Perm.SHOP_SERVICES_MANAGE
    selector = assets_for
    detail = "storefront:asset_detail"
