"""The mails about a reseller's shop, to his Admins: products withdrawn, purchase prices changed."""

from collections.abc import Callable
from functools import partial

from django.urls import reverse

from catalog.desk import reviews
from catalog.models import SellingPolicy
from core.events import Event
from notifications.services.compose import absolute, queue_mail, site_of
from resellers.selectors import admins_of


def _to_admins(template: str, page: str, event: Event) -> None:
    """One mail to each Admin of the reseller who can sign in; to the company's own address if there is none."""
    account = event.account
    if account is None:
        return
    readers = [(user.email, user.language, user.get_short_name()) for user in admins_of(account)]
    if not readers and account.email:
        readers = [(account.email, "", "")]
    site = site_of(event.organization, account)
    products, number = list(event.payload.get("products", [])), int(event.payload.get("number", 0))
    for address, language, first_name in readers:
        queue_mail(
            template,
            organization=event.organization,
            site=site,
            recipient=address,
            language=language,
            account=account,
            dedupe_key=f"{event.public_id}:{address}",
            context={
                "products": products,
                "number": number,
                "more": max(number - len(products), 0),
                "first_name": first_name,
                "reviews": reviews(SellingPolicy.objects.filter(account=account).first()),
                "link": absolute(reverse(page), site),
            },
        )


SHOPS: dict[str, Callable[[Event], None]] = {
    "listing.withdrawn": partial(_to_admins, "listing_withdrawn", "storefront:shop_catalogue"),
    "listing.cost_changed": partial(_to_admins, "purchase_prices_changed", "storefront:shop_todo"),
}
