"""What is done with API clients: making and ending them, tokens, and replies kept for repeats."""
