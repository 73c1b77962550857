"""Publishing products, their texts and categories."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from catalog.models import SOLD_CHARGE_TYPES, Category, Product
from core import audit
from core.errors import BusinessError, NotVisible
from core.tenancy import Actor
from users.permissions import Perm

EDITABLE = ("name", "summary", "description", "category", "is_featured", "is_new")


@transaction.atomic
def publish_products(actor: Actor, *, product_ids: Sequence[UUID]) -> tuple[int, list[str]]:
    """Publish products; returns how many were, and why the others could not be.

    A product is refused if it is discontinued, has no offered plan, or is charged in a way that is not sold yet.
    """
    actor.require(Perm.CATALOG_MANAGE)
    rows = Product.objects.visible_to(actor).filter(public_id__in=product_ids).order_by("pk")
    done, refused = [], []
    for row in rows.select_for_update(of=("self",)).prefetch_related("plans"):
        reason = unpublishable(row)
        if reason:
            refused.append(f"{row.name}: {reason}")
        elif not row.is_published:
            done.append(row)
    Product.objects.filter(pk__in=[row.pk for row in done]).update(is_published=True)
    for row in done:
        audit.record(actor, "product.published", row, before={"is_published": False}, after={"is_published": True})
    return len(done), refused


def publish_product(actor: Actor, *, product: Product) -> None:
    """Put one product on sale; raises BusinessError ``product_unpublishable`` with the reason why it cannot be."""
    actor.require(Perm.CATALOG_MANAGE)
    reason = unpublishable(product)
    if reason:
        raise BusinessError("product_unpublishable", _("It cannot be published: %(why)s.") % {"why": reason})
    publish_products(actor, product_ids=[product.public_id])


def unpublish_product(actor: Actor, *, product: Product) -> None:
    """Take one product off sale; running services go on."""
    unpublish_products(actor, product_ids=[product.public_id])


def withdraw_product(actor: Actor, *, product: Product, reason: str) -> None:
    """The vendor said while provisioning that he no longer sells it: it goes off sale until staff look at it."""
    if Product.objects.filter(pk=product.pk, is_published=True).update(is_published=False):
        audit.record(
            actor,
            "product.unpublished",
            product,
            before={"is_published": True},
            after={"is_published": False},
            reason=reason,
        )


def unpublishable(product: Product) -> str:
    """Why this product cannot be put on sale, or the empty string."""
    if product.discontinued_at is not None:
        return _("the vendor no longer sells it")
    if product.charge_type not in SOLD_CHARGE_TYPES or not product.product_type.is_orderable:
        return _("products of this kind cannot be ordered here")
    if not any(plan.is_offered for plan in product.plans.all()):
        return _("it has no plan")
    return ""


@transaction.atomic
def unpublish_products(actor: Actor, *, product_ids: Sequence[UUID]) -> int:
    """Take products off sale; running services go on. Returns how many were."""
    actor.require(Perm.CATALOG_MANAGE)
    rows = Product.objects.visible_to(actor).filter(public_id__in=product_ids, is_published=True).order_by("pk")
    done = list(rows.select_for_update(of=("self",)))
    Product.objects.filter(pk__in=[row.pk for row in done]).update(is_published=False)
    for row in done:
        audit.record(actor, "product.unpublished", row, before={"is_published": True}, after={"is_published": False})
    return len(done)


@transaction.atomic
def update_product(actor: Actor, *, product: Product, values: Mapping[str, Any]) -> Product:
    """Change what staff may change: name, texts, category, flags. A definition run keeps all but the name."""
    actor.require(Perm.CATALOG_MANAGE)
    row = Product.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=product.pk).first()
    if row is None:
        raise NotVisible("product_missing", _("This product does not exist."))
    before = {name: getattr(row, name) for name in EDITABLE}
    for name in EDITABLE:
        if name in values:
            setattr(row, name, values[name])
    row.save(update_fields=[*EDITABLE, "updated_at"])
    Product.objects.filter(pk=row.pk).update(search=Product.search_vector())
    audit.record(actor, "product.updated", row, before=before, after={name: getattr(row, name) for name in EDITABLE})
    return row


@transaction.atomic
def save_category(actor: Actor, *, category: Category | None, values: Mapping[str, Any]) -> Category:
    """Create or change a shelf of the storefront."""
    actor.require(Perm.CATALOG_MANAGE)
    row = category or Category(organization_id=actor.tenant_id)
    row.name = values["name"]
    row.description = values.get("description", "")
    row.position = values.get("position") or 0
    row.slug = slugify(row.name)[:60] or "category"
    same = Category.objects.filter(organization_id=actor.tenant_id, slug=row.slug).exclude(pk=row.pk)
    if same.exists():
        raise BusinessError("category_taken", _("A category with this name exists. Choose another name."), field="name")
    row.save()
    audit.record(actor, "category.saved", row, after={"name": row.name, "position": row.position})
    return row
