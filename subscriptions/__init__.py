"""Subscriptions and the operations that provision them."""
