"""From a certificate to a revealed key, in a real browser and against the CIS twin."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from catalog.models import Product
from cloudbss.demo.certificates import make_certificate
from provisioning.services.setup import register_applications
from resellers.models import Account, Organization
from subscriptions.models import Asset
from tests import factories
from tests.browser.test_walk import Walk, email_of, worker
from tests.provisioning.esd import OFFICE, licences
from tests.twins import Twins
from vendors.models import Instance

__all__ = ["worker"]  # The fixture of that walk, for this module too.
pytestmark = pytest.mark.django_db(transaction=True)
HOST = "esd.aster.example"


@dataclass
class Town:
    """A distributor without any instance, and a Greek customer with prices."""

    organization: Organization
    customer: Account


@pytest.fixture
def shop(twins: Twins, live_server: Any) -> Town:
    """The distributor at the address of the test server."""
    register_applications()
    organization = factories.organization()
    site = factories.site_of(organization)
    type(site).objects.filter(pk=site.pk).update(host="localhost")
    factories.actor(organization)
    customer = factories.account(organization, country="GR", credit_limit=Decimal(10000))
    factories.price_list(organization, to=customer, default_rule="discount", default_value=Decimal(0))
    factories.actor(organization, of=customer)
    return Town(organization, customer)


def send(walk: Walk) -> None:
    """Press the form's button."""
    walk.page.click("main form.card button[type=submit]")


def job_done(walk: Walk) -> None:
    """Wait until the worker has done what was just started."""
    walk.page.wait_for_url("**/jobs/**")
    walk.page.wait_for_selector("main .badge.tone-success", timeout=60_000)


def upload(walk: Walk, twins: Twins, folder: Path, client: dict[str, Any]) -> None:
    """Register the certificate at the twin, point its name to us, install it, look at its name."""
    made = make_certificate(HOST, code="open sesame")
    twins.call("POST", "/_twin/cis/certificates", json={"client_id": client["client_id"], "pem": made.pem})
    record = {"name": HOST, "type": "CNAME", "values": ["eu.platform.example"]}
    twins.call("POST", "/_twin/names", json=record)
    file = folder / "esd.pfx"
    file.write_bytes(made.pfx)
    page = walk.page
    walk.go("/bss/setup/certificates/upload/")
    page.fill("input[name=label]", "Greece EUR")
    page.set_input_files("input[name=file]", file)
    page.fill("input[name=passphrase]", made.code)
    page.fill("input[name=host_name]", HOST)
    send(walk)
    page.click(".actions >> text=Check DNS")
    page.click("main form button[type=submit]")
    job_done(walk)


def open_instance(walk: Walk, twins: Twins, client: dict[str, Any]) -> Instance:
    """Both stages of the form, the test, and Activate."""
    page, cis = walk.page, twins.credentials()["cis"]
    walk.go("/bss/setup/instances/new/microsoft_esd/")
    values = {
        "system_name": "ESD Greece",
        "resource_api": cis["resource"],
        "service_url": f"{twins.url}{cis['service_path']}",
        "tenant": cis["tenant_id"],
        "channel_id": client["channel_id"],
        "client_id": client["client_id"],
    }
    for name, value in values.items():
        page.fill(f"input[name={name}]", value)
    assert page.is_disabled("select[name=thumbprint]")
    send(walk)
    page.select_option("select[name=thumbprint]", index=1)
    page.select_option("select[name=country]", "GR")
    page.select_option("select[name=language]", "en-US")
    page.locator("main form details > summary").first.click()
    page.fill("input[name=authority]", f"{twins.url}/login")
    walk.shot("esd_second_stage")
    send(walk)
    page.wait_for_selector("text=Before it can be opened")
    row = Instance.objects.get(system_name="ESD Greece")
    for deed in ("test", "activate", "definition"):
        walk.go(f"/bss/setup/instances/{row.public_id}/{deed}/")
        page.click("main form button[type=submit]")
        if deed != "activate":
            job_done(walk)
    walk.shot("esd_definition")
    return row


def publish(walk: Walk) -> Product:
    """Put Office on sale."""
    product = Product.objects.get(attributes__sku=OFFICE)
    walk.go(reverse("bss:product_publish", args=[product.public_id]))
    walk.page.click("main form button[type=submit]")
    walk.page.wait_for_load_state()
    return product


def test_certificate_to_revealed_key(browser, live_server, shop, worker, twins, tmp_path):
    client = next(row for row in twins.credentials()["cis"]["clients"] if row["country"] == "GR")
    staff = Walk(browser, live_server.url)
    staff.sign_in(email_of(None))
    upload(staff, twins, tmp_path, client)
    open_instance(staff, twins, client)
    product = publish(staff)
    walk = Walk(browser, live_server.url)
    page = walk.page
    walk.sign_in(email_of(shop.customer))
    walk.go(f"/products/{product.public_id}/")
    walk.shot("esd_product")
    page.fill("#quantity", "2")
    page.click("text=Add to basket")
    assert page.locator(".basket-line").count() == 2
    walk.shot("esd_basket")
    page.click("text=Go to checkout")
    page.locator("main form.card button[type=submit]").click()
    page.wait_for_url("**/checkout/review/", timeout=20_000)
    page.check("#terms")
    page.click("text=Order now")
    page.wait_for_url("**/orders/**")
    page.wait_for_selector("text=2 of 2 licences are ready", timeout=40_000)
    walk.shot("esd_order")
    assets = list(Asset.objects.order_by("pk"))
    assert {row["id"] for row in licences(twins)} == {row.external_id for row in assets}
    walk.go(f"/licences/{assets[0].public_id}/")
    masked = page.inner_text("#key")
    page.click("text=Show the key")
    page.wait_for_selector("text=Hide the key")
    shown = page.inner_text(".licence-key")
    walk.shot("esd_key")
    assert shown.endswith(assets[0].token_tail)
    assert len(shown) == 29
    assert shown not in masked
    assert (walk.problems, staff.problems) == ([], [])
