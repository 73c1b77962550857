"""Tests of the channel: aliases, sites, plans, editions."""
