"""Writes of subscriptions and operations, by use case: the life up to activation and to the end, later changes."""

from subscriptions.services.life import (
    FAR_FUTURE,
    confirm,
    create_addons,
    create_subscription,
    event_payload,
    fire_operation,
    give_up,
    hand_over_dependants,
    moment,
    open_operation,
    open_operation_of_link,
    refuse,
    retry,
    set_sync,
    wake_dependants,
    window_values,
)

__all__ = [
    "FAR_FUTURE",
    "confirm",
    "create_addons",
    "create_subscription",
    "event_payload",
    "fire_operation",
    "give_up",
    "hand_over_dependants",
    "moment",
    "open_operation",
    "open_operation_of_link",
    "refuse",
    "retry",
    "set_sync",
    "wake_dependants",
    "window_values",
]
