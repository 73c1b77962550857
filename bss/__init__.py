"""The front door of the staff."""
