"""Subscriptions, assets, and the operations that tell the vendor.

Sources: ``channel.md`` 9, ``service-manager.md`` 8 and ``esd.md`` 7, 8.
"""

from subscriptions.models.asset import Asset, AssetKey
from subscriptions.models.leg import CustomerLeg
from subscriptions.models.operation import RUN_TASK, Operation, OperationStep
from subscriptions.models.request import CancellationRequest
from subscriptions.models.returns import AssetReturn
from subscriptions.models.stamp import StampRow, StampRun
from subscriptions.models.subscription import ScheduledChange, Subscription, SubscriptionAddOn
from subscriptions.models.usage import UsageKind, UsagePeriod, UsageRecord, UsageView

__all__ = [
    "RUN_TASK",
    "Asset",
    "AssetKey",
    "AssetReturn",
    "CancellationRequest",
    "CustomerLeg",
    "Operation",
    "OperationStep",
    "ScheduledChange",
    "StampRow",
    "StampRun",
    "Subscription",
    "SubscriptionAddOn",
    "UsageKind",
    "UsagePeriod",
    "UsageRecord",
    "UsageView",
]
