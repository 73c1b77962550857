"""The catalogue item to order: resolved right before it is used, since Microsoft changes it at will (7.1)."""

from django.utils.translation import gettext as _

from office365 import mapping
from office365.client import PartnerCenter
from office365.errors import PartnerCenterError
from provisioning.ports import ErrorKind, ServiceRequest

# Microsoft's way of saying that an item was renewed between our reading and our ordering: it is read anew, once.
ROTATED = frozenset({"availability_changed", "asset_limit"})


def catalogue_item(
    client: PartnerCenter, request: ServiceRequest, *, code: str, name: str, term: str, cycle: str
) -> str:
    """The item (``P:S:A``) of a product for the request's customer, segment and currency; a legacy offer is itself.

    Raises ``PartnerCenterError(REFUSED, product_unavailable)`` if Microsoft does not sell it to him like this.
    """
    if mapping.is_legacy(code):
        return code
    product, sku = mapping.split_code(code)
    country = mapping.country_code(request.account.address.country)
    query = {"country": country, "targetSegment": request.segment}
    # Read below the customer: that respects his country and qualifications.
    rows = client.collect(
        "list_availabilities_for_customer",
        params={"customer": request.account.external_id, "product": product, "sku": sku},
        query={key: value for key, value in query.items() if value},
    )
    chosen = mapping.pick_availability(
        rows.items, country=country, segment=request.segment, currency=request.currency, term=term, cycle=cycle
    )
    if chosen is None:
        raise PartnerCenterError(
            ErrorKind.REFUSED,
            _(
                "Microsoft does not sell %(name)s to this customer with this term, billing cycle and currency. "
                "Choose another one."
            )
            % {"name": name},
            code="product_unavailable",
        )
    found: str = chosen.catalog_item_id
    return found
