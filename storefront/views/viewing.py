"""Employees who look as a customer: the end of it, and the list that tells the customer."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from core.tenancy import Actor, TenantQuerySet
from resellers.middleware import VIEWING, ActorRequest
from resellers.models import ViewAsSession
from resellers.selectors import viewings_of
from resellers.services.view_as import stop_viewing
from storefront.views.lists import ShopList
from ui.filters import Period
from ui.tables import Column
from users.permissions import Perm

ACCOUNT_PAGE = "bss:account_detail"  # Another door, so it is named by its address.


@require_POST
def view_as_stop(request: HttpRequest) -> HttpResponseBase:
    """Stop looking as a customer and go back to his account; without such a look, to the front page."""
    acting = cast(ActorRequest, request)
    if not acting.actor.viewing_as or acting.viewing is None:
        return redirect("storefront:home")
    account = acting.viewing.account
    stop_viewing(acting.actor, token=str(request.session.pop(VIEWING, "")))
    messages.success(request, _("You no longer look at the storefront as %(account)s.") % {"account": account})
    return redirect(ACCOUNT_PAGE, public_id=account.public_id)


def own_viewings(actor: Actor) -> TenantQuerySet[ViewAsSession]:
    """Who looked at the own account."""
    return viewings_of(actor).filter(account_id=actor.account_id or 0)


def _who(row: ViewAsSession) -> str:
    # An employee's address would name the distributor to people who are not meant to know him.
    return row.user.get_full_name() or _("Customer service")


class ViewingList(ShopList):
    """Which employees opened the shop as this company, when, and why."""

    perm = Perm.SHOP_VIEW
    title = gettext_lazy("Who looked at your account")
    intro = gettext_lazy(
        "To help you, our staff can open this shop as you see it. They can only read, and it is noted here."
    )
    back = (gettext_lazy("Company and users"), "storefront:profile")
    selector = own_viewings
    columns = (
        Column("who", gettext_lazy("Who"), "main", show=_who),
        Column("started_at", gettext_lazy("From"), "when", sort="started_at"),
        Column("until", gettext_lazy("Until"), "when"),
        Column("reason", gettext_lazy("Reason")),
    )
    filters = (Period("day", gettext_lazy("Day"), "started_at"),)
    search = ("reason",)
    sort = "-started_at"
    empty_icon = "eye"
    empty_title = gettext_lazy("Nobody looked at your account")
