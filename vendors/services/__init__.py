"""Writes about instances and account links, by use case."""
