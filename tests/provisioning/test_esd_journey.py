"""Licences from the basket to the key and back, against the CIS twin (``esd.md`` 5 to 8)."""

import pytest

from billing.models import Charge
from core import crypto
from notifications.models import OutgoingMail
from orders.services.asset_return import accept_return
from subscriptions.services.returns import submit_return
from tests.drain import drain
from tests.provisioning.esd import assets_of, licences, make_esd_shop, order
from tests.provisioning.life import assert_all_holds

pytestmark = pytest.mark.django_db(transaction=True)


def test_three_licences_are_three_lines_assets_keys_and_charges(twins):
    shop = make_esd_shop()
    placed = order(shop, quantity=3)
    assert [line.quantity for line in placed.lines.all()] == [1, 1, 1]
    drain(twins)
    assets = assets_of(placed)
    assert [(row.status, row.sync_status, row.token_status, row.return_status) for row in assets] == [
        ("active", "synchronized", "activated", "none")
    ] * 3
    keys = {crypto.decrypt(row.token_cipher) for row in assets}
    assert len(keys) == 3
    assert {row.token_tail for row in assets} == {key[-5:] for key in keys}
    assert {row["id"] for row in licences(twins)} == {row.external_id for row in assets}
    charges = Charge.objects.filter(order_number=placed.number, state="due")
    assert charges.count() == 3
    assert sum(charge.gross for charge in charges) == placed.gross
    assert_all_holds(twins)
    mails = OutgoingMail.objects.filter(organization=shop.organization)
    stored = " ".join(f"{mail.subject} {mail.text}" for mail in mails)
    assert not [key for key in keys if key in stored]


def test_an_unused_licence_goes_back_and_is_credited_once(twins):
    shop = make_esd_shop()
    placed = order(shop)
    drain(twins)
    asset = assets_of(placed)[0]
    request = submit_return(shop.customer_admin, asset=asset, comment="One too many")
    accept_return(shop.staff, request=request)
    drain(twins)
    asset.refresh_from_db()
    request.refresh_from_db()
    assert (asset.status, asset.token_status, asset.return_status) == ("cancelled", "return_accepted", "successful")
    assert request.status == "completed"
    assert [charge.gross for charge in Charge.objects.filter(asset=asset).order_by("pk")] == [
        placed.gross,
        -placed.gross,
    ]
    assert_all_holds(twins)
