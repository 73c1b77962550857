"""The second leg of a sale: what a reseller's end customer pays him, beside what the reseller pays us.

Source: ``channel.md`` 4.3 and 6.1. Our ledger holds the reseller's cost alone; this leg is what his customer reads and
what his own invoicing begins from.
"""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.money import MoneyField
from resellers.enums import PurchaseMode


class CustomerLeg(models.Model):
    """A row with a unit price whose other leg is frozen beside it; all empty where there is no such leg.

    ``sell_unit_price`` is before tax, in the row's currency. ``sell_terms`` says how it came about, for the reseller's
    eyes: ``{"rule": words, "rule_id": 7, "level": "product", "rounding": "minor", "trace": [words]}``, and if he calls
    the product otherwise than the distributor, its ``name`` for the customer's.
    ``is_customers_view`` is True on a row in memory whose money was replaced (:mod:`subscriptions.legs`); it
    ``is_priced`` unless there is no such leg.
    """

    is_customers_view = False
    is_priced = True

    sell_unit_price = MoneyField(_("selling price"), null=True, blank=True)
    sell_terms = models.JSONField(default=dict, blank=True)

    class Meta:
        abstract = True


def sold_to_end_customers_only(name: str) -> models.CheckConstraint:
    """Nobody but a reseller's end customer has a selling price."""
    condition = Q(sell_unit_price__isnull=True) | Q(purchase_mode=PurchaseMode.END_CUSTOMER.value)
    return models.CheckConstraint(condition=condition, name=name)


def sums_or_nothing(name: str) -> models.CheckConstraint:
    """The sums of the customer's leg are all empty, or add up."""
    nothing: dict[str, Any] = {f"sell_{part}__isnull": True for part in ("net", "tax", "gross")}
    every: dict[str, Any] = {f"sell_{part}__isnull": False for part in ("net", "tax", "gross")}
    adds_up = Q(**every, sell_gross=models.F("sell_net") + models.F("sell_tax"))
    return models.CheckConstraint(condition=Q(**nothing) | adds_up, name=name)
