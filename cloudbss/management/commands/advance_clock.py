"""``manage.py advance_clock P1D``: move our clock and the twins' together, in demo and test only."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from cloudbss.demo.twins import TwinError, call_twins
from core import clock, outbox
from core.errors import BusinessError


class Command(BaseCommand):
    """Moves the business clock and the vendor twins' by the same span; token life times stay on real time."""

    help = "Move our clock and the twins' by an ISO 8601 duration such as P1D or PT12H."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The span."""
        parser.add_argument("duration")

    def handle(self, *args: Any, **options: Any) -> None:
        """Move both, then send what has become due to the workers."""
        try:
            span = clock.parse_duration(options["duration"])
            if settings.SANDBOX_URL:
                call_twins("POST", "/_twin/clock", body={"advance": options["duration"]})
            now = clock.advance(span)
        except (BusinessError, TwinError) as error:
            raise CommandError(str(error)) from error
        outbox.sweep()
        self.stdout.write(f"It is now {now:%Y-%m-%d %H:%M:%S} UTC.")
