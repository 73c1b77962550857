"""The card of an object's custom fields."""

from typing import Any

from django import template
from django.db.models import Model
from django.urls import NoReverseMatch, reverse

from core.custom_fields import entity_of
from core.tenancy import Actor
from resellers.services.custom_fields import may_set
from ui.custom_fields import editable_fields, shown_values

register = template.Library()


@register.inclusion_tag("ui/_custom_fields.html", takes_context=True)
def custom_fields(context: template.Context, row: Model, door: str) -> dict[str, Any]:
    """What is known of ``row`` besides its columns; nothing at all if the organization has no such fields."""
    actor: Actor = context["actor"]
    shown = shown_values(actor, row)
    url = ""
    if shown and may_set(actor, row) and editable_fields(actor, row):
        try:
            url = reverse(f"{door}:{entity_of(row)}_custom", args=[getattr(row, "public_id", "")])
        except NoReverseMatch:
            url = ""
    return {"shown": shown, "url": url}
