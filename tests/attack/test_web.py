"""The web's own tricks: forged posts, odd hosts, foreign ``next``, malformed input, formulas in exports."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from core.jobs import Job, start_job
from notifications.models import OutgoingMail
from orders.models import Basket, Order
from resellers.models import Account
from resellers.selectors import actor_for
from tests import factories
from tests.attack.browser import signed_in, user_of
from tests.shop import fill_basket, make_shop, place

pytestmark = pytest.mark.django_db
NIL = "00000000-0000-4000-8000-000000000000"
POSTS = {
    "basket_add": [],
    "basket_change": [],
    "basket_target": [],
    "checkout_billing": [],
    "checkout_check": [NIL],
    "checkout_live": [NIL, "check_domain"],
    "checkout_review": [],
    "order_cancel": [NIL],
    "profile": [],
}


@pytest.mark.parametrize("name", POSTS)
def test_post_without_token_is_refused(shop, name):
    client = signed_in(shop, factories.user(shop.organization, of=shop.customer), csrf=True)
    assert client.post(reverse(f"storefront:{name}", args=POSTS[name])).status_code == 403


@pytest.mark.parametrize("name", ["basket_add", "basket_change", "basket_target", "checkout_check", "order_cancel"])
def test_get_of_a_change_is_not_allowed(shop, name):
    _user, client = user_of(shop, shop.customer)
    assert client.get(reverse(f"storefront:{name}", args=POSTS[name])).status_code == 405


def test_order_and_job_pages_of_others_do_not_exist(shop):
    order = place(shop.customer_admin, fill_basket(shop, shop.customer_admin))
    job = start_job(shop.customer_admin, "attack.nothing", title="x", params={})
    strangers = [factories.account(shop.organization), shop.reseller, shop.end_customer]
    for account in strangers:
        _user, client = user_of(shop, account)
        for name, key in (
            ("order_detail", order.public_id),
            ("subscription_detail", order.lines.get().subscription.public_id),
            ("checkout_live_result", job.public_id),
            ("checkout_checking", job.public_id),
            ("customer_detail", shop.customer.public_id),
        ):
            status = client.get(reverse(f"storefront:{name}", args=[key])).status_code
            assert status in (403, 404), (account.kind, name)
        assert client.post(reverse("storefront:order_cancel", args=[order.public_id])).status_code in (403, 404)
        assert order.number not in client.get(reverse("storefront:order_list")).content.decode()
    assert Job.objects.get(pk=job.pk).state == "queued"


def test_jobs_of_the_desk_are_not_pages_of_the_shop(shop):
    job = start_job(shop.staff, "attack.nothing", title="secret work", params={})
    _user, client = user_of(shop, shop.customer)
    assert client.get(reverse("storefront:checkout_checking", args=[job.public_id])).status_code == 404


def test_session_ends_with_the_membership_and_with_the_login(shop):
    user, client = user_of(shop, shop.customer)
    page = reverse("storefront:order_list")
    assert client.get(page).status_code == 200
    user.memberships.all().delete()
    assert client.get(page).status_code == 403
    user.is_active = False
    user.save()
    assert client.get(page).status_code == 302


@pytest.mark.parametrize(
    "target", ["https://evil.test/", "//evil.test/", r"/\evil.test/", "https:evil.test", "javascript:alert(1)"]
)
def test_next_never_leads_away(shop, target):
    user, client = user_of(shop, shop.customer)
    client.logout()
    data = {"login": user.email, "password": factories.PASSWORD, "next": target}
    response = client.post(reverse("account_login"), data)
    assert (response.status_code, response["Location"]) == (302, reverse("storefront:home"))


def test_next_to_the_site_of_another_tenant_is_not_followed(shop, settings):
    other = make_shop()
    settings.ALLOWED_HOSTS = [shop.site.host, other.site.host]
    user, client = user_of(shop, shop.customer)
    client.logout()
    data = {"login": user.email, "password": factories.PASSWORD, "next": f"http://{other.site.host}/"}
    assert client.post(reverse("account_login"), data)["Location"] == reverse("storefront:home")


def test_doubled_slash_leads_to_our_sign_in(shop):
    _user, client = user_of(shop, shop.customer)
    client.logout()
    response = client.get("//evil.test/orders/")
    assert "//evil.test" not in response.headers.get("Location", "")


def test_reset_link_never_names_the_host_of_the_request(shop):
    user, client = user_of(shop, shop.customer)
    client.logout()
    client.post(reverse("account_reset_password"), {"email": user.email}, headers={"host": "evil.test"})
    client.post(reverse("account_reset_password"), {"email": user.email}, headers={"x-forwarded-host": "evil.test"})
    mails = list(OutgoingMail.objects.filter(recipient=user.email))
    assert mails
    for mail in mails:
        assert "evil.test" not in f"{mail.text} {mail.html}"
        assert f"//{shop.site.host}" in mail.text


@pytest.mark.parametrize(
    "page",
    [
        "/products/?after=²:x",
        "/products/?after=" + "9" * 5000 + ":x",
        "/products/?after=99999999999999999999:x",
        "/products/?after=1:%00",
        "/products/?q=%00",
        "/orders/?q=%00",
        "/orders/?status=%00&sort=%00",
        "/orders/?after=%00",
        "/orders/?placed_from=%00&placed_to=0000-00-00",
        "/services/?q=%00&after=x",
        "/services/?after=²",
        "/products/shelf/x/",
    ],
)
def test_malformed_addresses_are_no_server_errors(shop, page):
    _user, client = user_of(shop, shop.customer)
    assert client.get(page).status_code < 500


def test_malformed_posts_are_no_server_errors(shop):
    _user, client = user_of(shop, shop.customer)
    plan = str(shop.plan.public_id)
    client.post(reverse("storefront:basket_add"), {"plan": plan, "quantity": "1", "addon": "\x00"})
    client.post(reverse("storefront:basket_add"), {"plan": plan, "quantity": "1"})
    client.post(reverse("storefront:basket_target"))
    prefix = str(shop.instance.public_id)[:8]
    live = reverse("storefront:checkout_live", args=[shop.instance.public_id, "check_domain"])
    assert client.post(live, {f"{prefix}-domain_prefix": "a\x00b"}).status_code < 500
    review = reverse("storefront:checkout_review")
    for total in ("NaN", "Infinity", "1e999", "-0", "x" * 5000):
        data = {"key": NIL, "total": total, "terms": "on"}
        assert client.post(review, data).status_code < 500
    assert not Order.objects.exists()


def test_formulas_in_names_are_no_formulas_in_the_export(shop):
    Account.objects.filter(pk=shop.end_customer.pk).update(name='=HYPERLINK("http://evil.test","x")')
    Account.objects.filter(pk=shop.affiliate.pk).update(name="\t@SUM(1)")
    _user, client = user_of(shop, shop.reseller)
    response = client.get(reverse("storefront:customer_list") + "?format=csv")
    body = b"".join(response.streaming_content).decode()
    assert "HYPERLINK" in body
    assert not re.search(r'(^|,)"?[\t\r]*[=+@]', body, re.MULTILINE)


def test_visitor_who_only_looks_leaves_no_row(shop):
    shop.site.anonymous_access = True
    shop.site.save()
    client = Client(headers={"host": shop.site.host})
    assert client.get(reverse("storefront:basket")).status_code == 200
    assert not Basket.objects.exists()
    assert not client.cookies.get("bss_session")


def test_order_form_carries_what_was_reviewed_and_the_terms_that_were_read(shop):
    user, client = user_of(shop, shop.customer)
    fill_basket(shop, actor_for(user, shop.site, as_staff=False))
    review = reverse("storefront:checkout_review")
    page = client.get(review).content.decode()
    values = dict(re.findall(r'type="hidden" name="(key|total|terms_version)" value="([^"]+)"', page))
    assert set(values) == {"key", "total", "terms_version"}
    shop.site.terms_version += 1
    shop.site.save()
    assert client.post(review, values | {"terms": "on"})["Location"] == review
    fresh = values | {"terms_version": str(shop.site.terms_version)}
    assert client.post(review, fresh)["Location"] == review
    assert not Order.objects.exists()

    placed = client.post(review, fresh | {"terms": "on"})

    assert placed["Location"] == reverse("storefront:order_detail", args=[Order.objects.get().public_id])
    assert client.post(review, fresh | {"terms": "on"})["Location"] == placed["Location"]
    assert Order.objects.count() == 1
