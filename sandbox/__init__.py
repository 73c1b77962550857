"""Vendor twins: one process that answers on the wire as the vendors do, for demos, tests and training.

An island: imports nothing of the product. See ``docs/twins.md``.
"""
