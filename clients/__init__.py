"""API clients: who may call the API by himself, with which scopes, and the tokens and replies that belong to them."""
