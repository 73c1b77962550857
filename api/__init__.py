"""The REST door: Subscriptions API v3.0 and Marketplace API; it owns no rule and no model."""
