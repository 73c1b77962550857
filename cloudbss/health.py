"""What monitoring asks: is the process up, and can it serve."""

import time
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu import Connection

TIMEOUT_SECONDS = 2


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers."""
    return JsonResponse({"status": "ok"})


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _migrations() -> None:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        raise RuntimeError(f"{len(plan)} migrations are not applied; run manage.py migrate")


def _cache() -> None:
    redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=TIMEOUT_SECONDS, socket_timeout=TIMEOUT_SECONDS
    ).ping()


def _broker() -> None:
    with Connection(settings.CELERY_BROKER_URL, connect_timeout=TIMEOUT_SECONDS) as broker:
        broker.ensure_connection(max_retries=1, timeout=TIMEOUT_SECONDS)


CHECKS: dict[str, tuple[Callable[[], None], bool]] = {
    "database": (_database, True),
    "migrations": (_migrations, True),
    "cache": (_cache, False),
    "broker": (_broker, False),
}


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 if requests can be served, else 503; each dependency with its state.

    Without cache or broker orders are still accepted, so these two only degrade.
    """
    states: dict[str, dict[str, object]] = {}
    ready, degraded = True, False
    for name, (check, required) in CHECKS.items():
        begun = time.monotonic()
        try:
            check()
            states[name] = {"ok": True, "milliseconds": round((time.monotonic() - begun) * 1000)}
        except Exception as error:
            states[name] = {"ok": False, "required": required, "error": type(error).__name__}
            ready, degraded = ready and not required, True
    status = "unavailable" if not ready else "degraded" if degraded else "ok"
    return JsonResponse({"status": status, "checks": states}, status=200 if ready else 503)
