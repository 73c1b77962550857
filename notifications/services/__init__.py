"""What notifications does: compose, react to events, send."""
