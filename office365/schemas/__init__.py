"""Typed, frozen pictures of what Partner Center answers, built by readers that forgive what the wire is known to vary.

One module per area: ``common`` (readers, collections, errors), ``customers``, ``catalogue``, ``commerce`` (carts and
orders), ``subscriptions``. Wire rules: ``partner-center.md`` 2.2-2.4, 2.9.
"""
