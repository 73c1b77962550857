"""What templates need for a storefront's look: texts people typed, as safe HTML, and addresses within the site."""

from django import template
from django.urls import get_script_prefix

from resellers.prose import prose

register = template.Library()
register.filter("prose", prose)


@register.filter
def site_link(link: str) -> str:
    """A link as it was typed; a path is one of this site, also below its alias."""
    return f"{get_script_prefix().rstrip('/')}{link}" if link.startswith("/") else link
