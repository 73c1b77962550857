"""An Administrator sets up a permission rule in a real browser, and what two employees see of the account then."""

from typing import Any

import pytest

from resellers.models import PermissionRule
from tests import factories
from tests.browser.test_viewing import shop
from tests.browser.test_walk import Walk, email_of
from users.permissions import StaffRole

__all__ = ["shop"]  # The fixture of that walk, for this module too.
pytestmark = pytest.mark.django_db(transaction=True)


def test_rule_keeps_an_account_from_some(browser: Any, live_server: Any, shop: Any):
    sales, other = (factories.user(shop.organization, roles=[StaffRole.SALES.value]) for _number in range(2))
    walk = Walk(browser, live_server.url)
    page = walk.page
    walk.sign_in(email_of(None))
    walk.go("/bss/setup/rules/")
    walk.shot("rules_empty")
    page.click(".actions >> text=Groups")
    page.click("main >> text=New group")
    page.fill("input[name=name]", "Team North")
    page.get_by_label(sales.email).check()
    walk.shot("group_form")
    page.click("main button[type=submit]")
    walk.shot("groups")
    walk.go("/bss/setup/rules/new/")
    page.fill("input[name=name]", "Key accounts")
    page.fill("input[name=note]", "Ask Ada before you call them.")
    page.locator("select[name^=group_]").first.select_option("read")
    walk.shot("rule_form")
    page.click("main button[type=submit]")
    page.wait_for_selector("text=Look at the accounts")
    walk.shot("rule_detail")
    page.click(".actions >> text=Accounts")
    page.locator(f"tr:has-text('{shop.customer.name}') input[name=row]").check()
    walk.shot("rule_accounts")
    page.click("text=Give this rule")
    page.wait_for_selector("text=1 row done")
    walk.go(f"/bss/accounts/{shop.customer.public_id}/access/")
    page.select_option("select[name=account_manager]", index=1)
    walk.shot("account_access")
    page.click("main form.card button[type=submit]")
    page.wait_for_selector("text=Responsible")
    walk.shot("account_detail")
    rule = PermissionRule.objects.get()
    walk.go(f"/bss/setup/rules/{rule.public_id}/delete/")
    walk.shot("rule_delete")
    assert walk.problems == []
    reader = Walk(browser, live_server.url)
    reader.sign_in(sales.email)
    reader.go(f"/bss/accounts/{shop.customer.public_id}/")
    reader.shot("account_reader")
    assert reader.page.locator("button[aria-disabled=true]", has_text="Edit").count() == 1
    assert reader.problems == []
    reader.go(f"/bss/accounts/{shop.customer.public_id}/edit/")
    reader.page.wait_for_selector("text=lets you look at this account")
    reader.shot("refused")
    stranger = Walk(browser, live_server.url)
    stranger.sign_in(other.email)
    stranger.go("/bss/accounts/")
    assert stranger.page.locator(f"text={shop.customer.name}").count() == 0
    assert stranger.page.locator(f"text={shop.reseller.name}").count() > 0
    assert stranger.problems == []
