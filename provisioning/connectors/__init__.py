"""Connectors that are no vendor app: what they reach is the platform itself, or a third party over HTTP."""
