"""Development and demo: what ``make run`` starts."""

from cloudbss.settings.base import *  # noqa: F403

DEBUG = env.bool("DEBUG", default=False)
CLOCK_MOVABLE = True
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", ".localhost", "127.0.0.1"])
