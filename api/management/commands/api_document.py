"""``manage.py api_document`` writes ``docs/openapi.json`` from the views; ``--check`` only says whether it is equal."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from api.document import COMMITTED, document_text


class Command(BaseCommand):
    """Keep the committed document equal to what is served."""

    help = "Write docs/openapi.json from the views of the API."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The one switch."""
        parser.add_argument("--check", action="store_true", help="fail if the file is not what the views say")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write, or compare."""
        text = document_text()
        if not options["check"]:
            COMMITTED.write_text(text, encoding="utf-8")
            self.stdout.write(f"Written: {COMMITTED.name}")
        elif not COMMITTED.exists() or COMMITTED.read_text(encoding="utf-8") != text:
            raise CommandError("docs/openapi.json is not what the views say. Run: manage.py api_document")
        else:
            self.stdout.write("docs/openapi.json is what the views say.")
