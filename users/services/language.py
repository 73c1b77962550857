"""The language a person reads: pages after signing in, and mails."""

from django.conf import settings

from users.models import User


def choose_language(user: User, code: str) -> None:
    """Keep a language of ``LANGUAGES`` with the person himself; any other is not kept. The audit log is not told."""
    if code in dict(settings.LANGUAGES):
        user.language = code
        user.save(update_fields=["language"])
