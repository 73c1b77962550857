"""Reads of what people keep for themselves."""

from typing import Any

from django.db.models import Q
from django.db.models.functions import Lower

from core.tenancy import Actor, TenantQuerySet
from users.models import SavedFilter


def saved_filters(actor: Actor, page: str) -> TenantQuerySet[SavedFilter]:
    """The filters of a list that the actor saved here himself, and those colleagues shared; by name."""
    if actor.user_id is None:
        return SavedFilter.objects.none()
    # A reseller's user also reaches the accounts billed to his, but these are kept for the one he acts for.
    of: dict[str, Any] = {"account": actor.account_id}
    rows = SavedFilter.objects.visible_to(actor).filter(page=page, **of)
    mine = Q(user_id=actor.user_id)
    return rows.filter(mine | Q(is_shared=True)).select_related("user").order_by(Lower("name"), "id")


def changeable_filters(actor: Actor, page: str) -> TenantQuerySet[SavedFilter]:
    """Those of them that the actor may rename or delete: his own; what others share he only uses."""
    return saved_filters(actor, page).filter(user_id=actor.user_id or 0)
