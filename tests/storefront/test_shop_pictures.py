"""A reseller's own pictures of products: written anew, shown at his site alone, gone when one leaves the shop."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from catalog.models import Listing, ListingPicture
from catalog.services.listings import list_products, save_listing, unlist_products
from core.errors import BusinessError, NotVisible, PermissionRefused
from core.events import Event
from notifications.models import OutgoingMail
from notifications.services import events
from resellers.enums import Edition
from resellers.models import Account
from tests import factories
from tests.bss.staff import BACKEND
from tests.legs.test_leaks import browser_of
from tests.legs.world import World, basket_of, make_world, order_of
from tests.look.sites import picture
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def give(world: World, data: bytes | None = None, **values: Any) -> Listing:
    """The reseller's picture of his product."""
    wanted = picture(size=(1200, 600)) if data is None else data
    return save_listing(
        world.decider, reseller=world.shop.reseller, product=world.shop.product, values=values, picture=wanted
    )


def test_upload_is_written_anew_and_shown_in_the_shop(world):
    row = give(world, picture("JPEG", (1200, 600), exif=b"Exif\x00\x00secret-place"))
    kept = ListingPicture.objects.get()
    assert (row.picture, kept.width, kept.height) == (kept.name, 640, 320)
    assert b"secret-place" not in bytes(kept.data)
    visitor = Client(headers={"host": world.site.host})
    client = browser_of(world, world.customer)
    address = f"/image/product/{kept.name}"
    for page in (reverse("storefront:product_list"), "/"):
        assert address in client.get(page, follow=True).content.decode(), page
    basket_of(world)
    buyer = Client(headers={"host": world.site.host})
    buyer.force_login(User.objects.get(pk=world.buyer.user_id), BACKEND)
    assert address in buyer.get(reverse("storefront:basket")).content.decode()
    detail = reverse("storefront:product_detail", args=[world.shop.product.public_id])
    assert address in client.get(detail).content.decode()
    served = visitor.get(address)
    assert (served.status_code, served["Content-Type"]) == (200, "image/jpeg")
    assert served["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert Image.open(io.BytesIO(served.content)).size == (640, 320)


def test_picture_is_at_its_own_site_alone(world):
    name = give(world).picture
    rival = factories.account(world.shop.organization, "reseller")
    other = factories.reseller_site(rival, Edition.STANDARD)
    for host in (other.host or "nowhere.test", world.shop.site.host):
        assert Client(headers={"host": host}).get(f"/image/product/{name}").status_code in (400, 404)
    for bad in ("..%2f..%2fetc", name.upper(), "x.png", f"{name}.svg"):
        assert Client(headers={"host": world.site.host}).get(f"/image/product/{bad}").status_code == 404
    own = reverse("storefront:shop_product_picture", args=[world.shop.product.public_id])
    assert browser_of(world, world.shop.reseller).get(own).status_code == 200
    assert browser_of(world, world.customer).get(own).status_code == 403
    stranger = Client(headers={"host": world.shop.site.host})
    stranger.force_login(factories.user(world.shop.organization, of=rival), BACKEND)
    assert stranger.get(own).status_code == 404
    assert not ListingPicture.objects.visible_to(world.shop.staff).exists()


def test_picture_goes_with_the_listing_and_another_one_replaces_it(world):
    give(world, picture(colour="#112233"))
    give(world, picture(colour="#445566"), position=3)
    assert ListingPicture.objects.count() == 1
    second = factories.product(world.shop.instance)
    save_listing(
        world.decider,
        reseller=world.shop.reseller,
        product=second,
        values={},
        picture=picture(colour="#445566"),
    )
    assert ListingPicture.objects.count() == 1
    unlist_products(world.decider, reseller=world.shop.reseller, products=[world.shop.product])
    assert (Listing.objects.get(product=world.shop.product).picture, ListingPicture.objects.count()) == ("", 1)
    save_listing(world.decider, reseller=world.shop.reseller, product=second, values={}, picture=b"")
    assert ListingPicture.objects.count() == 0
    list_products(world.decider, reseller=world.shop.reseller, products=[world.shop.product])
    assert Listing.objects.get(product=world.shop.product).picture == ""


@pytest.mark.parametrize("data", [b"<svg/>", b"GIF89a", b"\x89PNG" + b"0" * 100, b"x" * 600_000])
def test_what_is_no_picture_is_refused_at_its_field(world, data):
    with pytest.raises(BusinessError) as refused:
        give(world, data, name="Changed")
    assert refused.value.field == "picture"
    assert (Listing.objects.get().name, ListingPicture.objects.count()) == ("", 0)


def test_editions_without_a_catalogue_have_no_pictures(world):
    Account.objects.filter(pk=world.shop.reseller.pk).update(edition=Edition.FREE)
    world.shop.reseller.refresh_from_db()
    with pytest.raises(PermissionRefused):
        give(world)
    other = factories.account(world.shop.organization, "reseller", edition=Edition.STANDARD)
    actor = factories.actor(world.shop.organization, of=other)
    with pytest.raises((NotVisible, PermissionRefused)):
        save_listing(actor, reseller=world.shop.reseller, product=world.shop.product, values={}, picture=picture())


def test_page_uploads_and_takes_away(world):
    client = browser_of(world, world.shop.reseller)
    url = reverse("storefront:shop_product", args=[world.shop.product.public_id])
    file = SimpleUploadedFile("a.png", picture())
    assert client.post(url, {"position": "1", "picture": file}).status_code == 302
    name = Listing.objects.get().picture
    body = client.get(url).content.decode()
    assert (name[:12] in body, "Take my picture away" in body) == (True, True)
    assert client.post(url, {"position": "1"}).status_code == 302
    assert Listing.objects.get().picture == name
    assert client.post(url, {"position": "1", "picture": SimpleUploadedFile("a.png", b"no")}).status_code == 400
    assert client.post(url, {"position": "1", "no_picture": "on"}).status_code == 302
    assert ListingPicture.objects.count() == 0


def test_mails_to_the_customer_show_it(world):
    name = give(world).picture
    order_of(world)
    for event in Event.objects.order_by("id"):
        events.process_event(event.pk)
    mail = OutgoingMail.objects.get(template="order_pending")
    assert f"/image/product/{name}" in mail.html
    assert world.site.host in mail.html
