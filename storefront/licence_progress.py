"""How far the licences of an order are: each on its own, those of one product together (``esd.md`` 6)."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.models import Cycle
from core import money
from core.tenancy import Actor
from orders.enums import DeliveryStatus, OrderStatus
from orders.models import Order, OrderLine
from subscriptions.asset_selectors import asset_creations
from subscriptions.enums import OperationState
from subscriptions.models import Operation
from subscriptions.refusals import cleaned


@dataclass(frozen=True)
class LicenceLine:
    """One licence of an order: ``state`` is ``done``, ``now``, ``waiting`` or ``failed``."""

    line: OrderLine
    number: int
    words: str
    note: str
    state: str


@dataclass(frozen=True)
class LicenceGroup:
    """All licences of one product in an order, in their order."""

    product_name: str
    lines: tuple[LicenceLine, ...]

    @property
    def quantity(self) -> int:
        """How many licences were ordered."""
        return _many(self.lines)

    def count(self, state: str) -> int:
        """How many are in this state."""
        return _many(item for item in self.lines if item.state == state)

    @property
    def ready(self) -> int:
        """How many are ready."""
        return self.count("done")


def _many(lines: Iterable[LicenceLine]) -> int:
    """How many licences these lines are; a line of perpetual ones may hold several."""
    return sum(item.line.quantity for item in lines)


def is_licence(line: OrderLine) -> bool:
    """Whether a line buys something once and for ever."""
    return line.billing_cycle == Cycle.ONE_TIME


def licence_groups(actor: Actor, order: Order, lines: list[OrderLine]) -> tuple[LicenceGroup, ...]:
    """The licences of an order with their operations; one statement whatever their number."""
    if not lines:
        return ()
    operations = asset_creations(actor, [line.asset_id for line in lines if line.asset_id is not None])
    found: dict[int, list[LicenceLine]] = {}
    for line in lines:
        group = found.setdefault(line.plan.product_id, [])
        words, note, state = _told(order, line, operations.get(line.asset_id or 0))
        group.append(LicenceLine(line, len(group) + 1, words, note, state))
    return tuple(LicenceGroup(group[0].line.product_name, tuple(group)) for group in found.values())


def _told(order: Order, line: OrderLine, operation: Operation | None) -> tuple[str, str, str]:
    """What is said of one licence, a note, and its state."""
    match line.delivery_status:
        case DeliveryStatus.DELIVERED:
            return _("Ready"), "", "done"
        case DeliveryStatus.CANCELLED:
            return _("Given up"), _("Nothing is charged for it."), "failed"
        case DeliveryStatus.FAILED:
            reason = cleaned(operation.code) if operation is not None else ""
            return _("Refused"), reason or _("Being checked by the provider."), "failed"
    if order.status != OrderStatus.EXECUTED:
        return _("Waiting to be executed"), "", "waiting"
    if operation is not None and operation.state == OperationState.ATTENTION:
        return _("Being checked by the provider."), "", "waiting"
    if operation is not None and "out_of_stock" in (operation.flag, operation.code):
        return _("Waiting for Microsoft to release a licence."), "", "waiting"
    if operation is not None and operation.state == OperationState.WAITING and operation.attempts:
        return _("Not confirmed yet; we are checking."), "", "now"
    return _("Ordering at the vendor"), "", "now"


def licence_words(order: Order, groups: tuple[LicenceGroup, ...]) -> str:
    """The sentence above the licences of an executed order; empty if there are none."""
    if not groups or order.status != OrderStatus.EXECUTED:
        return ""
    lines = [item for group in groups for item in group.lines]
    ready = _many(item for item in lines if item.state == "done")
    refused = [item for item in lines if item.line.delivery_status == DeliveryStatus.FAILED]
    ended = _many(item for item in lines if item.line.delivery_status == DeliveryStatus.CANCELLED)
    bought, failed = _many(lines), _many(refused)
    checked = bought - ready - failed - ended
    figures = {"k": ready, "n": bought, "m": checked, "f": failed, "g": ended}
    words = ngettext("%(k)s of %(n)s licence is ready.", "%(k)s of %(n)s licences are ready.", bought) % figures
    more = []
    if checked:
        more.append(ngettext("%(m)s is still being checked", "%(m)s are still being checked", checked) % figures)
    if ended:
        more.append(ngettext("%(g)s was given up", "%(g)s were given up", ended) % figures)
    if refused:
        reason = {"reason": refused[0].note.rstrip(".")}
        said = ngettext("%(f)s was refused: %(reason)s", "%(f)s were refused: %(reason)s", failed)
        more.append(said % (figures | reason))
    return f"{words} {'; '.join(more)}." if more else words


@dataclass(frozen=True)
class Amount:
    """What one product of an order costs, before tax."""

    product_name: str
    quantity: int
    net: Decimal


def amounts_of(order: Order) -> list[Amount]:
    """The lines of an order as a bill shows them: the licences of one product at one price together."""
    found: dict[object, Amount] = {}
    for line in order.lines.all():
        key: object = (line.plan.product_id, line.unit_price) if is_licence(line) else line.pk
        known = found.get(key)
        quantity, net = (known.quantity, known.net) if known else (0, money.ZERO)
        found[key] = Amount(line.product_name, quantity + line.quantity, net + line.net)
    return list(found.values())
