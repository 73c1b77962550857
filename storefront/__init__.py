"""The front door of the channel: catalogue, basket, checkout, services."""
