"""Outgoing mail and webhooks, fed by events."""
