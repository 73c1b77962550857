"""What the services of Professional resellers do, one file per deed."""
