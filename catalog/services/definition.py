"""Applying a vendor's service definition and price sheet (``service-manager.md`` 6, ``office365.md`` 6).

The input is plain data in the shapes of ``provisioning.ports``; this module must not import them (it lies below), so it
declares what it needs as protocols.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any, Protocol

from django.db import models, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from catalog.models import AddOnRelation, Category, Cycle, Plan, PlanCost, Product, ProductType, UpgradeRelation
from core import clock
from core.bulk import upsert
from core.errors import BusinessError
from vendors.models import Instance

LOSS_LIMIT_PERCENT = 30
LOSS_LIMIT_FROM = 20
BATCH = 500


class PlanData(Protocol):
    """A term and a billing cycle."""

    @property
    def term(self) -> str:
        """How long it runs, as an ISO 8601 duration."""

    @property
    def billing_cycle(self) -> str:
        """How often it is billed."""


class ProductData(Protocol):
    """A product as the vendor describes it (``provisioning.ports.ProductDef``)."""

    @property
    def code(self) -> str:
        """Its code at the vendor."""

    @property
    def name(self) -> str:
        """What it is called on screen."""

    @property
    def description(self) -> str:
        """The vendor's text about it."""

    @property
    def charge_type(self) -> str:
        """Recurring, one-time or by usage."""

    @property
    def unit(self) -> str:
        """What one piece of it is called."""

    @property
    def category(self) -> str:
        """Where the catalogue files it."""

    @property
    def min_quantity(self) -> int:
        """The least that can be bought."""

    @property
    def max_quantity(self) -> int | None:
        """The most that can be bought; None if the vendor sets no limit."""

    @property
    def is_addon(self) -> bool:
        """Whether it needs a parent."""

    @property
    def is_trial(self) -> bool:
        """Whether it is a trial."""

    @property
    def qualification(self) -> str:
        """What an account must be to buy it; empty if anybody may."""

    @property
    def segment(self) -> str:
        """Commercial, education, government or charity."""

    @property
    def plans(self) -> Sequence[PlanData]:
        """The terms and billing cycles it comes with."""

    @property
    def upgrades(self) -> Sequence[str]:
        """Codes of the products it may be upgraded to."""

    @property
    def parents(self) -> Sequence[str]:
        """Codes of the products it can be added to."""

    @property
    def licence_sku_id(self) -> str:
        """The licence that is given to users; empty if none."""

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Whatever else the connector wants to find again."""

    @property
    def update_options(self) -> frozenset[str]:
        """What may be changed after purchase."""


class ProductTypeData(Protocol):
    """A product type with its products."""

    @property
    def id(self) -> str:
        """Its identifier at the vendor."""

    @property
    def name(self) -> str:
        """What it is called on screen."""

    @property
    def description(self) -> str:
        """The vendor's text about it."""

    @property
    def derivative(self) -> str:
        """Which of the vendor's programmes it belongs to."""

    @property
    def split_quantity(self) -> bool:
        """Whether each unit is provisioned by itself."""

    @property
    def perpetual(self) -> bool:
        """Whether the vendor gives no key with what is bought."""

    @property
    def account_sync(self) -> bool:
        """Whether the customer must be known at the vendor first."""

    @property
    def orderable(self) -> bool:
        """Whether the connector provisions what is ordered."""

    @property
    def products(self) -> Sequence[ProductData]:
        """The products of the type."""


class PriceData(Protocol):
    """The vendor's price of a plan."""

    @property
    def product_code(self) -> str:
        """The product's code at the vendor."""

    @property
    def term(self) -> str:
        """How long it runs, as an ISO 8601 duration."""

    @property
    def billing_cycle(self) -> str:
        """How often it is billed."""

    @property
    def currency(self) -> str:
        """Three letters (ISO 4217)."""

    @property
    def cost(self) -> Decimal:
        """What the distributor pays for a unit and cycle, before tax."""

    @property
    def retail(self) -> Decimal:
        """What the vendor suggests to charge for it, before tax."""


@dataclass
class Report:
    """What a run found: codes and names of new, changed and discontinued products, and what had to be skipped."""

    new: list[tuple[str, str]] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)
    discontinued: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The three figures that stand on the instance."""
        return {"new": len(self.new), "changed": len(self.changed), "discontinued": len(self.discontinued)}


def check_loss(instance: Instance, types: Sequence[ProductTypeData]) -> None:
    """Raise ``definition_shrunk`` if the answer would discontinue over 30 % of 20 or more products."""
    seen = {(data.id, product.code) for data in types for product in data.products}
    held = Product.objects.filter(product_type__instance=instance, discontinued_at=None)
    known = set(held.values_list("product_type__external_id", "code"))
    lost = len(known - seen)
    if len(known) >= LOSS_LIMIT_FROM and lost * 100 > len(known) * LOSS_LIMIT_PERCENT:
        raise BusinessError(
            "definition_shrunk",
            _("The vendor returned far fewer products: %(lost)s of %(known)s would be discontinued. Apply anyway?")
            % {"lost": lost, "known": len(known)},
            context={"lost": lost, "known": len(known)},
        )


def apply_definition(
    instance: Instance,
    types: Sequence[ProductTypeData],
    *,
    complete: bool = True,
    discontinued: Sequence[str] = (),
    marker: str = "",
    progress: Callable[[str], None] = lambda text: None,
) -> Report:
    """Create and update products so that they say what the vendor says; one transaction per product type.

    New products come unpublished and without a price. Missing ones become discontinued and unpublished, unless the
    answer is not ``complete``, and so do those whose codes are in ``discontinued``; running services are untouched.
    Nothing is ever deleted, and staff's texts, categories and price lists survive. A second run on the same answer
    writes nothing. ``marker`` is kept for the next run.
    """
    report = Report()
    for data in types:
        progress(data.name)
        with transaction.atomic():
            product_type = _product_type(instance, data)
            _TypeRun(instance, product_type, data, report, complete=complete).apply()
    sold = Product.objects.filter(product_type__instance=instance, discontinued_at=None)
    with transaction.atomic():
        _discontinue(sold.filter(code__in=discontinued), report)
        if complete:
            _discontinue(sold.exclude(product_type__external_id__in={data.id for data in types}), report)
            _relate(instance, types)
    Instance.objects.filter(pk=instance.pk).update(
        last_definition_at=clock.now(), last_definition_counts=report.counts(), definition_marker=marker
    )
    return report


def _product_type(instance: Instance, data: ProductTypeData) -> ProductType:
    facts = {
        "derivative": data.derivative,
        "split_quantity": data.split_quantity,
        "is_perpetual": data.perpetual,
        "requires_account": data.account_sync,
        "is_orderable": data.orderable,
    }
    found = ProductType.objects.filter(instance=instance, external_id=data.id).first()
    if found:
        if any(getattr(found, name) != value for name, value in facts.items()):
            ProductType.objects.filter(pk=found.pk).update(**facts)
        return found
    name = data.name
    same = ProductType.objects.filter(organization_id=instance.organization_id, name=name).exclude(instance=instance)
    if same.exists():
        name = f"{name} - {instance.system_name}"
    return ProductType.objects.create(
        organization_id=instance.organization_id,
        instance=instance,
        external_id=data.id,
        name=name[:150],
        description=data.description,
        **facts,
    )


class _TypeRun:
    """One product type's share of a run, inside one transaction."""

    def __init__(
        self,
        instance: Instance,
        product_type: ProductType,
        data: ProductTypeData,
        report: Report,
        *,
        complete: bool,
    ) -> None:
        self.complete = complete
        self.organization_id = instance.organization_id
        self.product_type = product_type
        self.data = data
        self.report = report
        self.categories = {row.slug: row for row in Category.objects.filter(organization_id=self.organization_id)}

    def apply(self) -> None:
        seen = self._seen()
        products = iter(seen.items())
        while part := dict(islice(products, BATCH)):
            self._apply(part)
        if self.complete:
            _discontinue(self.product_type.products.filter(discontinued_at=None).exclude(code__in=seen), self.report)

    def _seen(self) -> dict[str, ProductData]:
        """The products by code, without those that cannot be kept."""
        seen: dict[str, ProductData] = {}
        for product in self.data.products:
            if not product.code or not product.name or product.code in seen:
                self.report.problems.append(
                    _("Skipped a product without code or name, or sent twice: %s") % product.code
                )
                continue
            seen[product.code] = product
        return seen

    def _apply(self, seen: Mapping[str, ProductData]) -> None:
        """A batch of products, so that the rows of a large catalogue are never held all at once."""
        held = self.product_type.products.filter(code__in=seen).defer("search", "summary", "description")
        known = {row.code: row for row in held}
        fresh = [self._new(product) for code, product in seen.items() if code not in known]
        Product.objects.bulk_create(fresh, batch_size=BATCH)
        self.report.new += [(row.code, row.name) for row in fresh]
        changed = [
            known[code] for code, product in seen.items() if code in known and self._update(known[code], product)
        ]
        Product.objects.bulk_update(changed, _UPDATED, batch_size=BATCH)
        rows = {row.code: row for row in fresh} | known
        touched = self._plans({code: rows[code] for code in seen}, seen)
        touched |= {row.pk for row in changed}
        self.report.changed += [(row.code, row.name) for row in rows.values() if row.pk in touched]
        ids = [row.pk for row in fresh + changed]
        Product.objects.filter(pk__in=ids).update(search=Product.search_vector())

    def _category(self, name: str) -> Category | None:
        if not name:
            return None
        slug = slugify(name)[:60]
        if slug not in self.categories:
            self.categories[slug] = Category.objects.create(
                organization_id=self.organization_id, name=name[:100], slug=slug, position=len(self.categories)
            )
        return self.categories[slug]

    def _new(self, data: ProductData) -> Product:
        row = Product(
            organization_id=self.organization_id,
            product_type=self.product_type,
            code=data.code,
            name=data.name[:255],
            vendor_name=data.name[:255],
            summary=data.description.split("\n")[0][:255],
            description=data.description,
            category=self._category(data.category),
        )
        _facts(row, data)
        return row

    def _update(self, row: Product, data: ProductData) -> bool:
        before = {name: getattr(row, name) for name in _UPDATED}
        _facts(row, data)
        row.vendor_name = data.name[:255]
        if "name" in data.update_options:
            row.name = data.name[:255]
        if row.discontinued_at is not None:
            row.discontinued_at = None
            row.is_published = False
        return before != {name: getattr(row, name) for name in _UPDATED}

    def _plans(self, rows: Mapping[str, Product], seen: Mapping[str, ProductData]) -> set[int]:
        ids = {row.pk for row in rows.values()}
        known = {
            (plan.product_id, plan.term, plan.billing_cycle): plan for plan in Plan.objects.filter(product_id__in=ids)
        }
        wanted = {
            (rows[code].pk, plan.term, plan.billing_cycle)
            for code, data in seen.items()
            for plan in data.plans
            if plan.billing_cycle in Cycle.values
        }
        fresh = [
            Plan(organization_id=self.organization_id, product_id=pk, term=term, billing_cycle=cycle)
            for pk, term, cycle in sorted(wanted - known.keys())
        ]
        Plan.objects.bulk_create(fresh, batch_size=BATCH)
        back = [plan.pk for key, plan in known.items() if key in wanted and plan.withdrawn_at is not None]
        gone = [plan.pk for key, plan in known.items() if key not in wanted and plan.withdrawn_at is None]
        Plan.objects.filter(pk__in=back).update(is_offered=True, withdrawn_at=None)
        Plan.objects.filter(pk__in=gone).update(is_offered=False, withdrawn_at=clock.now())
        old = {key[0] for key in known}
        moved = {plan.product_id for plan in fresh if plan.product_id in old}
        return moved | {plan.product_id for plan in known.values() if plan.pk in {*back, *gone}}


_UPDATED = (
    "name",
    "vendor_name",
    "family",
    "charge_type",
    "unit",
    "min_quantity",
    "max_quantity",
    "is_addon",
    "is_trial",
    "qualification",
    "segment",
    "licence_sku_id",
    "attributes",
    "is_published",
    "discontinued_at",
)


def _facts(row: Product, data: ProductData) -> None:
    """What only the vendor decides: limits, kind, qualification. A wrong limit here would be refused there."""
    row.family = data.category[:60]
    row.charge_type = data.charge_type
    row.unit = data.unit[:60]
    row.min_quantity = max(1, data.min_quantity)
    row.max_quantity = data.max_quantity if data.max_quantity and data.max_quantity >= row.min_quantity else None
    row.is_addon = data.is_addon
    row.is_trial = data.is_trial
    row.qualification = data.qualification
    row.segment = data.segment
    row.licence_sku_id = data.licence_sku_id
    row.attributes = dict(data.attributes)


def _discontinue(rows: models.QuerySet[Product], report: Report) -> None:
    gone = list(rows.values_list("pk", "code", "name"))
    Product.objects.filter(pk__in=[pk for pk, _code, _name in gone]).update(
        discontinued_at=clock.now(), is_published=False
    )
    report.discontinued += [(code, name) for _pk, code, name in gone]


@transaction.atomic
def _relate(instance: Instance, types: Sequence[ProductTypeData]) -> None:
    """Make the relations of this instance's products what the vendor says: add-ons, and upgrades."""
    ids = dict(Product.objects.filter(product_type__instance=instance).values_list("code", "pk"))
    products = [product for data in types for product in data.products if product.code in ids]
    addons = {(ids[parent], ids[row.code]) for row in products for parent in row.parents if parent in ids}
    upgrades = {(ids[row.code], ids[code]) for row in products for code in row.upgrades if code in ids}
    _replace(AddOnRelation, ("parent_id", "addon_id"), instance, addons)
    _replace(UpgradeRelation, ("source_id", "target_id"), instance, upgrades)


def _replace(
    model: type[AddOnRelation] | type[UpgradeRelation],
    names: tuple[str, str],
    instance: Instance,
    wanted: set[tuple[int, int]],
) -> None:
    """Add the pairs that are missing and remove those that are gone."""
    near, far = names
    rows: Any = model.objects.filter(**{f"{far.removesuffix('_id')}__product_type__instance": instance})
    known = {(getattr(row, near), getattr(row, far)): row.pk for row in rows}
    model.objects.filter(pk__in=[pk for key, pk in known.items() if key not in wanted]).delete()
    fresh: list[Any] = [
        model(organization_id=instance.organization_id, **{near: first, far: second})
        for first, second in sorted(wanted - known.keys())
    ]
    model.objects.bulk_create(fresh, batch_size=BATCH)


def apply_price_sheet(instance: Instance, rows: Iterable[PriceData], *, source: str) -> dict[str, int]:
    """Store the vendor's prices of known plans; returns how many were ``written`` and how many ``unknown``.

    Unchanged prices are not written. One price stands per plan and currency; the last row of a sheet wins.
    """
    plans = {
        (code, term, cycle): pk
        for pk, code, term, cycle in Plan.objects.filter(product__product_type__instance=instance).values_list(
            "pk", "product__code", "term", "billing_cycle"
        )
    }
    wanted: dict[tuple[int, str], tuple[Decimal, Decimal]] = {}
    unknown = 0
    for row in rows:
        plan_id = plans.get((row.product_code, row.term, row.billing_cycle))
        if plan_id is None:
            unknown += 1
        else:
            wanted[plan_id, row.currency] = (row.cost, row.retail)
    held = PlanCost.objects.filter(plan__product__product_type__instance=instance)
    # One after the other: the prices of a large catalogue are not held a second time.
    for plan_id, currency, *amounts in held.values_list("plan_id", "currency", "cost", "retail").iterator():
        if wanted.get((plan_id, currency)) == tuple(amounts):
            del wanted[plan_id, currency]
    fresh = (
        (instance.organization_id, plan_id, currency, *amounts, source[:60])
        for (plan_id, currency), amounts in wanted.items()
    )
    written = upsert(
        PlanCost,
        fresh,
        fields=("organization", "plan", "currency", "cost", "retail", "source"),
        key=("plan", "currency"),
        update=("cost", "retail", "source"),
    )
    return {"written": written, "unknown": unknown}
