"""Microsoft Cloud Services through Partner Center."""
