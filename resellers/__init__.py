"""The channel: organizations, accounts, contacts, memberships and sites."""
