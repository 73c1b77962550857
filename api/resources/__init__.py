"""What each resource looks like on the wire: its columns, its names for filters, and its members."""
