"""The composition root: settings, addresses, the worker application, and how everything is started."""

from cloudbss.celery import app as celery_app

__all__ = ["celery_app"]
