"""A reseller becomes Professional in a real browser, and his administrator updates his catalogue on his own host."""

from typing import Any

import pytest

from catalog.models import PlanCost
from resellers.models import Membership
from sso.services.people import confirm_address
from tenants.models import ProfessionalTenant
from tests import factories
from tests.browser.test_viewing import shop
from tests.browser.test_walk import Walk, email_of
from tests.drain import drain
from tests.tenants.test_transfer import running

__all__ = ["shop"]  # The fixture of that walk, for this module too.
pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"width": 390, "height": 800}


def test_from_the_account_to_his_own_bss(browser: Any, live_server: Any, shop: Any):
    running(shop, shop.end_customer)
    running(shop, shop.end_customer, name="At work", sync_status="failed")
    walk = Walk(browser, live_server.url)
    page = walk.page
    walk.sign_in(email_of(None))
    walk.go("/bss/professional/")
    walk.shot("pro_empty")
    walk.go(f"/bss/accounts/{shop.reseller.public_id}/")
    page.click("text=Make Professional")
    page.fill("input[name=host]", "delta.localhost")
    page.fill("input[name=name]", "Delta Cloud")
    page.fill("input[name=admin_first_name]", "Dora")
    page.fill("input[name=admin_last_name]", "Delta")
    page.fill("input[name=admin_email]", "dora@delta.test")
    walk.shot("pro_form")
    page.click("main form button[type=submit]")
    page.wait_for_selector("text=The way to his own organization")
    drain()
    page.reload()
    walk.shot("pro_detail")
    page.click("main td a.button >> nth=0")
    walk.shot("pro_accounts")
    page.click("text=Transfer all")
    walk.shot("pro_move")
    page.click("main form button[type=submit]")
    drain()
    page.reload()
    walk.shot("pro_job")
    tenant = ProfessionalTenant.objects.get()
    one = f"/bss/professional/{tenant.public_id}/"
    walk.go(f"{one}subscriptions/")
    walk.shot("pro_subscriptions")
    walk.go(f"{one}go-live/")
    walk.shot("pro_go_live")
    walk.go(f"/bss/accounts/{shop.end_customer.public_id}/")
    walk.shot("pro_managed_copy")
    page.set_viewport_size(PHONE)
    walk.go(one)
    walk.shot("pro_detail_phone")
    walk.go(f"{one}accounts/")
    walk.shot("pro_accounts_phone")
    assert walk.problems == []

    dora = Membership.objects.get(organization=tenant.own).user
    dora.set_password(factories.PASSWORD)
    dora.save()
    confirm_address(dora)
    PlanCost.objects.filter(plan=shop.plan).update(cost=11)
    his = Walk(browser, live_server.url)
    his.address = his.address.replace("localhost", "delta.localhost")
    his.sign_in(dora.email)
    his.go("/bss/catalogue/updates/new/")
    his.shot("pro_update_form")
    his.page.click("main form button[type=submit]")
    drain()
    his.page.reload()
    his.page.click("text=Go on")
    his.shot("pro_update_preview")
    his.page.set_viewport_size(PHONE)
    his.go("/bss/catalogue/updates/")
    his.shot("pro_updates_phone")
    assert his.problems == []
