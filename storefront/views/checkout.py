"""Checkout: billing information, service details checked with the vendor, review, place."""

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.errors import BusinessError
from core.jobs import Job, own_job
from orders.models import Basket
from orders.selectors import PricedBasket, basket_instances
from orders.services.basket import set_billing_address
from orders.services.place import PriceChanged, place_order
from provisioning.services.checkout import (
    DETAILS_CHECK,
    LIVE_CHECK,
    start_details_check,
    start_live_check,
)
from resellers.services.accounts import billing_address
from storefront.access import ShopRequest, basket_of, shop_page
from storefront.forms import BillingForm, PlaceForm
from storefront.views.basket import price_basket
from ui.service_details import Addresses, answers, detail_form, detail_sections, live_values
from users.permissions import Perm
from vendors.models import Instance


def _ready(request: ShopRequest) -> tuple[Basket, PricedBasket]:
    """The basket, if it holds something and is for somebody."""
    basket = basket_of(request)
    priced = price_basket(request, basket)
    if priced.is_empty:
        raise BusinessError("basket_empty", _("The basket is empty."))
    if basket.target_account is None:
        raise BusinessError("target_missing", _("Choose for whom you order."))
    return basket, priced


@shop_page(Perm.SHOP_ORDER, back="storefront:basket")
def checkout_billing(request: ShopRequest) -> HttpResponseBase:
    """The address on the documents of this order."""
    basket, priced = _ready(request)
    target = basket.target_account
    payer = target.bill_to if target and target.bill_to and request.actor.pays else target
    known = basket.billing_address or (billing_address(payer) if payer else {})
    form = BillingForm(request.POST or None, initial=known)
    if request.method == "POST" and form.is_valid():
        set_billing_address(request.actor, basket=basket, address=form.cleaned_data)
        return redirect("storefront:checkout_details")
    context = {"form": form, "basket": basket, "priced": priced, "step": 2}
    return render(request, "storefront/checkout_billing.html", context, status=400 if form.errors else 200)


ADDRESSES = Addresses(
    check=lambda instance: reverse("storefront:checkout_check", args=[instance.public_id]),
    live=lambda instance, verb: reverse("storefront:checkout_live", args=[instance.public_id, verb]),
    partner=lambda instance: reverse("storefront:partner_change", args=[instance.public_id]),
)


@require_safe
@shop_page(Perm.SHOP_ORDER, back="storefront:basket")
def checkout_details(request: ShopRequest) -> HttpResponseBase:
    """What each vendor asks; goes on to the review once every vendor is content."""
    basket, priced = _ready(request)
    sections = detail_sections(basket, priced, ADDRESSES)
    if not sections:
        return redirect("storefront:checkout_review")  # No vendor wants to know the customer.
    done = all(section.is_good for section in sections)
    context = {"sections": sections, "basket": basket, "priced": priced, "step": 3, "done": done}
    return render(request, "storefront/checkout_details.html", context)


@require_POST
@shop_page(Perm.SHOP_ORDER, back="storefront:checkout_details")
def checkout_check(request: ShopRequest, instance_id: str) -> HttpResponseBase:
    """Take the answers for one vendor and have them checked there; the page polls meanwhile."""
    basket, priced = _ready(request)
    instance = _instance(priced, instance_id)
    form = detail_form(basket, instance, request.POST)
    if not form.is_valid():
        sections = detail_sections(basket, priced, ADDRESSES, refused=form)
        context = {"sections": sections, "basket": basket, "priced": priced, "step": 3, "done": False}
        return render(request, "storefront/checkout_details.html", context, status=400)
    given = answers(form, instance, request.POST)
    job = start_details_check(request.actor, basket=basket, instance=instance, values=given)
    return redirect("storefront:checkout_checking", public_id=job.public_id)


def _instance(priced: PricedBasket, instance_id: str) -> Instance:
    for instance in basket_instances(priced.lines):
        if str(instance.public_id) == str(instance_id):
            return instance
    raise Http404


@require_safe
@shop_page(Perm.SHOP_ORDER)
def checkout_checking(request: ShopRequest, public_id: str) -> HttpResponseBase:
    """Progress of a check; goes back to the details, or on to the review, when it has ended."""
    job = own_job(request.actor, public_id, DETAILS_CHECK)
    if job is None:
        raise Http404
    if job.is_open:
        template = "ui/_checking.html" if request.headers.get("HX-Request") else "storefront/checking.html"
        return render(request, template, {"job": job, "step": 3})
    if job.error:
        messages.error(request, job.error)
    good = job.result.get("state") == "ok"
    target = redirect("storefront:checkout_review" if good else "storefront:checkout_details")
    if request.headers.get("HX-Request"):
        target["HX-Redirect"] = target["Location"]
        target.status_code = 204
    return target


@require_POST
@shop_page(Perm.SHOP_ORDER)
def checkout_live(request: ShopRequest, instance_id: str, verb: str) -> HttpResponseBase:
    """Start a check of one field while somebody types."""
    _basket, priced = _ready(request)
    instance = _instance(priced, instance_id)
    job = start_live_check(request.actor, instance=instance, verb=verb, values=live_values(instance, request.POST))
    return _live(request, job)


def _live(request: ShopRequest, job: Job) -> HttpResponseBase:
    poll_url = reverse("storefront:checkout_live_result", args=[job.public_id])
    return render(request, "ui/_live.html", {"job": job, "poll_url": poll_url})


@require_safe
@shop_page(Perm.SHOP_ORDER)
def checkout_live_result(request: ShopRequest, public_id: str) -> HttpResponseBase:
    """What a live check found, or that it is still asking."""
    job = own_job(request.actor, public_id, LIVE_CHECK)
    if job is None:
        raise Http404
    return _live(request, job)


@shop_page(Perm.SHOP_ORDER, back="storefront:checkout_review")
def checkout_review(request: ShopRequest) -> HttpResponseBase:
    """Everything once more with exact amounts; POST places the order, once."""
    if request.method == "POST":
        return _place(request)
    basket, priced = _ready_for_review(request)
    if basket is None:
        return redirect("storefront:basket")
    context = {"basket": basket, "priced": priced, "step": 4, "target": basket.target_account}
    return render(request, "storefront/checkout_review.html", context)


def _ready_for_review(request: ShopRequest) -> tuple[Basket | None, PricedBasket | None]:
    try:
        return _ready(request)
    except BusinessError as error:
        messages.error(request, str(error.message))
        return None, None


def _place(request: ShopRequest) -> HttpResponseBase:
    form = PlaceForm(request.POST)
    if not form.is_valid():
        raise BusinessError("form_invalid", _("Something is missing. Check the order and confirm again."))
    try:
        order = place_order(
            request.actor,
            basket=basket_of(request),
            key=form.cleaned_data["key"],
            seen_total=form.cleaned_data["total"],
            terms_accepted=form.cleaned_data["terms"],
            terms_version=form.cleaned_data["terms_version"],
            browser=request.headers.get("User-Agent", ""),
        )
    except PriceChanged as error:
        messages.warning(request, str(error.message))
        return redirect("storefront:checkout_review")
    return redirect("storefront:order_detail", public_id=order.public_id)
