"""Writes of the catalogue, by use case."""
