"""Forms of the BSS."""
