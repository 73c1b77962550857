"""Seed data of the vendor twins and the scripts that build it."""
