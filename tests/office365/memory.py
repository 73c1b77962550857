"""A platform in memory for the connector's tests: context, steps, secrets and budget, with a switch that kills."""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from provisioning.ports import Cancelled

NOW = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
SETTINGS: dict[str, Any] = {
    "environment": "primary",
    "cloud": "global",
    "partner_type": "indirect",
    "partner_tenant": "11111111-1111-4111-8111-111111111111",
    "application_id": "22222222-2222-4222-8222-222222222222",
    "application_key": "key",
    "api_url": "https://pc.example/partner-center",
    "login_url": "https://pc.example/login",
    "sales_url": "https://pc.example/partner-center/sales/v1.0",
    "markets": ["US"],
    "currencies": ["USD"],
    "segments": ["commercial"],
    "families": ["microsoft_365", "dynamics", "azure_plan", "perpetual_software"],
    "language": "en-US",
}


class Killed(BaseException):
    """The worker is gone at this very point."""


@dataclass
class Killer:
    """Counts the points at which a worker may die and kills at the chosen one."""

    at: int = -1
    passed: int = 0

    def point(self) -> None:
        """A point at which a worker may die."""
        number, self.passed = self.passed, self.passed + 1
        if number == self.at:
            raise Killed


@dataclass
class MemorySteps:
    """Steps as the database keeps them: JSON, committed at once."""

    killer: Killer
    values: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> dict[str, Any] | None:
        """What was noted, as a copy."""
        found: dict[str, Any] | None = json.loads(self.values.get(name, "null"))
        return found

    def put(self, name: str, value: Mapping[str, Any]) -> None:
        """Note it; a kill can come right before and right after."""
        self.killer.point()
        self.values[name] = json.dumps(dict(value))
        self.killer.point()


@dataclass
class MemorySecrets:
    """Rotating secrets."""

    values: dict[str, str] = field(default_factory=dict)
    swaps: int = 0

    def get(self, name: str) -> str:
        """The secret or nothing."""
        return self.values.get(name, "")

    def put(self, name: str, value: str) -> None:
        """Store it."""
        self.values[name] = value

    def swap(self, name: str, exchange: Callable[[str], str]) -> str:
        """Exchange it."""
        self.swaps += 1
        self.values[name] = exchange(self.get(name))
        return self.values[name]


@dataclass
class MemoryBudget:
    """A budget that lets everything pass and remembers pauses."""

    pauses: list[tuple[str, dt.timedelta]] = field(default_factory=list)
    taken: list[tuple[str, str]] = field(default_factory=list)

    @contextmanager
    def acquire(self, family: str, customer: str = "") -> Iterator[None]:
        """A place, always."""
        self.taken.append((family, customer))
        yield

    def pause(self, family: str, delay: dt.timedelta) -> None:
        """Remember the pause."""
        self.pauses.append((family, delay))


class MemoryContext:
    """A context of one operation; ``later()`` moves its clock, ``reborn()`` is the next worker's."""

    def __init__(self, settings: Mapping[str, Any] | None = None, operation_id: uuid.UUID | None = None) -> None:
        self.operation_id = operation_id or uuid.uuid4()
        self.instance_id = str(uuid.uuid4())
        self.settings: Mapping[str, Any] = {**SETTINGS, **(settings or {})}
        self.language = "en"
        self.definition_marker = ""
        self.killer = Killer()
        # Typed loosely, since the port's attributes are protocols and tests look behind them.
        self.steps: Any = MemorySteps(self.killer)
        self.secrets: Any = MemorySecrets({"refresh_token": "rt-1"})
        self.budget: Any = MemoryBudget()
        self.clock = NOW
        self.logs: list[str] = []

    def certificate(self) -> None:
        """Partner Center's instances keep theirs among the settings."""

    def now(self) -> dt.datetime:
        """The business clock."""
        return self.clock

    def later(self, **span: float) -> None:
        """Move the clock forward."""
        self.clock += dt.timedelta(**span)

    def log(self, message: str, **details: object) -> None:
        """Keep the line."""
        self.logs.append(message)


@dataclass
class MemoryProgress:
    """Progress that cancels after so many reports, if asked to."""

    cancel_after: int = -1
    reports: list[tuple[int, int, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def report(self, done: int, total: int, text: str = "") -> None:
        """Remember, or cancel."""
        if len(self.reports) == self.cancel_after:
            raise Cancelled
        self.reports.append((done, total, text))

    def log(self, text: str) -> None:
        """Remember."""
        self.lines.append(text)
