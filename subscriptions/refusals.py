"""What of a vendor's refusal a customer or reseller is told (``channel.md`` 10.3: the reason *cleaned*).

A vendor's sentence may name ids, our application, our credit with him, another reseller or a person's data. So it is
never passed on: customers read a sentence of ours for the codes they can do something about, and nothing for any other.
Staff read the vendor's own words at the operations desk.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Promise] = {
    "addon_parent": _("The vendor says that the add-on does not fit this service."),
    "address_invalid": _("The vendor does not accept the company's address."),
    "agreement_missing": _("The vendor needs the acceptance of his customer agreement first."),
    "already_redeemed": _("This licence has been used and cannot be returned."),
    "asset_limit": _("The number is above what the vendor allows for this customer."),
    "billing_plan_invalid": _("The vendor does not sell this with that billing."),
    "cancel_not_possible": _("The vendor does not take this back any more; it can end with its term."),
    "changed_meanwhile": _("The service was changed at the vendor meanwhile. Try it once more."),
    "decrease_not_allowed": _("The vendor takes licences back only at the next renewal."),
    "discontinued": _("This product is no longer sold."),
    "in_progress": _("The vendor is still busy with an earlier change. Try it again later."),
    "inventory": _("The vendor has no more of it at the moment."),
    "licence_missing": _("The vendor says that a licence this needs is missing."),
    "market_not_allowed": _("The vendor does not sell this in the customer's country."),
    "not_eligible": _("The vendor says that this is not possible for this customer."),
    "not_ready": _("The vendor has not finished setting the service up. Try it again later."),
    "not_returnable": _("Microsoft does not take this licence back."),
    "not_renewable": _("The vendor does not renew this product any more."),
    "operation_pending": _("The vendor is still busy with an earlier change. Try it again later."),
    "out_of_stock": _("Microsoft has no licence of it at the moment."),
    "phone_missing": _("The vendor needs the company's phone number."),
    "product_unavailable": _("The vendor no longer sells this product."),
    "quantity_fixed": _("The vendor does not let the number of licences be changed."),
    "quantity_limit": _("The vendor does not allow that number of licences."),
    "registration_number_invalid": _("The vendor does not accept the company's registration number."),
    "return_rejected": _("Microsoft did not take the licence back."),
    "return_window_closed": _("The return period is over."),
    "status_not_allowed": _("The vendor does not allow this in the service's present state."),
    "subscription_limit": _("The customer has as many subscriptions as the vendor allows."),
    "subscription_suspended": _("The vendor says that the service is suspended."),
    "term_end_invalid": _("The vendor does not accept the end of the term."),
    "window_closed": _("The vendor's time for giving this back is over; it can end with its term."),
}


def cleaned(code: str) -> str:
    """The sentence a customer may read about a refusal with this stable code; empty if it is nothing of his."""
    return str(SENTENCES.get(code, ""))
