"""Perpetual licences: their keys, their ids, and when the vendor is asked for the Perpetual ID (``esd.md`` 11)."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from core import clock
from core.audit import AuditEntry
from core.errors import BusinessError, PermissionRefused
from subscriptions.asset_rules import AssetAction, demand_action
from subscriptions.asset_selectors import without_keys
from subscriptions.models import Asset, AssetKey
from subscriptions.services.assets import finish_return, note_status, without_key
from subscriptions.services.keys import add_keys, keys_for_mail, resend_token, reveal_token, shown_keys
from subscriptions.services.perpetual import next_look
from subscriptions.services.returns import submit_return
from tests import factories
from tests.shop import Shop
from users.permissions import StaffRole

pytestmark = pytest.mark.django_db
KEYS = ("NKWF6-TP4MQ-7HXVB-92CDR-GJ8TY", "B7PXD-4QKNM-RV8TC-2WHYF-9JG63")
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
OWN = "7a1b3c5d-0000-4000-8000-000000000001"


@pytest.fixture
def row(shop: Shop) -> Asset:
    return factories.perpetual_asset(shop.product, account=shop.customer)


class TestKeys:
    def test_they_are_encrypted_masked_and_told_to_nobody(self, shop, row):
        assert add_keys(shop.staff, asset=row, keys=[f" {KEYS[0]} ", "", KEYS[1]]) == 2
        stored = list(AssetKey.objects.filter(asset=row))
        assert [key.masked for key in stored] == ["•••••-GJ8TY", "•••••-9JG63"]
        assert not [key for key in stored if key.cipher in KEYS]
        entry = AuditEntry.objects.get(object_id=row.public_id, action="asset.keys_added")
        assert entry.after == {"keys": 2}

    def test_reveal_is_audited(self, shop, row):
        add_keys(shop.staff, asset=row, keys=KEYS)
        assert reveal_token(shop.customer_admin, row).split("\n") == list(KEYS)
        assert AuditEntry.objects.filter(object_id=row.public_id, action="asset.key_revealed").count() == 1

    @pytest.mark.parametrize(
        ("keys", "code"),
        [
            ([], "keys_missing"),
            (["  "], "keys_missing"),
            ([f"KEY-{number:06}" for number in range(101)], "keys_many"),
            (["K" * 65], "key_long"),
            (["K" * 5], "key_long"),
            ([KEYS[0], KEYS[0]], "key_double"),
            ([KEYS[0], KEYS[0].replace("-", "").lower()], "key_double"),
        ],
    )
    def test_what_is_refused_stores_nothing(self, shop, row, keys, code):
        with pytest.raises(BusinessError) as found:
            add_keys(shop.staff, asset=row, keys=keys)
        assert (found.value.code, AssetKey.objects.filter(asset=row).count()) == (code, 0)
        assert KEYS[0] not in str(found.value.message)

    def test_one_that_is_there_already_is_refused(self, shop, row):
        add_keys(shop.staff, asset=row, keys=[KEYS[0]])
        with pytest.raises(BusinessError, match="Key 2 is there already"):
            add_keys(shop.staff, asset=row, keys=[KEYS[1], KEYS[0]])

    def test_only_who_manages_services_enters_them(self, shop, row):
        sales = factories.actor(shop.organization, roles=[StaffRole.READ_ONLY.value])
        for actor in (sales, shop.customer_admin):
            with pytest.raises(PermissionRefused):
                add_keys(actor, asset=row, keys=KEYS)

    def test_a_licence_whose_key_the_vendor_gives_takes_none(self, shop):
        other = factories.asset(shop.product, account=shop.customer)
        with pytest.raises(BusinessError, match="The vendor gives the key"):
            add_keys(shop.staff, asset=other, keys=KEYS)

    def test_nothing_is_revealed_or_sent_before_there_are_keys(self, shop, row):
        for deed in (lambda: reveal_token(shop.staff, row), lambda: resend_token(shop.staff, asset=row)):
            with pytest.raises(BusinessError, match="No key of this licence"):
                deed()

    def test_a_return_deactivates_them(self, shop, row):
        add_keys(shop.staff, asset=row, keys=KEYS)
        finish_return(shop.staff, row, {})
        assert not AssetKey.objects.filter(asset=row, deactivated_at=None).exists()
        with pytest.raises(BusinessError):
            reveal_token(shop.customer_admin, row)

    def test_the_stored_mail_is_masked_and_each_key_has_its_place(self, shop, row):
        same_end = [f"AAAA{number:02}-BBBBB-CCCCC" for number in range(12)]
        add_keys(shop.staff, asset=row, keys=same_end)
        stored = "\n".join(shown_keys(row))
        for shown, key in keys_for_mail(row):
            stored = stored.replace(shown, key)
        assert stored.split("\n") == [f"{number}. {key}" for number, key in enumerate(same_end, start=1)]

    def test_a_typed_key_is_masked(self, shop, row):
        add_keys(shop.staff, asset=row, keys=KEYS)
        assert without_key(row, f"Take {KEYS[1].lower()} back") == "Take •••••-9JG63 back"

    def test_what_waits_for_keys_for_more_than_a_day(self, shop, row):
        old = clock.now() - 2 * DAY
        wanted = factories.perpetual_asset(shop.product, account=shop.customer, activated_at=old)
        done = factories.perpetual_asset(shop.product, account=shop.customer, activated_at=old)
        factories.asset(shop.product, account=shop.customer, activated_at=old)
        add_keys(shop.staff, asset=done, keys=KEYS)
        assert list(without_keys(shop.staff)) == [wanted]


class TestIds:
    @pytest.mark.parametrize(
        ("passed", "expected"),
        [
            (0 * MINUTE, 5 * MINUTE),
            (5 * MINUTE, 15 * MINUTE),
            (16 * MINUTE, 60 * MINUTE),
            (60 * MINUTE, DAY + 60 * MINUTE),
            (28 * DAY, 29 * DAY),
            (30 * DAY, None),
        ],
    )
    def test_the_vendor_is_asked_after_5_15_60_minutes_then_daily_for_30_days(self, row, passed, expected):
        start = row.activated_at
        wanted = None if expected is None else start + expected
        assert next_look(row, start + passed) == wanted

    def test_it_is_asked_no_more_once_it_is_known(self, row):
        row.perpetual_id = OWN
        assert next_look(row, row.activated_at) is None

    def test_check_20_it_is_filled_in_later_and_audited(self, shop, row):
        note_status(shop.staff, row, {"perpetual_id": OWN, "order_id": "another"})
        row.refresh_from_db()
        assert (row.perpetual_id, row.status, row.refresh_at) == (OWN, "active", None)
        assert row.vendor_order_id != "another"
        assert AuditEntry.objects.filter(object_id=row.public_id, action="asset.perpetual_id_assigned").exists()

    def test_it_is_unique_in_the_instance(self, shop, row):
        factories.perpetual_asset(shop.product, account=shop.customer, perpetual_id=OWN)
        note_status(shop.staff, row, {"perpetual_id": OWN})
        row.refresh_from_db()
        assert (row.perpetual_id, "another asset has already" in row.warning) == ("", True)
        with pytest.raises(IntegrityError), transaction.atomic():
            Asset.objects.filter(pk=row.pk).update(perpetual_id=OWN)

    def test_a_return_at_the_vendor_is_a_warning_and_not_applied(self, shop, row):
        note_status(shop.staff, row, {"return_status": "successful"})
        row.refresh_from_db()
        assert (row.status, "At the vendor this licence is returned" in row.warning) == ("active", True)

    def test_it_has_no_token(self, row):
        with pytest.raises(IntegrityError), transaction.atomic():
            Asset.objects.filter(pk=row.pk).update(token_status="activated")


class TestReturn:
    def test_check_21_a_part_is_refused(self, shop, row):
        with pytest.raises(BusinessError, match="A perpetual licence can only be returned as a whole"):
            submit_return(shop.customer_admin, asset=row, quantity=2)
        assert submit_return(shop.customer_admin, asset=row, quantity=3).status == "submitted"

    def test_a_key_is_not_needed_for_it(self, row):
        demand_action(row, AssetAction.RETURN)
