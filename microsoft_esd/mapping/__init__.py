"""From Microsoft's objects to the port's plain data."""
