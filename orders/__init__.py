"""Baskets and orders: placing, approving, executing."""
