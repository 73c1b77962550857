"""The logs of accepted terms of use and of consent (``channel.md`` 14)."""

from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sso.enums import ConsentPurpose
from sso.models import ConsentEntry
from sso.selectors import consent_log, terms_log
from ui.filters import Choice, Filter, Flag, Period
from ui.pages import ListPage
from ui.tables import Column
from users.permissions import Perm


class TermsLog(ListPage):
    """Who accepted the terms of use of which product with which order; one row per product and order."""

    perm = Perm.TERMS_VIEW
    title = gettext_lazy("Products Terms of Use - Get Logs")
    intro = gettext_lazy("Written when an order is placed; no row can be changed or deleted.")
    selector = terms_log
    columns = (
        Column("accepted_at", gettext_lazy("Accepted"), "when", sort="id"),
        Column("product_name", gettext_lazy("Product"), "main", sort="product_name"),
        Column("order.number", gettext_lazy("Order code"), sort="order__number"),
        Column("account.name", gettext_lazy("Account"), sort="account__name"),
        Column("first_name", gettext_lazy("First name"), sort="first_name"),
        Column("last_name", gettext_lazy("Last name"), sort="last_name"),
        Column("email", gettext_lazy("E-mail"), sort="email"),
        Column("order.buyer.email", gettext_lazy("User name"), in_files_only=True),
        Column("terms_version", gettext_lazy("Version"), "number", sort="terms_version"),
        Column("ip", gettext_lazy("IP address"), "code"),
        Column("by_staff", gettext_lazy("Confirmed by an employee"), "flag", in_files_only=True),
        Column("basket_url", gettext_lazy("Basket URL"), in_files_only=True),
        Column("browser", gettext_lazy("Browser"), in_files_only=True),
    )
    filters: ClassVar[tuple[Filter, ...]] = (
        Filter("product", gettext_lazy("Product"), "product_name"),
        Filter("order", gettext_lazy("Order code"), "order__number"),
        Filter("account", gettext_lazy("Account"), "account__name"),
        Filter("email", gettext_lazy("E-mail"), "email"),
        Flag("staff", gettext_lazy("Confirmed by an employee"), "by_staff"),
        Period("accepted", gettext_lazy("Accepted"), "accepted_at"),
    )
    search = ("product_name", "order__number", "account__name", "email", "last_name", "ip")
    empty_icon = "shield"
    empty_title = gettext_lazy("Nobody has accepted terms yet")

    def row_url(self, row: Any) -> str:
        """The order, or whose programs order under this acceptance."""
        if row.order is None:
            return reverse("bss:account_detail", args=[row.account.public_id])
        return reverse("bss:order_detail", args=[row.order.public_id])


def person_of(row: ConsentEntry) -> str:
    """The user, or the word of a visitor's browser."""
    return str(row.user) if row.user is not None else _("Visitor %(word)s") % {"word": row.visitor[:8]}


class ConsentLog(ListPage):
    """Who gave or withdrew consent to what, in which version."""

    perm = Perm.TERMS_VIEW
    title = gettext_lazy("Consent log")
    intro = gettext_lazy("No row can be changed or deleted; withdrawing is a row of its own.")
    selector = consent_log
    columns = (
        Column("at", gettext_lazy("Time"), "when", sort="id"),
        Column("person", gettext_lazy("Person"), show=person_of, sub="user.email", sub_label=gettext_lazy("E-mail")),
        Column("get_purpose_display", gettext_lazy("Purpose"), "main", sort="purpose"),
        Column("version", gettext_lazy("Version"), "number", sort="version"),
        Column("is_given", gettext_lazy("Given"), "flag", sort="is_given"),
        Column("account.name", gettext_lazy("Account")),
        Column("site.name", gettext_lazy("Site")),
        Column("ip", gettext_lazy("IP address"), "code"),
        Column("browser", gettext_lazy("Browser"), in_files_only=True),
    )
    filters: ClassVar[tuple[Filter, ...]] = (
        Choice("purpose", gettext_lazy("Purpose"), "purpose", ConsentPurpose.choices),
        Flag("given", gettext_lazy("Given"), "is_given"),
        Filter("email", gettext_lazy("E-mail"), "user__email"),
        Filter("account", gettext_lazy("Account"), "account__name"),
        Period("day", gettext_lazy("Time"), "at"),
    )
    search = ("user__email", "user__last_name", "account__name", "ip")
    empty_icon = "shield"
    empty_title = gettext_lazy("No consent was given yet")
