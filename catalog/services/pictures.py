"""A reseller's own pictures of products: kept anew, shown at his site, gone with the last listing that shows them."""

from collections.abc import Collection

from django.utils.translation import gettext as _

from catalog.models import Listing, ListingPicture, Product
from core.errors import BusinessError
from core.pictures import read_picture
from resellers.models import Account

# A tile is at most 640 pixels wide on a dense screen.
LONGEST = 640
MAX_PICTURES = 1000


def keep_picture(reseller: Account, data: bytes) -> str:
    """Keep an uploaded file as a picture of the reseller's, once; returns its name.

    Raises BusinessError as :func:`core.pictures.read_picture`, or ``too_many_pictures``, for the field ``picture``.
    """
    try:
        picture = read_picture(data, longest=LONGEST)
    except BusinessError as error:
        raise BusinessError(error.code, error.message, field="picture") from error
    known = ListingPicture.objects.filter(account=reseller)
    if not known.filter(name=picture.name).exists() and known.count() >= MAX_PICTURES:
        words = _("A shop has room for %(n)s pictures. Take one away first.") % {"n": MAX_PICTURES}
        raise BusinessError("too_many_pictures", words, field="picture")
    ListingPicture.objects.get_or_create(
        account=reseller,
        name=picture.name,
        defaults={
            "organization_id": reseller.organization_id,
            "content_type": picture.content_type,
            "width": picture.width,
            "height": picture.height,
            "data": picture.data,
        },
    )
    return picture.name


def take_down(reseller: Account, products: Collection[Product]) -> None:
    """Forget the pictures of products that leave the shop."""
    rows = Listing.objects.filter(account=reseller, product__in=products).exclude(picture="")
    if rows.update(picture=""):
        forget_pictures(reseller)


def forget_pictures(reseller: Account) -> None:
    """Delete the reseller's pictures that no listing of his shows."""
    shown = Listing.objects.filter(account=reseller).exclude(picture="").order_by().values("picture")
    ListingPicture.objects.filter(account=reseller).exclude(name__in=shown).delete()
