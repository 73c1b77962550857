"""Selling price rules without a database: the vectors of ``channel.md`` 4.3 to the cent, levels, warnings, rounding."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.selling import (
    Level,
    Policy,
    Rule,
    Rules,
    Ware,
    is_stale,
    price_from,
    round_price,
    warnings_of,
)

TEN = Decimal("10.00")
ROUNDINGS = ("minor", "0.05", "0.10", "0.50", "1.00", ".99", ".95")
AMOUNTS = st.decimals(min_value="0.01", max_value="100000", places=4, allow_nan=False)


def sell(rule: Rule, cost: Decimal = TEN, **policy: object) -> Decimal:
    """The price a rule makes of a cost in euros."""
    return price_from(rule, cost, "EUR", Policy(**policy)).amount  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "value", "rounding", "expected"),
    [
        ("markup", "25", "minor", "12.50"),
        ("margin", "20", "minor", "12.50"),
        ("margin", "30", "minor", "14.29"),
        ("margin", "30", "0.05", "14.30"),
        ("margin", "30", ".99", "14.99"),
        ("amount", "2.345", "minor", "12.35"),
        ("markup", "0", "minor", "10.00"),
        ("markup", "1000", "minor", "110.00"),
    ],
)
def test_vectors_of_the_reference(kind: str, value: str, rounding: str, expected: str) -> None:
    rule = Rule(1, kind, Decimal(value), currency="EUR" if kind == "amount" else "")
    assert sell(rule, rounding=rounding) == Decimal(expected)


@pytest.mark.parametrize(
    ("amount", "rounding", "way", "expected"),
    [
        ("14.29", "0.10", "up", "14.30"),
        ("14.29", "0.50", "up", "14.50"),
        ("14.29", "1.00", "up", "15.00"),
        ("14.29", "0.05", "nearest", "14.30"),
        ("14.22", "0.05", "nearest", "14.20"),
        ("14.225", "0.05", "nearest", "14.25"),
        ("14.29", ".95", "up", "14.95"),
        ("14.99", ".99", "up", "14.99"),
        ("14.9901", ".99", "up", "15.99"),
        ("14.29", ".99", "nearest", "13.99"),
        ("14.49", ".99", "nearest", "14.99"),
        ("0.30", ".99", "nearest", "0.99"),
        ("0.01", "1.00", "nearest", "1.00"),
        ("0", ".99", "up", "0.00"),
        ("15.00", "0.05", "up", "15.00"),
    ],
)
def test_rounding_reaches_the_next_step_or_ending(amount: str, rounding: str, way: str, expected: str) -> None:
    assert round_price(Decimal(amount), "EUR", rounding, way) == Decimal(expected)


def test_currencies_without_two_decimals_round_to_their_coin() -> None:
    assert round_price(Decimal("1234.5"), "JPY", ".99") == Decimal("1235")


def test_fixed_price_stands_as_typed() -> None:
    assert sell(Rule(1, "fixed", Decimal("13.37"), plan_id=1, currency="EUR"), rounding=".99") == Decimal("13.37")


@pytest.mark.parametrize(("keeps", "expected"), [("price", "12.50"), ("margin", "15.00")])
def test_fixed_price_keeps_price_or_margin_when_the_cost_changes(keeps: str, expected: str) -> None:
    rule = Rule(1, "fixed", Decimal("12.50"), plan_id=1, currency="EUR", cost_seen=Decimal("10.00"))
    assert sell(rule, Decimal("12.00"), fixed_keeps=keeps) == Decimal(expected)


def test_first_rule_found_wins_from_the_narrowest_level_to_the_widest() -> None:
    rules = [
        Rule(1, "markup", Decimal(1)),
        Rule(2, "markup", Decimal(2), category_id=7),
        Rule(3, "markup", Decimal(3), product_id=5),
        Rule(4, "markup", Decimal(4), customer_id=9),
        Rule(5, "markup", Decimal(5), customer_id=9, product_id=5),
    ]
    ware = Ware(plan_id=50, product_id=5, category_id=7)
    levels = [Level.DEFAULT, Level.CATEGORY, Level.PRODUCT, Level.CUSTOMER, Level.CUSTOMER_PRODUCT]
    for count, level in enumerate(levels, start=1):
        found = Rules(rules[:count]).find(ware, "EUR", customer_id=9)
        assert found is not None
        assert (found.id, found.level) == (count, level)
    other = Rules(rules).find(ware, "EUR", customer_id=8)
    assert other is not None
    assert other.id == 3


def test_a_plans_fixed_price_comes_before_its_products_percentage() -> None:
    rules = Rules(
        [Rule(1, "markup", Decimal(1), product_id=5), Rule(2, "fixed", Decimal(9), plan_id=50, currency="EUR")]
    )
    found = [rules.find(Ware(plan, 5), "EUR") for plan in (50, 51)]
    assert [row.id if row else None for row in found] == [2, 1]


def test_metered_wares_and_other_currencies_take_percentages_only() -> None:
    rules = Rules([Rule(1, "margin", Decimal(10)), Rule(2, "amount", Decimal(9), product_id=5, currency="EUR")])
    metered = rules.find(Ware(50, 5, is_metered=True), "EUR")
    dollars = rules.find(Ware(50, 5), "USD")
    assert [row.id if row else None for row in (metered, dollars)] == [1, 1]


def test_no_rule_no_price() -> None:
    assert Rules([Rule(1, "margin", Decimal(10), category_id=3)]).find(Ware(1, 1), "EUR") is None


def fixed(value: str) -> Rule:
    """A fixed price in euros."""
    return Rule(1, "fixed", Decimal(value), plan_id=1, currency="EUR")


@pytest.mark.parametrize(
    ("value", "floor", "before", "expected"),
    [
        ("9.00", "0", None, [("below_cost", Decimal("10.0"))]),
        ("0", "0", None, [("free", None)]),
        ("10.00", "0", None, []),
        ("10.50", "5", None, [("under_floor", Decimal("4.8"))]),
        ("10.53", "5", None, []),
        ("40.00", "0", None, []),
        ("40.01", "0", None, [("typing", Decimal("300.1"))]),
        ("30.00", "0", "20.00", []),
        ("30.01", "0", "20.00", [("typing", Decimal("50.1"))]),
        ("10.00", "0", "25.00", [("typing", Decimal("-60.0"))]),
    ],
)
def test_warnings_at_their_limits(
    value: str, floor: str, before: str | None, expected: list[tuple[str, Decimal | None]]
) -> None:
    policy = Policy(floor=Decimal(floor))
    price = price_from(fixed(value), TEN, "EUR", policy)
    found = warnings_of(price, policy, before=Decimal(before) if before else None)
    assert [(row.code, row.percent) for row in found] == expected


def test_below_cost_is_said_in_per_cent() -> None:
    found = warnings_of(price_from(fixed("9.00"), TEN, "EUR", Policy()), Policy())
    assert [row.message for row in found] == ["10 % below your purchase price."]


@pytest.mark.parametrize(("cost", "expected"), [("10.50", False), ("10.51", True), ("9.50", False), ("9.49", True)])
def test_fixed_price_is_stale_when_the_cost_moved_more_than_five_per_cent(cost: str, expected: bool) -> None:
    rule = Rule(1, "fixed", Decimal(12), plan_id=1, currency="EUR", cost_seen=TEN)
    assert is_stale(rule, Decimal(cost)) is expected


def test_trace_tells_cost_rule_and_rounding() -> None:
    price = price_from(Rule(1, "margin", Decimal(30)), TEN, "EUR", Policy(rounding=".99"))
    assert price.trace == (
        "Purchase price: 10.00 EUR per unit",
        "Rule for the whole shop: margin of 30 % = 14.29 EUR",
        "Rounded up (ending in .99): 14.99 EUR",
    )
    assert price.margin == Decimal("33.3")


@given(AMOUNTS, st.sampled_from(ROUNDINGS))
def test_rounding_up_never_falls_and_moves_less_than_one_step(amount: Decimal, rounding: str) -> None:
    found = round_price(amount, "EUR", rounding)
    if rounding != "minor":
        assert amount <= found < amount + 1 + Decimal("0.0001")
    assert found == found.quantize(Decimal("0.01"))
    assert round_price(found, "EUR", rounding) == found


@given(AMOUNTS, st.sampled_from(ROUNDINGS), st.sampled_from(("up", "nearest")))
def test_what_is_not_free_never_becomes_free(amount: Decimal, rounding: str, way: str) -> None:
    assert round_price(max(amount, Decimal("0.0050")), "EUR", rounding, way) > 0


@given(AMOUNTS, AMOUNTS, st.sampled_from(ROUNDINGS), st.sampled_from(("up", "nearest")))
def test_rounding_keeps_the_order_of_prices(one: Decimal, other: Decimal, rounding: str, way: str) -> None:
    low, high = sorted((one, other))
    assert round_price(low, "EUR", rounding, way) <= round_price(high, "EUR", rounding, way)


@given(
    st.sampled_from(("markup", "margin", "amount")),
    st.decimals(min_value=0, max_value=99, places=2, allow_nan=False),
    AMOUNTS,
    st.sampled_from(ROUNDINGS),
)
def test_percentages_and_amounts_rounded_up_are_never_below_cost(
    kind: str, value: Decimal, cost: Decimal, rounding: str
) -> None:
    price = price_from(Rule(1, kind, value, currency="EUR"), cost, "EUR", Policy(rounding=rounding))
    assert price.amount >= (round_price(cost, "EUR", "minor") if rounding == "minor" else cost)
