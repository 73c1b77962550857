"""Custom fields that customers may fill in themselves."""

from django.urls import reverse

from resellers.models import Account
from resellers.services.custom_fields import SHOP_PERMS
from subscriptions.legs import shown_to
from subscriptions.models import Asset, Subscription
from ui.custom_fields import CustomEdit
from ui.custom_pages import custom_pages


class ShopCustom(CustomEdit):
    """The fields of one object in the storefront."""

    layout = "base_storefront.html"

    def thing(self) -> str:
        """A service or licence goes by the name its reader knows."""
        known = isinstance(self.object, (Subscription, Asset))
        return str(shown_to(self.actor, self.object) if known else self.object)

    def cancel_url(self) -> str:
        """Back to the object; an account is the own company or a customer."""
        if not isinstance(self.object, Account):
            return super().cancel_url()
        own = self.object.pk == self.actor.account_id
        return (
            reverse("storefront:profile")
            if own
            else reverse("storefront:customer_detail", args=[self.object.public_id])
        )


PAGES = custom_pages("storefront", SHOP_PERMS, ShopCustom)
