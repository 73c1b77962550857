"""What sign-in does: invitations and people."""
