"""Development and demo: what ``make run`` starts, and ``manage.py`` beside it with the same servers and keys."""

import json
import os
from pathlib import Path

_home = Path(os.environ.get("CLOUDBSS_HOME") or Path(__file__).resolve().parent.parent.parent / ".local")
_kept = _home / "environment.json"
if _kept.exists():
    for _name, _value in json.loads(_kept.read_text()).items():
        os.environ.setdefault(_name, _value)

from cloudbss.settings.base import *  # noqa: E402, F403

DEBUG = env.bool("DEBUG", default=False)
CLOCK_MOVABLE = True
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", ".localhost", "127.0.0.1"])
VENDOR_CALLS_PER_MINUTE = env.int("VENDOR_CALLS_PER_MINUTE", default=30_000)  # The twins take more than the vendors.
VENDOR_FAMILY_CALLS_PER_MINUTE = {}
