"""Plumbing without business: tenancy, states, outbox, events, jobs, HTTP, encryption, money and audit."""
