"""A task that does nothing, as the floor of everything that runs in a worker, and a sign that a worker is ready."""

from typing import Any

import redis
from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings

_broker = redis.Redis.from_url(settings.REDIS_URL)


@shared_task(name="bench.noop")
def noop(number: int) -> None:
    """Nothing."""


@worker_ready.connect
def say_ready(sender: Any, **_more: Any) -> None:
    """Leave a key that the measuring process waits for."""
    _broker.set(str(sender.hostname), "ready", ex=600)
