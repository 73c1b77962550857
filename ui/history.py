"""The audit log as sentences: who did what when, and what changed from what to what, for staff and for customers.

What an actor may not read is left out here, in one place: fields and reasons for customers, cost for staff without the
right to it. The words are those of ``core/audit_words.py``.
"""

import ast
import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import TextChoices
from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from catalog.models import PriceRule
from core.audit import MASK, AuditEntry
from core.audit_words import (
    COST_FIELDS,
    MONEY_FIELDS,
    PUBLIC_FIELDS,
    PUBLIC_REASONS,
    SELLING_FIELDS,
    TECHNICAL_FIELDS,
    action_words,
    field_words,
)
from core.tenancy import Actor, ActorKind
from orders.enums import OrderStatus
from resellers.enums import AccountKind, AccountStatus, Edition, PaymentMethod, PurchaseMode, ViewingEnd
from subscriptions.enums import Execution, OperationState, RequestKind, SubscriptionStatus
from subscriptions.legs import reads_both, reads_selling_prices
from users.permissions import Perm, StaffRole, StorefrontRole
from vendors.models import ConsentState, InstanceState

MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")
NUMBER = re.compile(r"-?\d+\.\d+")
# The words of stored codes, by the object's kind and the field.
CODES: dict[tuple[str, str], tuple[type[TextChoices], ...]] = {
    ("catalog.pricelist", "default_rule"): (PriceRule,),
    ("catalog.pricelist", "rule"): (PriceRule,),
    ("orders.order", "mode"): (PurchaseMode,),
    ("orders.order", "status"): (OrderStatus,),
    ("resellers.account", "edition"): (Edition,),
    ("resellers.account", "kind"): (AccountKind,),
    ("resellers.account", "payment_method"): (PaymentMethod,),
    ("resellers.account", "status"): (AccountStatus,),
    ("resellers.membership", "roles"): (StorefrontRole, StaffRole),
    ("resellers.viewassession", "end"): (ViewingEnd,),
    ("subscriptions.cancellationrequest", "execution"): (Execution,),
    ("subscriptions.cancellationrequest", "kind"): (RequestKind,),
    ("subscriptions.operation", "state"): (OperationState,),
    ("subscriptions.subscription", "status"): (SubscriptionStatus,),
    ("vendors.instance", "consent"): (ConsentState,),
    ("vendors.instance", "state"): (InstanceState,),
}


@dataclass(frozen=True)
class Change:
    """One field: its name in words, and what it was and is in words (empty: not known)."""

    label: str
    before: str
    after: str

    @property
    def is_changed(self) -> bool:
        """Whether it is another now."""
        return self.before != self.after

    @property
    def text(self) -> str:
        """``Quantity 5 → 8``, or the one value there is."""
        if self.before and self.after:
            return f"{self.label} {self.before} → {self.after}"
        return f"{self.label} {self.after or self.before}"


@dataclass(frozen=True)
class Line:
    """One entry for people."""

    at: dt.datetime
    who: str
    words: str
    about: str
    changes: list[Change]
    reason: str

    @property
    def text(self) -> str:
        """What changed, in one line."""
        return "; ".join(change.text for change in self.changes)


def lines(entries: Iterable[AuditEntry], actor: Actor) -> list[Line]:
    """Entries as ``actor`` may read them; the selector has already left out what is not for him at all."""
    return [line(entry, actor) for entry in entries]


def line(entry: AuditEntry, actor: Actor) -> Line:
    """One entry as ``actor`` may read it."""
    return Line(
        at=entry.at,
        who=who(entry, actor),
        words=action_words(entry.action),
        about=entry.object_label,
        changes=changes(entry, actor),
        reason=reason(entry, actor),
    )


def who(entry: AuditEntry, actor: Actor) -> str:
    """Who did it. Customers read their own and their supplier's people by name, the staff as customer service."""
    if entry.actor_kind == ActorKind.ANONYMOUS:
        return _("A visitor")
    # An invitation is accepted before its user is signed in; his address stands there in place of a name.
    by_system = entry.actor_kind == ActorKind.SYSTEM and "@" not in entry.actor_label
    if actor.is_customer and by_system:
        return _("Automatically")
    if actor.is_customer and entry.actor_kind == ActorKind.STAFF:
        return _("Customer service")
    return entry.who or entry.actor_kind


def reason(entry: AuditEntry, actor: Actor) -> str:
    """Why, unless it is the staff's own note."""
    is_theirs = entry.actor_kind == ActorKind.CUSTOMER or entry.action in PUBLIC_REASONS
    return entry.reason if not actor.is_customer or is_theirs else ""


def changes(entry: AuditEntry, actor: Actor) -> list[Change]:
    """What a sentence tells: fields that changed or came; of an object that is gone, what it was."""
    names = list(entry.after) or list(entry.before)
    read = [name for name in names if may_read(name, actor) and name not in TECHNICAL_FIELDS]
    found = [_change(entry, name, _label(name, actor)) for name in read]
    return [item for item in found if item.is_changed and (item.before or item.after)]


def difference(entry: AuditEntry, actor: Actor) -> list[Change]:
    """Every field of an entry, before and after, for the audit log's detail; cost is masked for who may not see it."""
    names = dict.fromkeys([*entry.before, *entry.after])
    return [_change(entry, name) if may_read(name, actor) else Change(field_words(name), MASK, MASK) for name in names]


def may_read(name: str, actor: Actor) -> bool:
    """Whether a field is for this actor: customers read declared ones, cost is for those who have the right to it."""
    if actor.is_customer:
        return name in PUBLIC_FIELDS and (name not in MONEY_FIELDS | SELLING_FIELDS or _reads_amount(name, actor))
    return name not in SELLING_FIELDS and (name not in COST_FIELDS or actor.has(Perm.COST_VIEW))


def _reads_amount(name: str, actor: Actor) -> bool:
    """An end customer reads the customer's leg, his reseller both, everybody else what the payer pays."""
    if reads_selling_prices(actor) or name in SELLING_FIELDS:
        reads = name in SELLING_FIELDS and (reads_both(actor) or reads_selling_prices(actor))
        return reads and actor.has(Perm.SHOP_PRICES_VIEW)
    return actor.has(Perm.SHOP_PRICES_VIEW)


def _label(name: str, actor: Actor) -> str:
    """The field in words; an end customer's own total is simply the total."""
    is_own = name in SELLING_FIELDS and reads_selling_prices(actor)
    return field_words(name.removeprefix("sell_") if is_own else name)


def _change(entry: AuditEntry, name: str, label: str = "") -> Change:
    kind = entry.object_type
    before, after = (words_of(kind, name, values.get(name)) for values in (entry.before, entry.after))
    return Change(label or field_words(name), before, after)


def words_of(kind: str, name: str, value: Any) -> str:
    """A stored value for people: codes by their words, yes and no, moments, amounts, lists."""
    if value in (None, ""):
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, Mapping):
        return ", ".join(f"{field_words(key)}: {words_of(kind, key, item)}" for key, item in value.items())
    text = str(value)
    if text.startswith("[") and text.endswith("]"):
        return ", ".join(words_of(kind, name, item) for item in _items(text))
    for choices in CODES.get((kind, name), ()):
        if text in choices.values:
            return str(dict(choices.choices)[text])
    return _plain(name, text)


def _plain(name: str, text: str) -> str:
    if MOMENT.match(text):
        moment = parse_datetime(text)
        if moment is not None and timezone.is_aware(moment):
            return formats.date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")
    if NUMBER.fullmatch(text):
        return _number(name, text)
    return text


def _number(name: str, text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    short = number.normalize()
    exponent = short.as_tuple().exponent
    places = max(-exponent, 0) if isinstance(exponent, int) else 0
    is_money = name in MONEY_FIELDS | SELLING_FIELDS or name == "credit_limit"
    return formats.number_format(number, decimal_pos=max(places, 2) if is_money else places, force_grouping=is_money)


def _items(text: str) -> list[Any]:
    """The entries of a list as the log stores it; the text itself if it is none."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return [text.strip("[]")]
    return found if isinstance(found, list) else [text.strip("[]")]
