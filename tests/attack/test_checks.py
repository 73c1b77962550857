"""Vendor checks at checkout: whose answers they are, and that an old answer releases no changed order."""

import pytest
from django.urls import reverse

from core.jobs import Job, run_job, start_job
from orders.models import Basket, Order
from provisioning.services.checkout import start_details_check
from resellers.enums import PurchaseMode
from resellers.selectors import actor_for
from tests import factories
from tests.attack.browser import user_of
from tests.shop import fill_basket, make_shop

pytestmark = pytest.mark.django_db
REVIEW = "storefront:checkout_review"


def test_details_of_one_account_do_not_serve_another(shop):
    user, client = user_of(shop, shop.reseller)
    actor = actor_for(user, shop.site, as_staff=False)
    basket = fill_basket(shop, actor, mode=PurchaseMode.END_CUSTOMER, target=shop.end_customer)
    Basket.objects.filter(pk=basket.pk).update(target_account=shop.affiliate, purchase_mode=PurchaseMode.AFFILIATE)
    data = {"key": str(basket.checkout_key), "total": "60", "terms": "on", "terms_version": "1"}
    client.post(reverse(REVIEW), data)
    assert not Order.objects.exists()


def test_check_of_a_basket_that_went_to_another_account_writes_nothing(shop):
    user, _client = user_of(shop, shop.reseller)
    actor = actor_for(user, shop.site, as_staff=False)
    basket = fill_basket(shop, actor, mode=PurchaseMode.END_CUSTOMER, target=shop.end_customer)

    job = start_details_check(actor, basket=basket, instance=shop.instance, values={"domain_prefix": "x"})
    fill_basket(shop, actor, mode=PurchaseMode.AFFILIATE, target=shop.affiliate)
    run_job(job.pk)
    job.refresh_from_db()
    basket.refresh_from_db()
    assert (job.state, job.result["code"]) == ("failed", "basket_changed")
    assert basket.service_details[str(shop.instance.public_id)]["account"] == str(shop.affiliate.public_id)


def test_live_checks_ask_vendors_of_the_own_basket_only(shop):
    other = factories.instance(shop.organization)
    foreign = make_shop().instance
    user, client = user_of(shop, shop.customer)
    fill_basket(shop, actor_for(user, shop.site, as_staff=False))
    for instance in (other, foreign):
        url = reverse("storefront:checkout_live", args=[instance.public_id, "check_domain"])
        assert client.post(url).status_code == 404
        assert client.post(reverse("storefront:checkout_check", args=[instance.public_id])).status_code == 404
    for verb in ("create", "cancel", "test_connection", "console_link", "__init__"):
        url = reverse("storefront:checkout_live", args=[shop.instance.public_id, verb])
        assert client.post(url).status_code == 404
    assert not Job.objects.exists()


def test_colleague_reads_neither_answers_nor_outcome_of_a_check(shop):
    user, _client = user_of(shop, shop.customer)
    actor = actor_for(user, shop.site, as_staff=False)
    basket = fill_basket(shop, actor)

    job = start_details_check(actor, basket=basket, instance=shop.instance, values={"domain_prefix": "secretname"})
    Job.objects.filter(pk=job.pk).update(state="done", result={"ok": False, "message": "secretname is used"})
    _colleague, theirs = user_of(shop, shop.customer)
    for name in ("checkout_live_result", "checkout_checking"):
        assert theirs.get(reverse(f"storefront:{name}", args=[job.public_id])).status_code == 404


def test_jobs_of_the_desk_about_an_account_are_not_shown_to_it(shop):

    job = start_job(shop.staff, "attack.nothing", title="secret work", params={}, account_id=shop.customer.pk)
    _user, client = user_of(shop, shop.customer)
    for name in ("checkout_live_result", "checkout_checking"):
        response = client.get(reverse(f"storefront:{name}", args=[job.public_id]))
        assert response.status_code == 404
