"""``manage.py check_ledger``: prove that nothing is lost and nothing doubled, here and at the vendor twins."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from cloudbss import ledger
from cloudbss.demo.twins import TwinError, call_twins


class Command(BaseCommand):
    """Reads the database and the twins; exits with 1 and lists what does not hold."""

    help = "Prove that every accepted order has exactly one effect or a visible refusal."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Without twins only the database is read."""
        parser.add_argument("--database-only", action="store_true", help="do not ask the vendor twins")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the problems, one a line."""
        states = {}
        if settings.SANDBOX_URL and not options["database_only"]:
            try:
                states = {name: call_twins("GET", f"/_twin/state/{name}") for name, _ in ledger.TWINS.values()}
            except TwinError as error:
                raise CommandError(str(error)) from error
        found = ledger.problems(states)
        for problem in found:
            self.stderr.write(problem)
        if found:
            raise CommandError(f"{len(found)} things do not hold.", returncode=1)
        asked = ", ".join(sorted(states)) or "no vendor"
        self.stdout.write(f"All holds: the database, and {asked}.")
