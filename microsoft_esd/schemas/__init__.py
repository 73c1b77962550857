"""What Channel Inclusion Services answer, as typed objects."""
