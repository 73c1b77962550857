"""Writes of the channel, by use case."""
