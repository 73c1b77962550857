"""What every template knows: who looks, at which site, in which theme, and the navigation."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from core.contrast import brand_query, is_colour
from core.request_id import current_request_id
from resellers.look import shown_look
from resellers.middleware import STAFF_PREFIXES
from resellers.models import Site
from resellers.selectors import is_employee
from ui.art import initials
from ui.nav import items_for

THEME_COOKIE = "bss_theme"


def page(request: HttpRequest) -> dict[str, Any]:
    """Context of a page; works without site or actor too, as error pages need it."""
    site: Site | None = getattr(request, "site", None)
    actor = getattr(request, "actor", None)
    theme = request.COOKIES.get(THEME_COOKIE, "")
    look = shown_look(site)
    if theme not in ("light", "dark") and not request.path.startswith(STAFF_PREFIXES):
        theme = look["scheme"]
    return {
        "site": site,
        "actor": actor,
        "brand_name": site.name if site else _("Storefront"),
        "brand_letter": initials(site.name)[:1] if site else "",
        "look": look,
        "brand_query": brand_query(site.brand_color, look["accent_color"]) if site else "",
        "icon_version": icon_version(site) if site else "",
        "site_languages": _languages([] if request.path.startswith(STAFF_PREFIXES) else look["languages"]),
        "theme": theme if theme in ("light", "dark") else "",
        "request_id": current_request_id(),
        "bss_nav": SimpleLazyObject(lambda: items_for("bss", actor, request.path) if actor else []),
        "may_open_bss": SimpleLazyObject(lambda: is_employee(request.user, site) if site else False),
    }


def _languages(chosen: list[str]) -> list[tuple[str, str]]:
    """The languages to choose from on this site, if there is more than one."""
    rows = [(code, name) for code, name in settings.LANGUAGES if not chosen or code in chosen]
    return rows if len(rows) > 1 else []


def icon_version(site: Site) -> str:
    """What changes when the drawn icon does, so that it may be kept for long."""
    return f"{ord(initials(site.name)[0]):x}{site.brand_color[1:] if is_colour(site.brand_color) else ''}"
