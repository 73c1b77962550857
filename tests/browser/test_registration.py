"""A stranger registers on a phone, the reseller decides, the link activates; staff read logs and define a field."""

import re
from typing import Any

import pytest

from notifications.models import OutgoingMail
from resellers.models import Site
from tests import factories
from tests.browser.test_viewing import shop
from tests.browser.test_walk import Walk
from tests.sso import registering as kit
from users.permissions import StaffRole

__all__ = ["shop"]  # The fixture of that walk, for this module too.
pytestmark = pytest.mark.django_db(transaction=True)


def phone(walk: Walk) -> None:
    walk.page.set_viewport_size({"width": 390, "height": 844})


def fits(walk: Walk) -> bool:
    """Whether nothing on the page is wider than the screen."""
    return bool(walk.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def sign_in(walk: Walk, email: str, password: str) -> None:
    walk.page.fill("input[name=login]", email)
    walk.page.fill("input[name=password]", password)
    walk.page.click("main button[type=submit]")
    walk.page.wait_for_load_state()


def test_stranger_becomes_a_customer(browser: Any, live_server: Any, shop: Any):
    reseller, site = kit.reseller_with_site(organization=shop.organization, anonymous_access=True)
    Site.objects.filter(pk=site.pk).update(terms="Be kind.", support_email="help@cedar.test")
    admin = factories.user(shop.organization, of=reseller)
    walk = Walk(browser, live_server.url)
    walk.go("/cedar/")
    walk.shot("reg_home")
    walk.go("/cedar/accounts/login/")
    walk.shot("reg_login")
    walk.page.click("text=Register your company")
    walk.shot("reg_form")
    phone(walk)
    assert fits(walk)
    walk.page.click("main button[type=submit]")
    walk.page.wait_for_selector(".errors")
    walk.shot("reg_form_phone_errors")
    for name, value in kit.answers().items():
        field = walk.page.locator(f"[name={name}]")
        if name in ("terms", "privacy"):
            field.check()
        elif name == "country":
            field.select_option(value)
        else:
            field.fill(value)
    walk.page.click("main button[type=submit]")
    walk.page.wait_for_selector("text=Request submitted")
    walk.shot("reg_sent_phone")
    # The form with errors is answered with 400, which the browser's console calls an error.
    assert [text for text in walk.problems if "400" not in text] == []
    boss = Walk(browser, live_server.url)
    boss.go("/cedar/accounts/login/")
    sign_in(boss, admin.email, factories.PASSWORD)
    boss.go("/cedar/customers/")
    boss.shot("reg_customers")
    boss.page.click("text=Registrations (1 waiting)")
    boss.shot("reg_list")
    phone(boss)
    assert fits(boss)
    boss.shot("reg_list_phone")
    boss.page.click("main >> text=Fir Foods")
    boss.shot("reg_detail_phone")
    assert fits(boss)
    boss.page.set_viewport_size({"width": 1280, "height": 850})
    boss.shot("reg_detail")
    boss.page.click("main >> text=Reject")
    boss.shot("reg_reject")
    boss.page.go_back()
    boss.page.click("main >> text=Approve")
    boss.shot("reg_approve")
    boss.page.click("main button[type=submit]")
    boss.page.wait_for_selector("text=Approved")
    boss.shot("reg_approved")
    boss.go("/cedar/registrations/settings/")
    boss.shot("reg_settings")
    assert boss.problems == []
    mail = OutgoingMail.objects.get(template="registration_approved")
    walk.page.set_content(mail.html)
    walk.shot("reg_mail_phone")
    walk.go(kit.link_to("fay@fir.test"))
    walk.shot("reg_confirm_phone")
    walk.page.fill("input[name=password]", kit.PASSWORD)
    walk.page.click("main button[type=submit]")
    walk.page.wait_for_selector("text=Your account is active")
    walk.shot("reg_active_phone")
    sign_in(walk, "fay@fir.test", kit.PASSWORD)
    walk.go("/cedar/company/")
    walk.shot("reg_company_phone")
    assert fits(walk)


def test_staff_see_logs_and_custom_fields(browser: Any, live_server: Any, shop: Any):
    Site.objects.filter(pk=shop.site.pk).update(self_registration=True, anonymous_access=True)
    site = Site.objects.get(pk=shop.site.pk)
    kit.register(site)
    staff = factories.user(shop.organization, roles=[StaffRole.ADMINISTRATOR.value])
    walk = Walk(browser, live_server.url)
    walk.sign_in(staff.email)
    walk.go("/bss/")
    walk.shot("reg_bss_overview")
    walk.go("/bss/registrations/")
    walk.shot("reg_bss_list")
    walk.page.click("main >> text=Fir Foods")
    walk.page.click("main >> text=Approve")
    walk.shot("reg_bss_approve")
    walk.page.click("main button[type=submit]")
    walk.page.wait_for_selector("text=Approved")
    walk.go("/bss/registrations/settings/")
    walk.shot("reg_bss_settings")
    walk.go("/bss/logs/consent/")
    walk.shot("log_consent")
    walk.go("/bss/logs/terms/")
    walk.shot("log_terms")
    walk.go("/bss/setup/custom-fields/new/")
    page = walk.page
    page.fill("input[name=name]", "Service tier")
    page.fill("input[name=code]", "tier")
    page.select_option("select[name=field_type]", "list")
    page.fill("textarea[name=options]", "Gold\nSilver")
    page.fill("input[name=group]", "Contract")
    page.check("input[name=is_search]")
    page.check("input[name=shop_visible]")
    walk.shot("custom_new")
    page.click("main button[type=submit]")
    page.wait_for_selector("text=Service tier")
    walk.shot("custom_list")
    walk.go(f"/bss/accounts/{shop.customer.public_id}/custom/")
    page.select_option("select[name=tier]", "Gold")
    walk.shot("custom_edit")
    page.click("main button[type=submit]")
    page.wait_for_selector("text=Contract")
    walk.shot("custom_account")
    walk.go("/bss/accounts/?c_tier=Gold")
    walk.shot("custom_filter")
    assert re.search(shop.customer.name, page.inner_text("main"))
    phone(walk)
    walk.go("/bss/setup/custom-fields/")
    assert fits(walk)
    walk.shot("custom_list_phone")
    assert walk.problems == []
