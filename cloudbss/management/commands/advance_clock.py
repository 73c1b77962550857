"""``manage.py advance_clock P1D``: move our clock and the twins' together, in demo and test only."""

from argparse import ArgumentParser
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

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
                answer = requests.post(
                    f"{settings.SANDBOX_URL}/_twin/clock", json={"advance": options["duration"]}, timeout=10
                )
                answer.raise_for_status()
            now = clock.advance(span)
        except (BusinessError, requests.RequestException) as error:
            raise CommandError(str(error)) from error
        outbox.sweep()
        self.stdout.write(f"It is now {now:%Y-%m-%d %H:%M:%S} UTC.")
