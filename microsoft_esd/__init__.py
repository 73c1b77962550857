"""Microsoft ESD: licences that are a key, through Microsoft's Channel Inclusion Services."""
