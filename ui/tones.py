"""Which tone a state has: the one table behind every badge, so that a word looks the same on every page."""

SUCCESS, WARNING, DANGER, INFO, NEUTRAL = "success", "warning", "danger", "info", "neutral"

TONES: dict[str, str] = {
    **dict.fromkeys(
        [
            "active",
            "listed",
            "live",
            "done",
            "executed",
            "delivered",
            "ok",
            "published",
            "sent",
            "accepted",
            "ready",
            "tested",
            "given",
            "synchronized",
            "completed",
            "applied",
            "due",
            "valid",
            "activated",
            "successful",
        ],
        SUCCESS,
    ),
    **dict.fromkeys(
        [
            "waiting",
            "attention",
            "on_hold",
            "pending",
            "suspended",
            "unconfirmed",
            "requested",
            "outcome_unknown",
            "not_given",
            "awaiting_relationship",
            "pending_cancel",
            "reserved",
            "expiring",
            "unchecked",
            "unsynchronised",
            "partly",
        ],
        WARNING,
    ),
    **dict.fromkeys(
        [
            "failed",
            "refused",
            "error",
            "misconfigured",
            "deactivated",
            "rejected",
            "broken",
            "expired",
            "missing",
            "other",
            "lost",
            "withdrawn",
            "relationship_lost",
        ],
        DANGER,
    ),
    **dict.fromkeys(
        ["queued", "running", "in_progress", "sending", "in_flight", "syncing", "submitted", "started", "syncing"], INFO
    ),
}
ICONS = {SUCCESS: "check-circle", WARNING: "clock", DANGER: "cross-circle", INFO: "sync", NEUTRAL: "dot"}


def tone_of(state: object) -> str:
    """The tone of a state's code; neutral for what nobody declared."""
    return TONES.get(str(state), NEUTRAL)
