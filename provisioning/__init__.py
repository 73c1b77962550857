"""The process manager between the business and the vendors."""
