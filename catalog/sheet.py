"""A reseller's catalogue as a table that he works on elsewhere: its columns, and how a price rule is written in a cell.

The heads and words are the same in every language, so that a file goes back in whoever took it out. A rule is written
``margin 20 %``, ``mark-up 25 %``, ``mark-up 3.00 EUR`` or ``fixed 12.50 EUR``; a fixed price of a product with several
plans names its plan by term and cycle (``fixed 12.50 EUR P1Y/monthly``). Several rules are divided by semicolons.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from catalog.models import Plan, SellingKind, SellingRule
from core import clock
from core.errors import BusinessError
from resellers.models import Account

CODE, LISTED, NAME, CATEGORY, ORDER, RULE, PRODUCT_ID = COLUMNS = (
    "product code",
    "listed",
    "name",
    "category",
    "order",
    "price rule",
    "product id",
)
# For whoever reads the table; an import takes nothing from it.
USUAL_NAME = "distributor's name"
CENT = Decimal("0.01")
YES = frozenset({"yes", "true", "1", "x"})
NO = frozenset({"no", "false", "0"})
_RULE = re.compile(
    r"(?P<kind>margin|mark-?up|fixed)\s+(?P<value>\d{1,8}(?:[.,]\d{1,4})?)"
    r"(?:\s*(?P<unit>%|[a-z]{3}))?(?:\s+(?P<plan>[a-z0-9_]+(?:/[a-z_]+)?))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """A rule as it stands in a cell; ``plan`` is term and cycle of a fixed price, empty if it was not named."""

    kind: str
    value: Decimal
    plan: str = ""


def plan_code(plan: Plan) -> str:
    """Term and cycle of a plan, such as ``P1Y/monthly``; the cycle alone without a term."""
    return f"{plan.term}/{plan.billing_cycle}" if plan.term else plan.billing_cycle


def write_rules(rules: Iterable[SellingRule]) -> str:
    """A product's rules as one cell; a plan's fixed prices first, in the order of the plans."""
    ordered = sorted(rules, key=lambda row: (row.plan is None, plan_code(row.plan) if row.plan else ""))
    return "; ".join(_written(row) for row in ordered)


def _written(row: SellingRule) -> str:
    value, cents = f"{row.value.normalize():f}", row.value.quantize(CENT)
    if row.currency and cents == row.value:
        value = f"{cents:f}"
    if row.kind == SellingKind.FIXED:
        return f"fixed {value} {row.currency} {plan_code(row.plan)}" if row.plan else ""
    if row.kind == SellingKind.AMOUNT:
        return f"mark-up {value} {row.currency}"
    return f"{'margin' if row.kind == SellingKind.MARGIN else 'mark-up'} {value} %"


def read_rules(text: str, currency: str) -> list[WrittenRule]:
    """The rules of a cell; amounts are in ``currency``. Raises BusinessError ``rule_unreadable``, ``rule_currency``."""
    return [_read(part.strip(), currency) for part in text.split(";") if part.strip()]


def _read(text: str, currency: str) -> WrittenRule:
    found = _RULE.fullmatch(text)
    if found is None:
        words = _(
            "“%(text)s” is no price rule. Write for example: margin 20 %%, mark-up 25 %%, mark-up 3.00 %(currency)s."
        )
        raise BusinessError("rule_unreadable", words % {"text": text, "currency": currency})
    word, unit = found["kind"].lower().replace("-", ""), (found["unit"] or "").upper()
    value = Decimal(found["value"].replace(",", "."))
    kind = {"margin": SellingKind.MARGIN, "fixed": SellingKind.FIXED}.get(word, SellingKind.MARKUP)
    if kind == SellingKind.MARKUP and not unit:
        raise BusinessError(
            "rule_unreadable", _("Write %% or the currency behind the mark-up: %(text)s.") % {"text": text}
        )
    if kind == SellingKind.MARKUP and unit != "%":
        kind = SellingKind.AMOUNT
    is_amount = kind in (SellingKind.AMOUNT, SellingKind.FIXED)
    if (unit and (unit == "%") == is_amount) or (is_amount and unit not in ("", currency)):
        words = _("“%(text)s”: amounts are in %(currency)s, a margin is in %%.") % {"text": text, "currency": currency}
        raise BusinessError("rule_currency", words)
    if found["plan"] and kind != SellingKind.FIXED:
        raise BusinessError("rule_unreadable", _("Only a fixed price is of one plan: %(text)s.") % {"text": text})
    return WrittenRule(kind.value, value, (found["plan"] or "").lower())


def own_rules(reseller: Account, products: Collection[int] | None = None) -> dict[int, list[SellingRule]]:
    """The rules in effect that are of one product or its plans and for all customers, by product; one statement.

    Of one scope the rule that came into effect last is the one. None: of every product.
    """
    rows = SellingRule.objects.filter(account=reseller, customer=None, category=None).select_related("plan", "product")
    rows = rows.filter(valid_from__lte=clock.now().date()).exclude(product=None, plan=None)
    if products is not None:
        rows = rows.filter(product__in=products) | rows.filter(plan__product__in=products)
    scopes = {(row.product_id, row.plan_id): row for row in rows.order_by("valid_from", "id")}
    found: dict[int, list[SellingRule]] = defaultdict(list)
    for row in scopes.values():
        key = row.plan.product_id if row.plan else row.product_id
        if key is not None:
            found[key].append(row)
    return found
