"""The process manager, by use case."""
