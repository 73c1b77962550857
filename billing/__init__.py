"""Charges, balance and credit."""
