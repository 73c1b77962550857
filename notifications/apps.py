"""Application configuration of ``notifications``."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Mails fed by events."""

    name = "notifications"
    verbose_name = "Notifications"

    def ready(self) -> None:
        """Let the orders that wait for a reseller hear at once that his plan has ended."""
        # This module needs models, which are not there yet when this file is read.
        from notifications.services.events import listen

        # So does this one.
        from orders.services.approve import end_of_plan

        listen("plan.ended", end_of_plan)
