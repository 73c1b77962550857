"""Which of the two legs of a sale somebody sees: the one place that decides it (``channel.md`` 10.3).

The reseller owes his cost, which is also what the distributor's staff read; his end customer reads what he is asked by
the reseller, under the same names (``unit_price``, ``net``, ``gross``), and nothing of the cost. Pages, mails and
previews take a row as :func:`shown_to` hands it out; lists and spreadsheets take the column :func:`money_column` names.
"""

import copy
from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import CharField, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, NullIf

from core import money
from core.audit import AuditEntry
from core.tenancy import Actor
from subscriptions.enums import SubscriptionStatus
from subscriptions.models import Asset, CancellationRequest, Subscription, SubscriptionAddOn
from subscriptions.models.leg import CustomerLeg

Service = TypeVar("Service", Subscription, Asset)
ENDED = frozenset({SubscriptionStatus.CANCELLED.value})


def reads_selling_prices(actor: Actor) -> bool:
    """Whether every amount this actor reads is of the customer's leg: a user of an account that another one pays for.

    An affiliate's users are among them; their rows have no such leg, so they read no amount at all.
    """
    return actor.is_customer and not actor.pays


def reads_both(actor: Actor) -> bool:
    """Whether he reads what his customers pay beside what he pays: the reseller's own people.

    Never an employee who looks as one of them: a margin is the reseller's own.
    """
    return actor.is_customer and actor.sells and not actor.viewing_as


def money_column(actor: Actor, name: str) -> str:
    """The column of a list that holds an amount for this actor: ``gross``, or ``sell_gross`` for an end customer."""
    return f"sell_{name}" if reads_selling_prices(actor) else name


def sold_name(row: CustomerLeg) -> str:
    """What the reseller calls it, as it was frozen with the price; empty if he says the distributor's name."""
    return str(row.sell_terms.get("name") or "")


def with_sold_names(actor: Actor, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Rows of a list with ``sold_name``, the name this actor reads: what is searched, sorted and shown.

    For everybody but an end customer it is the distributor's.
    """
    own = NullIf(KeyTextTransform("name", "sell_terms"), Value(""))
    shown = Coalesce(own, F("name"), output_field=CharField()) if reads_selling_prices(actor) else F("name")
    found: QuerySet[Any] = rows.annotate(sold_name=shown)
    return found


def with_sold_labels(actor: Actor, entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
    """Entries of the audit log with ``sold_label``: what was changed, by the name this actor reads."""
    shown: Any = F("object_label")
    if reads_selling_prices(actor):
        name = KeyTextTransform("name", "sell_terms")
        services = Subscription.objects.filter(public_id=OuterRef("object_id")).values(said=name)
        licences = Asset.objects.filter(public_id=OuterRef("object_id")).values(said=name)
        shown = Coalesce(Subquery(services), Subquery(licences), shown, output_field=CharField())
    found: QuerySet[AuditEntry] = entries.annotate(sold_label=shown)
    return found


def without_selling(desired: Mapping[str, Any]) -> dict[str, Any]:
    """What an operation wants, without what the reseller's customer pays: the operations desk is the distributor's."""
    own = {key: value for key, value in desired.items() if key != "customer_credit" and not key.startswith("sell_")}
    return {key: without_selling(value) if isinstance(value, Mapping) else value for key, value in own.items()}


def shown_to(actor: Actor, row: Service) -> Service:
    """A service with the money this actor may read; for an end customer :func:`customers_view`."""
    return customers_view(row) if reads_selling_prices(actor) else row


def customers_view(row: Service) -> Service:
    """A copy of a service with the customer's amounts and name in place of the reseller's; never to be saved.

    ``is_priced`` is False where he has no price, or none for one of its live add-ons; all amounts are 0 then, and no
    page shows them.
    """
    view = copy.copy(row)
    view.is_customers_view = True
    addons: list[SubscriptionAddOn] = []
    if isinstance(view, Subscription):
        known = view.addons.all()
        addons = [copy.copy(addon) for addon in known]
        cached = getattr(view, "_prefetched_objects_cache", {})
        view._prefetched_objects_cache = {**cached, "addons": _read(known, addons)}  # type: ignore[attr-defined]
        view.next_unit_price = None
    live = [addon for addon in addons if addon.status not in ENDED]
    if name := sold_name(row):
        view.name, view.product = name, copy.copy(row.product)
        view.product.name = name
    view.is_priced = row.sell_unit_price is not None and all(addon.sell_unit_price is not None for addon in live)
    _replace(view, is_priced=view.is_priced)
    for addon in addons:
        addon.name = sold_name(addon) or addon.name
        _replace(addon, is_priced=view.is_priced)
    return view


def shown_request(actor: Actor, row: CancellationRequest | None) -> CancellationRequest | None:
    """A request with the name of its add-on that this actor reads; never to be saved."""
    if row is not None and row.addon is not None and reads_selling_prices(actor):
        row.addon.name = sold_name(row.addon) or row.addon.name
    return row


def _replace(part: Subscription | Asset | SubscriptionAddOn, *, is_priced: bool) -> None:
    amount = part.sell_unit_price if is_priced else None
    part.unit_price, part.price_trace = (money.ZERO if amount is None else amount), []


def _read(rows: object, found: list[SubscriptionAddOn]) -> object:
    """A query set that was read already, with these rows as what it found."""
    done = rows._chain()  # type: ignore[attr-defined]
    done._result_cache, done._prefetch_done = found, True
    return done
