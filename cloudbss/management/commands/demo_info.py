"""``manage.py demo_info --json``: the demo's addresses and logins."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from cloudbss.demo.build import info


class Command(BaseCommand):
    """Prints where everything is and who can sign in."""

    help = "Print the demo's addresses and logins."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """``--json`` for programs."""
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print them."""
        found = info()
        if options["json"]:
            self.stdout.write(json.dumps(found, indent=1))
            return
        for name, url in found["urls"].items():
            self.stdout.write(f"{name:<12}{url}")
        for user in found["users"]:
            self.stdout.write(f"{user['role']:<26}{user['username']:<34}{user['password']}")
        for client in found["api"]:
            self.stdout.write(f"API {client['for']:<22}{client['client_id']:<34}{client['client_secret']}")
