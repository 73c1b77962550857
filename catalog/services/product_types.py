"""The rules of a product type: what is refunded, what customers cancel by themselves (``channel.md`` 9.3)."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.models import ProductType, RefundPolicy
from core import audit
from core.errors import BusinessError, NotVisible
from core.tenancy import Actor
from users.permissions import Perm
from vendors.inherited import demand_not_inherited

EDITABLE = (
    "refund_policy",
    "auto_cancel_subscriptions",
    "auto_cancel_addons",
    "auto_cancel_limit",
    "allow_multiple_subscriptions",
)

# What the distributor rules for the types a Professional reseller inherits.
LOCKED = frozenset({"allow_multiple_subscriptions"})


@transaction.atomic
def update_product_type(actor: Actor, *, product_type: ProductType, values: Mapping[str, Any]) -> ProductType:
    """Change the rules of a product type; a definition run keeps them. What is asked for already stays as it is.

    Raises BusinessError ``refund_invalid`` for an unknown policy, and ``limit_invalid`` for a limit below 1.
    """
    actor.require(Perm.CATALOG_MANAGE)
    rows = ProductType.objects.visible_to(actor).select_related("instance__application")
    row = rows.select_for_update(of=("self",)).filter(pk=product_type.pk).first()
    if row is None:
        raise NotVisible("product_type_missing", _("This product type does not exist."))
    if values.get("refund_policy", row.refund_policy) not in RefundPolicy.values:
        raise BusinessError("refund_invalid", _("Choose one of the list."), field="refund_policy")
    limit = values.get("auto_cancel_limit")
    if limit is not None and limit < 1:
        raise BusinessError("limit_invalid", _("Type 1 or more, or leave it empty."), field="auto_cancel_limit")
    before = {name: getattr(row, name) for name in EDITABLE}
    after = {name: values[name] for name in EDITABLE if name in values}
    changed = {name: value for name, value in after.items() if value != before[name]}
    if not changed:
        return row
    if LOCKED.intersection(changed):
        demand_not_inherited(actor, row.instance)
    for name, value in changed.items():
        setattr(row, name, value)
    row.save(update_fields=[*changed, "updated_at"])
    audit.record(actor, "product_type.updated", row, before={name: before[name] for name in changed}, after=changed)
    return row
