"""Tests of subscriptions: what needs no vendor."""
