"""Pages of the BSS, by room."""
