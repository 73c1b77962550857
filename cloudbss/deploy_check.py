"""``python -m cloudbss.deploy_check``: the deployment checks under production settings, with made-up values.

Nothing is contacted; the values exist for this one run. The exit code is that of ``check``: 0 only without a warning.
"""

import os
import secrets
import subprocess
import sys
from pathlib import Path

from cryptography.fernet import Fernet

BASE = Path(__file__).resolve().parent.parent


def environment() -> dict[str, str]:
    """The environment of a production installation that is set up as it should be."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "DJANGO_SETTINGS_MODULE": "cloudbss.settings.production",
        "SECRET_KEY": secrets.token_urlsafe(60),
        "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "ALLOWED_HOSTS": "shop.example.com",
        "PUBLIC_URL": "https://shop.example.com",
        "DATABASE_URL": "postgres://cloudbss:word@database.example.com:5432/cloudbss",
        "EMAIL_URL": "smtp+tls://cloudbss:word@mail.example.com:587",
        "REDIS_URL": "redis://cache.example.com:6379/0",
    }


def main() -> int:
    """Run the checks and return their exit code."""
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, cwd=BASE, env=environment(), check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
