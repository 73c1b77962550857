"""``manage.py rotate_keys``: write every stored secret again with the first of FIELD_ENCRYPTION_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import crypto


class Command(BaseCommand):
    """Put the new key first in FIELD_ENCRYPTION_KEYS, run this, then take the old key away."""

    help = "Write every stored secret again with the first of FIELD_ENCRYPTION_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate, and say how many values were written."""
        try:
            written = crypto.rotate_all()
        except crypto.SecretUnreadable as error:
            raise CommandError(str(error.message)) from error
        self.stdout.write(f"{written} secrets written with the first key.")
