"""What a storefront's look is served from: pictures, the drawn icon, the preview of a draft, and visitors' choices."""

import re
from typing import Any, cast

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from catalog.shop import picture_of
from core.contrast import DEFAULT, is_colour, readable
from resellers.middleware import ActorRequest
from resellers.models import Site
from resellers.services.design import image_of, previewed_site
from storefront.access import ShopRequest
from storefront.look import consent_name, keep_language
from storefront.pictures import picture_response
from storefront.views.catalogue import home_context
from ui.art import initials
from users.services.language import choose_language

IMAGE_NAME = re.compile(r"[0-9a-f]{64}\.(?:png|jpg|webp)")
DAY = 24 * 3600
YEAR = 365 * DAY


def _site(request: HttpRequest) -> Site:
    site = cast(ActorRequest, request).site
    if site is None:
        raise Http404
    return site


@require_safe
@cache_control(public=True, max_age=YEAR, immutable=True)
def site_image(request: HttpRequest, name: str) -> HttpResponse:
    """A picture of this site by the hash of its bytes; those of other sites are not there."""
    image = image_of(_site(request), name) if IMAGE_NAME.fullmatch(name) else None
    if image is None:
        raise Http404
    return picture_response(image.data, image.content_type)


@require_safe
@cache_control(public=True, max_age=DAY)
def product_picture(request: HttpRequest, name: str) -> HttpResponse:
    """A reseller's picture of one of his products, at his own site alone; a visitor's copy lives a day."""
    reseller = _site(request).account_id
    picture = picture_of(reseller, name) if reseller is not None and IMAGE_NAME.fullmatch(name) else None
    if picture is None:
        raise Http404
    return picture_response(picture.data, picture.content_type)


@require_safe
@cache_control(public=True, max_age=YEAR)
def site_icon(request: HttpRequest) -> HttpResponse:
    """The drawn icon of a site without one: its first letter in its colour."""
    site = _site(request)
    colour = site.brand_color if is_colour(site.brand_color) else DEFAULT
    drawing = format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="9" fill="{}"/>'
        '<text x="16" y="22.5" text-anchor="middle" font-family="system-ui, sans-serif" font-size="19" '
        'font-weight="700" fill="{}">{}</text></svg>',
        colour,
        readable(colour),
        initials(site.name)[:1],
    )
    return HttpResponse(drawing, content_type="image/svg+xml")


@require_safe
@never_cache
@xframe_options_sameorigin
def preview(request: HttpRequest, token: str) -> HttpResponseBase:
    """The home page as the draft has it, for who has a token of this very site; no right to anything else."""
    shop = cast(ShopRequest, request)
    draft = previewed_site(token, _site(request))
    if draft is None:
        raise Http404
    shop.site = shop.shop = draft
    request.is_preview = True  # type: ignore[attr-defined]
    response = render(request, "storefront/home.html", home_context(shop) | {"is_preview": True})
    # The editor shows this page in a frame; nobody else may frame it.
    answer: Any = response
    answer._csp_replace = {"frame-ancestors": ["'self'"]}
    return response


def _back(request: HttpRequest) -> HttpResponse:
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return redirect(wanted if is_ours else reverse("storefront:home"))


@require_POST
def set_consent(request: HttpRequest) -> HttpResponse:
    """Keep a visitor's answer about Google Analytics for half a year, in his own browser only."""
    answer = "yes" if request.POST.get("consent") == "yes" else "no"
    response = _back(request)
    response.set_cookie(
        consent_name(_site(request)),
        answer,
        max_age=YEAR // 2,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return response


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Keep the chosen language in the visitor's browser, and with whoever is signed in: his mails come in it too."""
    response = _back(request)
    code = request.POST.get("language", "")
    if code in dict(settings.LANGUAGES):
        keep_language(request, response, code)
        if request.user.is_authenticated:
            choose_language(request.user, code)
    return response
