"""Commands of an operator, one module each."""
