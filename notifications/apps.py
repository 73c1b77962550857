"""Application configuration of ``notifications``."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Mails fed by events."""

    name = "notifications"
    verbose_name = "Notifications"
