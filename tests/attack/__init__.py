"""A stranger tries the shop: other people's rows, prices, races and links."""
