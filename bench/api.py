"""The API figures: calls of a distributor's and of a small reseller's program, in turns with their floors."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench import json_floor
from bench.client import Series, Target, body_of, compared, fetch, interleaved, ratio, target
from bench.dataset import Market, operator
from bench.size import Plan
from clients.services.clients import create_client
from clients.services.tokens import token_by_credentials
from core import server_side
from resellers.models import Account
from subscriptions.models import Subscription

LIST = "/api/subscriptions?pageSize=100"
DEEP = 0.9  # Of the list.
DEEPEST_ROW = 100_000  # Pages by number end there.
INCLUDES = "addons,characteristics"
INCLUDES_OF_DISTRIBUTOR = f"{INCLUDES},pricingInfo,synchronizationInfo"  # Closed to resellers by default.
SESSION = re.compile(r'^SELECT .* FROM "(clients_|resellers_site|core_clockshift)')


@dataclass(frozen=True)
class Program:
    """Who calls: a distributor's program sees everything, a small reseller's a few hundred rows."""

    name: str
    market: Market
    token: str
    account: Account | None


@dataclass(frozen=True)
class Call:
    """One call; ``aim`` are its ratios to the two floors, as far as ``performance.md`` names any."""

    name: str
    address: Callable[[Program], str]
    aim_bare: float | None = None
    aim_token: float | None = None


def _rows(program: Program) -> Any:
    rows = Subscription.objects.filter(organization=program.market.organization)
    return rows if program.account is None else rows.filter(bill_to=program.account)


def _plain(address: str) -> Callable[[Program], str]:
    return lambda _program: address


def _including(program: Program) -> str:
    return f"{LIST}&include={INCLUDES_OF_DISTRIBUTOR if program.account is None else INCLUDES}"


def _deep_page(program: Program) -> str:
    row = min(int(_rows(program).count() * DEEP), DEEPEST_ROW - 100)
    return f"{LIST}&pageIndex={row // 100 + 1}"


def _deep_cursor(program: Program) -> str:
    """The page after the deepest one that has a number, reached as a caller reaches it."""
    answer = call(program, _deep_page(program)).json()
    return f"{LIST}&cursor={quote(answer['paging']['nextCursor'] or '')}"


def _detail(program: Program) -> str:
    rows = _rows(program).filter(status="active").order_by("pk")
    return f"/api/subscriptions/{rows[rows.count() // 2].public_id}"


def _named(program: Program) -> str:
    name = _rows(program).order_by("pk").values_list("name", flat=True)[0]
    wanted = f"contains(name,'{name.split()[-1][:6]}')"
    return f"{LIST}&$filter={quote(wanted)}"


CALLS = (
    Call("list of 100", _plain(LIST), 0.5, 0.8),
    Call("list of 100 without totals", _plain(f"{LIST}&count=false")),
    Call("list of 100 with every include", _including),
    Call("one subscription", _detail, 0.3),
    Call("page at 90 % depth by number", _deep_page),
    Call("page at 90 % depth by cursor", _deep_cursor),
    Call("filter on a part of the name", _named),
)


def programs(market: Market, *, with_reseller: bool) -> list[Program]:
    """A program of the organization, and one of its reseller with the fewest subscriptions above a hundred."""
    found = [_program(market, None)]
    if with_reseller:
        rows = Account.objects.filter(organization=market.organization, kind="reseller").order_by("pk")
        counted = [(Subscription.objects.filter(bill_to=row).count(), row) for row in rows[:40]]
        found.append(_program(market, min((pair for pair in counted if pair[0] > 120), key=lambda pair: pair[0])[1]))
    return found


def _program(market: Market, account: Account | None) -> Program:
    client, secret = create_client(operator(market.organization), account=account, name="Measurements")
    issued = token_by_credentials(market.organization.pk, key=client.key, secret=secret)
    who = "reseller" if account is not None else "distributor"
    return Program(f"{market.key}, {who}", market, issued.token, account)


def call(program: Program, address: str) -> Any:
    """The call in this process."""
    headers = {"Authorization": f"Bearer {program.token}", "X-Api-Version": "3.0"}
    answer = Client(HTTP_HOST=program.market.site.host).get(address, headers=headers)
    if answer.status_code != 200:
        raise RuntimeError(f"{program.name}: {address} answered {answer.status_code}: {answer.content[:300]!r}")
    return answer


def statements(program: Program, address: str) -> list[str]:
    """The statements of the second time, as they would be without being kept by the server."""
    for _warm in range(2):
        with server_side.switched_off(), CaptureQueriesContext(connection) as captured:
            call(program, address)
    return [str(query["sql"]) for query in captured.captured_queries]


@dataclass(frozen=True)
class Measured:
    """A call of a program with its floors, as targets."""

    call: Call
    program: Program
    product: Target
    bare: Target
    signed: Target
    statements: int


def prepare(program: Program, wanted: Call, base: str) -> Measured:
    """Count the call's statements, and keep those that read its rows for the floors."""
    address = wanted.address(program)
    said = statements(program, address)
    key = re.sub(r"[^a-z0-9]+", "-", f"api {program.name} {wanted.name}".lower()).strip("-")
    json_floor.build(key, [sql for sql in said if sql.startswith("SELECT") and not SESSION.match(sql)])
    host = program.market.site.host
    name = f"{program.name}: {wanted.name}"
    product = target(name, base, address.replace(" ", "%20"), host=host, token=program.token)
    bare = target(f"{name} (raw SQL)", base, f"{json_floor.PREFIX}{key}/", host=host, token=program.token)
    path = f"/_token/{key}/{program.market.organization.pk}/"
    signed = target(f"{name} (plain Django)", base, path, host=host, token=program.token)
    return Measured(wanted, program, product, bare, signed, len(said))


def measure(markets: dict[str, Market], base: str, plan: Plan) -> dict[str, Any]:
    """Every call as the distributor and a small reseller of ``main``, and as the distributor of ``small``."""
    callers = [*programs(markets["main"], with_reseller=True), *programs(markets["small"], with_reseller=False)]
    wanted = [prepare(program, item, base) for program in callers for item in CALLS]
    targets = [each for item in wanted for each in (item.product, item.bare, item.signed)]
    found = interleaved(targets, rounds=plan.rounds, seconds=plan.seconds)
    pairs = _pairs({item.product.name: item.product for item in wanted})
    return {
        "calls": {item.product.name: _row(item, found) for item in wanted},
        "compared": compared(pairs, rounds=2 * plan.rounds, seconds=plan.seconds),
    }


def _row(item: Measured, found: dict[str, Series]) -> dict[str, Any]:
    product, bare, signed = (found[each.name] for each in (item.product, item.bare, item.signed))
    return {
        "product": product.report(),
        "floor": bare.report(),
        "plain": signed.report(),
        "ratio_to_floor": ratio(product, bare),
        "ratio_to_plain": ratio(product, signed),
        "aims": [item.call.aim_bare, item.call.aim_token],
        "statements": item.statements,
        "bytes": {"product": len(body_of(fetch(item.product))), "floor": len(body_of(fetch(item.bare)))},
    }


def _pairs(wanted: Mapping[str, Target]) -> dict[str, tuple[Target, Target]]:
    """What shows how little the size and the depth matter."""
    first, uncounted = (wanted[f"main, distributor: {item.name}"] for item in CALLS[:2])
    few, few_uncounted = (wanted[f"small, distributor: {item.name}"] for item in CALLS[:2])
    return {
        "list: many rows against a thousand": (first, few),
        "list without totals: many rows against a thousand": (uncounted, few_uncounted),
        "deep page by cursor against the first": (wanted[f"main, distributor: {CALLS[5].name}"], first),
    }
