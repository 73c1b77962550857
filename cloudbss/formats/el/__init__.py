"""Formats of Greek."""
