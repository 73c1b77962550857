"""``manage.py seed_demo``: make the demo, or refresh its addresses."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from cloudbss.demo.build import build


class Command(BaseCommand):
    """Makes the demo through the services and the twins; a second run changes only the twins' addresses."""

    help = "Make the demo data, or refresh the addresses of its vendor instances."

    def handle(self, *args: Any, **options: Any) -> None:
        """Build it; refused where the clock may not be moved, that is in production."""
        if not settings.CLOCK_MOVABLE or not settings.SANDBOX_URL:
            raise CommandError(
                "The demo needs the development settings and SANDBOX_URL; it is never made in production."
            )
        build(lambda text: self.stdout.write(text))
