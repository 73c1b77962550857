"""Words that are kept in the database and read later, by others than those for whom they were made."""

import re

from django.utils.translation import gettext, gettext_lazy, gettext_noop

_SENTENCES = re.compile(r"(?<=[.!?]) ")

# Who is named where nobody did it; kept in English with what was done.
BY_ITSELF = (
    gettext_noop("system"),
    gettext_noop("mail"),
    gettext_noop("webhooks"),
)

# What programs note of their work, where the audit log's fields have no words for it.
TECHNICAL_WORDS = {
    "agreement": gettext_lazy("agreement"),
    "cart": gettext_lazy("cart"),
    "changed": gettext_lazy("changed"),
    "code": gettext_lazy("code"),
    "comment": gettext_lazy("comment"),
    "counts": gettext_lazy("counts"),
    "credit": gettext_lazy("credit"),
    "customer": gettext_lazy("customer"),
    "discontinued": gettext_lazy("discontinued"),
    "done": gettext_lazy("done"),
    "message": gettext_lazy("message"),
    "new": gettext_lazy("new"),
    "order": gettext_lazy("order"),
    "prices": gettext_lazy("prices"),
    "problems": gettext_lazy("problems"),
    "purchase": gettext_lazy("purchase"),
    "refused": gettext_lazy("refused"),
    "return": gettext_lazy("return"),
    "schedule": gettext_lazy("schedule"),
    "subscription": gettext_lazy("subscription"),
    "tenant": gettext_lazy("tenant"),
    "unknown": gettext_lazy("unknown"),
    "was": gettext_lazy("before"),
    "written": gettext_lazy("written"),
}


def stored_words(text: str) -> str:
    """Kept sentences in the reader's language; what is none of our fixed sentences stays as it was kept."""
    if not text:
        return ""
    whole = gettext(text)
    return whole if whole != text else " ".join(gettext(part) if part else part for part in _SENTENCES.split(text))
