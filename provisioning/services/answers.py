"""Names under which the platform itself keeps something among an operation's steps."""

SECRETS_STEP = "platform:secrets"
