"""The rules of ``esd.md`` that need the whole way to the vendor: markets, certificates, partial failure, returns."""

import datetime as dt
from decimal import Decimal

import pytest

from billing.models import Charge
from catalog.markets import foreign_instances, market_for
from catalog.models import Product
from cloudbss.demo.esd import install_certificate, open_instance, run_now
from core import clock
from core.errors import BusinessError
from orders.services.asset_return import accept_return, return_asset
from provisioning.services import desk
from provisioning.services.assets import refresh_due
from provisioning.services.certificates import replace_certificate
from provisioning.services.setup import deactivate, save_settings, start_definition
from resellers.enums import AccountKind
from subscriptions.models import Asset, AssetReturn, Operation
from subscriptions.services.returns import reject_return, submit_return, withdraw_return
from tests import factories
from tests.drain import drain
from tests.provisioning.esd import (
    FOURTEEN_DAYS,
    NOT_RETURNABLE,
    OFFICE,
    EsdShop,
    assets_of,
    fill,
    licences,
    make_esd_shop,
    order,
)
from tests.provisioning.life import assert_all_holds, move
from tests.shop import place
from tests.twins import Twins
from vendors.models import Instance

pytestmark = pytest.mark.django_db(transaction=True)


def bought(shop: EsdShop, twins: Twins, sku: str = OFFICE) -> Asset:
    placed = order(shop, sku=sku)
    drain(twins)
    return assets_of(placed)[0]


def another(shop: EsdShop, country: str, language: str, currency: str) -> Instance:
    instance = open_instance(shop.staff, country=country, language=language, currency=currency)
    run_now(start_definition(shop.staff, instance=instance))
    return instance


def seen_by(shop: EsdShop, account, price_list) -> set[str]:
    """The countries and currencies of the products that an account is shown."""
    hidden = foreign_instances(shop.organization.pk, market_for(shop.organization, account, price_list))
    rows = Product.objects.filter(organization=shop.organization).exclude(product_type__instance__in=hidden)
    found = rows.values_list("product_type__instance__country", "product_type__instance__currency").distinct()
    return {f"{country} {currency}" for country, currency in found}


class TestMarkets:
    def test_buyers_see_the_products_of_their_country_and_currency(self, twins, settings):
        settings.BRIEF_SECONDS = 0
        shop = make_esd_shop()
        dollars, german = another(shop, "GR", "en-US", "USD"), another(shop, "DE", "de-DE", "EUR")
        euro_list = factories.price_list(shop.organization)
        dollar_list = factories.price_list(shop.organization, currency="USD")
        berlin = factories.account(shop.organization, country="DE")
        assert seen_by(shop, shop.customer, euro_list) == {"GR EUR"}
        assert seen_by(shop, shop.customer, dollar_list) == {"GR USD"}
        assert seen_by(shop, berlin, euro_list) == {"DE EUR"}
        assert seen_by(shop, shop.reseller, euro_list) == {"GR EUR"}
        factories.account(shop.organization, AccountKind.END_CUSTOMER, bill_to=shop.reseller, country="DE")
        assert seen_by(shop, shop.reseller, euro_list) == {"GR EUR", "DE EUR"}
        assert shop.product(OFFICE, german).name != shop.product(OFFICE, dollars).name

    def test_a_foreign_product_cannot_be_put_into_the_basket(self, twins, settings):
        settings.BRIEF_SECONDS = 0
        shop = make_esd_shop()
        german, dollars = another(shop, "DE", "de-DE", "EUR"), another(shop, "GR", "en-US", "USD")
        with pytest.raises(BusinessError, match="sold in DE only"):
            fill(shop, shop.customer_admin, shop.plan(OFFICE, german))
        with pytest.raises(BusinessError, match=r"no longer available|sold in USD"):
            fill(shop, shop.customer_admin, shop.plan(OFFICE, dollars))

    def test_a_basket_of_two_currencies_is_refused(self, twins):
        shop = make_esd_shop()
        basket = fill(shop, shop.customer_admin, shop.plan())
        Instance.objects.filter(pk=shop.instance.pk).update(currency="USD")
        with pytest.raises(BusinessError, match="Pay EUR and USD products in separate orders"):
            place(shop.customer_admin, basket)

    def test_another_language_renames_on_the_next_run(self, twins):
        shop = make_esd_shop(language="el-GR")
        greek = shop.product().name
        values = shop.instance.read_settings() | {"language": "en-US"}
        row = Instance.objects.select_related("application").get(pk=shop.instance.pk)
        save_settings(shop.staff, application=row.application, instance=row, system_name=row.system_name, given=values)
        run_now(start_definition(shop.staff, instance=Instance.objects.get(pk=row.pk)))
        assert shop.product().name != greek


class TestInstance:
    def test_a_closed_instance_takes_no_orders_but_returns(self, twins):
        shop = make_esd_shop()
        asset = bought(shop, twins)
        deactivate(shop.staff, instance=shop.instance)
        with pytest.raises(BusinessError, match="takes no orders at the moment"):
            order(shop)
        return_asset(shop.staff, asset=asset, comment="")
        drain(twins)
        asset.refresh_from_db()
        assert asset.return_status == "successful"

    def test_an_expired_certificate_stops_ordering_and_a_new_one_lets_waiting_operations_go_on(self, twins):
        shop = make_esd_shop()
        placed = order(shop)
        move(twins, dt.timedelta(days=400))
        drain(twins)
        operation = Operation.objects.get(asset=assets_of(placed)[0])
        assert (operation.state, operation.code) == ("attention", "misconfigured")
        assert "certificate expired on" in operation.message
        with pytest.raises(BusinessError, match="The certificate expired on"):
            order(shop)
        cis = twins.credentials()["cis"]
        client = next(row for row in cis["clients"] if row["country"] == "GR")
        fresh = install_certificate(shop.staff, client, host="esd-new.aster.example", currency="EUR")
        row = Instance.objects.select_related("application", "certificate").get(pk=shop.instance.pk)
        replace_certificate(shop.staff, instance=row, certificate=fresh)
        drain(twins)
        assert assets_of(placed)[0].status == "active"
        assert_all_holds(twins)


class TestPartlyFailed:
    def test_one_of_three_refused_is_not_charged_and_can_be_tried_again(self, twins):
        shop = make_esd_shop()
        placed = order(shop, quantity=3)
        twins.fault("purchase", "error", vendor="cis", status=422, code="SkuNotAvailableInCountry")
        drain(twins)
        failed = [row for row in assets_of(placed) if row.status == "pending"]
        assert len(failed) == 1
        assert [line.delivery_status for line in placed.lines.order_by("position")].count("failed") == 1
        due = Charge.objects.filter(order_number=placed.number, state="due")
        assert (due.count(), sum(row.gross for row in due)) == (2, placed.gross * 2 / 3)
        assert failed[0].product.is_published is False
        desk.retry(shop.staff, operation=Operation.objects.get(asset=failed[0]))
        drain(twins)
        assert [row.status for row in assets_of(placed)] == ["active"] * 3
        assert Charge.objects.filter(order_number=placed.number, state="due").count() == 3
        assert_all_holds(twins)

    def test_a_refused_licence_is_given_up_uncharged(self, twins):
        shop = make_esd_shop()
        placed = order(shop)
        twins.fault("purchase", "error", vendor="cis", status=410, code="Discontinued")
        drain(twins)
        asset = assets_of(placed)[0]
        assert (asset.status, asset.sync_status) == ("pending", "failed")
        desk.give_up(shop.staff, operation=Operation.objects.get(asset=asset), reason="Not sold any more")
        asset.refresh_from_db()
        assert (asset.status, asset.sync_status) == ("cancelled", "failed")
        assert not Charge.objects.filter(state="due").exists()
        assert_all_holds(twins)

    def test_out_of_stock_waits_for_a_day_and_goes_on_by_itself(self, twins):
        shop = make_esd_shop()
        twins.call("POST", "/_twin/cis/stock", json={"sku": OFFICE, "available": False})
        placed = order(shop)
        drain(twins, patience=dt.timedelta(minutes=10))
        operation = Operation.objects.get(asset=assets_of(placed)[0])
        assert (operation.state, operation.flag) == ("waiting", "out_of_stock")
        assert operation.not_before - clock.now() > dt.timedelta(minutes=4)
        twins.call("POST", "/_twin/cis/stock", json={"sku": OFFICE, "available": True})
        drain(twins, patience=dt.timedelta(hours=1))
        assert assets_of(placed)[0].status == "active"

    def test_over_the_credit_nothing_is_sent(self, twins):
        shop = make_esd_shop(credit=Decimal(1))
        placed = order(shop, quantity=2)
        drain(twins)
        assert (placed.status, licences(twins), assets_of(placed)) == ("submitted", [], [])


class TestReturns:
    def test_a_used_licence_is_read_again_and_not_taken_back(self, twins):
        shop = make_esd_shop()
        asset = bought(shop, twins)
        twins.call("POST", "/_twin/cis/redeem", json={"license_id": asset.external_id})
        request = submit_return(shop.customer_admin, asset=asset)
        accept_return(shop.staff, request=request)
        drain(twins)
        asset.refresh_from_db()
        request.refresh_from_db()
        assert (asset.status, asset.sync_status, asset.token_status) == ("active", "synchronized", "redeemed")
        assert (request.status, request.reason) == ("rejected", "This licence has been used and cannot be returned.")
        with pytest.raises(BusinessError, match="has been used and cannot be returned"):
            submit_return(shop.customer_admin, asset=asset)
        assert not Charge.objects.filter(kind="credit").exists()
        assert_all_holds(twins)

    def test_what_microsoft_does_not_take_back_is_not_asked_for(self, twins):
        shop = make_esd_shop()
        asset = bought(shop, twins, NOT_RETURNABLE)
        assert asset.returnable_until is None
        with pytest.raises(BusinessError, match="Microsoft does not take this licence back"):
            submit_return(shop.customer_admin, asset=asset)

    @pytest.mark.parametrize(("sku", "days"), [(OFFICE, 31), (FOURTEEN_DAYS, 15)])
    def test_the_day_after_the_window_is_too_late(self, twins, sku, days):
        shop = make_esd_shop()
        asset = bought(shop, twins, sku)
        move(twins, dt.timedelta(days=days))
        with pytest.raises(BusinessError, match="The return period ended on"):
            submit_return(shop.customer_admin, asset=asset)

    def test_a_licence_that_microsoft_took_back_before_is_credited_once(self, twins):
        shop = make_esd_shop()
        asset = bought(shop, twins)
        twins.call("POST", "/_twin/drift", json={"vendor": "cis", "count": 1, "kinds": ["returned"]})
        move(twins, dt.timedelta(days=1, minutes=1))
        assert refresh_due() == 1
        asset.refresh_from_db()
        assert (asset.status, asset.warning[:31]) == ("active", "At the vendor this licence is r")
        return_asset(shop.staff, asset=asset, comment="")
        drain(twins)
        asset.refresh_from_db()
        assert asset.return_status == "successful"
        assert Charge.objects.filter(asset=asset, kind="credit").count() == 1
        assert_all_holds(twins)

    def test_an_unknown_return_credits_nothing_until_the_vendor_says(self, twins):
        shop = make_esd_shop()
        asset = bought(shop, twins)
        twins.fault("return_license", "http_500_after", vendor="cis")
        twins.fault("get_transaction", "http_500_before", vendor="cis", times=50)
        twins.fault("get_license", "http_500_before", vendor="cis", times=50)
        return_asset(shop.staff, asset=asset, comment="")
        drain(twins, patience=dt.timedelta(minutes=5))
        asset.refresh_from_db()
        assert (asset.status, asset.sync_status, asset.token_status) == ("active", "unsynchronised", "activated")
        assert not Charge.objects.filter(kind="credit").exists()
        twins.no_faults()
        drain(twins, patience=dt.timedelta(hours=2))
        assert Charge.objects.filter(asset=asset, kind="credit").count() == 1
        assert_all_holds(twins)

    def test_what_the_vendor_may_still_take_back_is_given_up_before_it_is_rejected(self, twins):
        shop = make_esd_shop()
        asset = bought(shop, twins)
        request = submit_return(shop.customer_admin, asset=asset)
        twins.fault("return_license", "error", vendor="cis", status=409, code="DuplicateTransaction")
        accept_return(shop.staff, request=request)
        drain(twins)
        request.refresh_from_db()
        operation = request.operation
        assert (request.status, operation.state, operation.code) == ("failed", "attention", "contract")
        with pytest.raises(BusinessError, match="operations desk first"):
            reject_return(shop.staff, request=request, reason="Too late")
        desk.give_up(shop.staff, operation=operation, reason="Microsoft says no")
        request.refresh_from_db()
        asset.refresh_from_db()
        assert (request.status, asset.status, asset.sync_status) == ("rejected", "active", "synchronized")
        assert_all_holds(twins)

    def test_a_request_is_withdrawn_before_the_decision_only(self, twins):
        shop = make_esd_shop()
        asset = bought(shop, twins)
        first = submit_return(shop.customer_admin, asset=asset)
        with pytest.raises(BusinessError, match="already requested"):
            submit_return(shop.customer_admin, asset=asset)
        withdraw_return(shop.customer_admin, request=first)
        second = submit_return(shop.customer_admin, asset=asset)
        reject_return(shop.staff, request=second, reason="Keep it")
        with pytest.raises(BusinessError):
            withdraw_return(shop.customer_admin, request=second)
        assert list(AssetReturn.objects.order_by("pk").values_list("status", flat=True)) == ["withdrawn", "rejected"]


def test_the_daily_refresh_notes_a_used_key_and_then_stops(twins):
    shop = make_esd_shop()
    asset = bought(shop, twins)
    assert refresh_due() == 0
    move(twins, dt.timedelta(days=1, minutes=1))
    assert refresh_due() == 1
    twins.call("POST", "/_twin/cis/redeem", json={"license_id": asset.external_id})
    move(twins, dt.timedelta(days=1, minutes=1))
    assert refresh_due() == 1
    asset.refresh_from_db()
    assert (asset.token_status, asset.refresh_at) == ("redeemed", None)
    move(twins, dt.timedelta(days=2))
    assert refresh_due() == 0
