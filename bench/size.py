"""How much is loaded and how long each round lasts, as ``BENCH_ROWS`` and ``BENCH_QUICK`` ask."""

import os
from dataclasses import dataclass

SEED = 20260115


@dataclass(frozen=True)
class Scale:
    """The size of one organization: rows of each kind."""

    subscriptions: int
    accounts: int
    resellers: int
    products: int
    audit: int


@dataclass(frozen=True)
class Plan:
    """A run: the organizations' sizes, and how long and how often each figure is measured."""

    name: str
    main: Scale
    small: Scale
    wide: Scale
    buyers: int
    customers: int
    rounds: int
    seconds: float
    provisioned: int
    orders: int
    sheet: int
    workers: tuple[int, ...]
    esd_products: int
    esd_orders: int
    esd_licences: int


def chosen() -> Plan:
    """The run that the environment asks for."""
    rows = os.environ.get("BENCH_ROWS", "100k").lower()
    if rows not in ("100k", "1m"):
        raise SystemExit("BENCH_ROWS is 100k or 1m.")
    small = Scale(subscriptions=1_000, accounts=200, resellers=5, products=300, audit=1_000)
    if os.environ.get("BENCH_QUICK"):
        return Plan(
            name="quick",
            main=Scale(5_000, 1_000, 20, 300, 5_000),
            small=small,
            wide=Scale(0, 10, 1, 5_000, 0),
            buyers=120,
            customers=5,
            rounds=2,
            seconds=0.2,
            provisioned=10,
            orders=20,
            sheet=5_000,
            workers=(1, 2),
            esd_products=600,
            esd_orders=2,
            esd_licences=10,
        )
    main = (
        Scale(1_000_000, 200_000, 2_000, 300, 1_000_000) if rows == "1m" else Scale(100_000, 20_000, 200, 300, 100_000)
    )
    return Plan(
        name=rows,
        main=main,
        small=small,
        wide=Scale(0, 100, 5, 100_000, 0),
        buyers=2_000,
        customers=40,
        rounds=5,
        seconds=1.2,
        provisioned=200,
        orders=400,
        sheet=100_000,
        workers=(1, 2, 4),
        esd_products=20_000,
        esd_orders=20,
        esd_licences=50,
    )
