"""Job handlers of the process manager."""
