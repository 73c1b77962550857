"""Products, plans, price lists and quotes."""
