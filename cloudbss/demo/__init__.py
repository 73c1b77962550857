"""The demo: a distributor with resellers and customers, made through the services and the vendor twins."""
