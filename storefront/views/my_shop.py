"""A reseller's own storefront: how it looks (``channel.md`` 4.1)."""

from typing import cast

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy

from notifications.services.compose import absolute
from resellers.middleware import ActorRequest
from resellers.services.design import site_to_design
from ui.look_pages import LookEditor, LookRestore
from users.permissions import Perm


class Design(LookEditor):
    """The look of the own site."""

    perm = Perm.SHOP_SITE_MANAGE
    layout = "base_storefront.html"
    door = "storefront"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """The editor; from another storefront it leads to the own one, whose pages the preview shows."""
        site = site_to_design(self.actor)
        here = cast(ActorRequest, request).site
        if here is None or here.pk != site.pk:
            return redirect(absolute(self.url("design"), site))
        return super().get(request)


class DesignRestore(LookRestore):
    """A former look of the own site."""

    perm = Perm.SHOP_SITE_MANAGE
    layout = "base_storefront.html"
    door = "storefront"
    back = (gettext_lazy("Look and feel"), "storefront:design")
