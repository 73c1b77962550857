"""Writes of baskets and orders, by use case."""
