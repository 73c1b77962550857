"""Vendor applications, their instances, and the accounts' links to them."""
