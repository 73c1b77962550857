"""What every template knows: who looks, at which site, in which theme, and the navigation."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from core.request_id import current_request_id
from resellers.models import Site
from resellers.selectors import is_employee
from ui.art import initials
from ui.contrast import is_colour
from ui.nav import items_for

THEME_COOKIE = "bss_theme"


def page(request: HttpRequest) -> dict[str, Any]:
    """Context of a page; works without site or actor too, as error pages need it."""
    site: Site | None = getattr(request, "site", None)
    actor = getattr(request, "actor", None)
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return {
        "site": site,
        "actor": actor,
        "brand_name": site.name if site else "Cloud BSS",
        "brand_letter": initials(site.name)[:1] if site else "C",
        "has_brand_colour": bool(site and is_colour(site.brand_color)),
        "theme": theme if theme in ("light", "dark") else "",
        "request_id": current_request_id(),
        "bss_nav": SimpleLazyObject(lambda: items_for("bss", actor, request.path) if actor else []),
        "may_open_bss": SimpleLazyObject(lambda: is_employee(request.user, site) if site else False),
    }
