"""Professional resellers: an organization of their own, its making, the transfer, back orders, catalogue updates."""
