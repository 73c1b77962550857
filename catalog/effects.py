"""What a change of a reseller's rules or policy would do to his selling prices, before it is saved."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.db.models import QuerySet
from django.utils.translation import ngettext

from catalog.models import Plan, PriceList, Product, SellingKind
from catalog.selectors import PricedPlan, price_plans
from catalog.selling import Policy, Rule, SellingPrice, Warn, warnings_of
from catalog.shop import SellingBook
from core.tenancy import Actor
from resellers.models import Account

DRAFT = 0
# Of more plans all rules are read instead of those of these plans.
FEW = 500


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be tried: a rule (its id is :data:`DRAFT`), a rule taken away, another policy."""

    rule: Rule | None = None
    removed: tuple[int, ...] = ()
    policy: Policy | None = None


@dataclass(frozen=True, slots=True)
class EffectLine:
    """One plan before and after; ``warnings`` are about the price after."""

    plan: Plan
    cost: Decimal
    before: SellingPrice | None
    after: SellingPrice | None
    warnings: tuple[Warn, ...] = ()

    @property
    def is_changed(self) -> bool:
        """Whether the customer pays another price."""
        return (self.before.amount if self.before else None) != (self.after.amount if self.after else None)


@dataclass(frozen=True, slots=True)
class Effect:
    """The sum over many plans: how many rise, fall, begin, end or have warnings, and one of each kind."""

    plans: int
    up: int
    down: int
    new: int
    gone: int
    warned: int
    warnings: tuple[Warn, ...]


def catalogue_plans(actor: Actor, *, product: Product | None = None) -> QuerySet[Plan]:
    """The plans a reseller could sell, add-ons included, with their products: all, or those of one product."""
    rows = Plan.objects.filter(organization_id=actor.tenant_id, is_offered=True)
    rows = rows.filter(product__is_published=True, product__discontinued_at=None)
    rows = rows.filter(product=product) if product is not None else rows
    return rows.select_related("product").defer("product__search", "product__description")


def effect_lines(
    reseller: Account,
    plans: QuerySet[Plan],
    change: Change,
    *,
    price_list: PriceList,
    customer: Account | None = None,
) -> list[EffectLine]:
    """Each plan (read with its product) that has a purchase price, before and after, for ``customer``.

    Four statements whatever their number.
    """
    priced = price_plans(plans, price_list)
    wanted = [item.plan for item in priced] if len(priced) <= FEW else None
    book = SellingBook.load(reseller, wanted, price_list=price_list, customer=customer)
    then = replace(book, rules=book.rules.changed(change.rule, change.removed), policy=change.policy or book.policy)
    return [_line(item, book, then) for item in priced]


def _line(item: PricedPlan, book: SellingBook, then: SellingBook) -> EffectLine:
    cost = item.price.amount
    before, after = book.price(item.plan, cost), then.price(item.plan, cost)
    typed = before.amount if before and before.rule.kind == SellingKind.FIXED else None
    warnings = tuple(warnings_of(after, then.policy, before=typed)) if after else ()
    return EffectLine(item.plan, cost, before, after, warnings)


def decided(lines: Iterable[EffectLine]) -> list[EffectLine]:
    """The lines whose price the tried rule makes."""
    return [line for line in lines if line.after is not None and line.after.rule.id == DRAFT]


def summed(lines: Sequence[EffectLine]) -> Effect:
    """The sum of lines; of the warnings of one kind the strongest is said, with the number of prices it is about."""
    count: Counter[str] = Counter()
    worst: dict[str, Warn] = {}
    many: Counter[str] = Counter()
    for line in lines:
        count[_direction(line)] += 1
        for warn in line.warnings:
            many[warn.code] += 1
            known = worst.get(warn.code)
            if known is None or _strength(warn) > _strength(known):
                worst[warn.code] = warn
    warnings = tuple(_counted(warn, many[code]) for code, warn in worst.items())
    warned = sum(1 for line in lines if line.warnings)
    return Effect(len(lines), count["up"], count["down"], count["new"], count["gone"], warned, warnings)


def _direction(line: EffectLine) -> str:
    if line.before is None or line.after is None:
        return "new" if line.after else "gone" if line.before else ""
    if line.after.amount == line.before.amount:
        return ""
    return "up" if line.after.amount > line.before.amount else "down"


def _strength(warn: Warn) -> Decimal:
    """How bad it is; of margins the smallest is the worst."""
    value = warn.percent or Decimal(0)
    return -value if warn.code == "under_floor" else abs(value)


def _counted(warn: Warn, number: int) -> Warn:
    if number == 1:
        return warn
    words = ngettext("%(n)s price, the worst: %(words)s", "%(n)s prices, the worst: %(words)s", number)
    return replace(warn, message=words % {"n": number, "words": warn.message})
