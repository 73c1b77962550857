"""What monitoring asks, the request id on every answer, and logs without secrets."""

import json
import logging
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from cloudbss import health
from cloudbss.embedded import free_port
from core.logs import RedactionFilter, SafeJsonFormatter
from core.request_id import RequestIdMiddleware, current_request_id


def ready(rf: RequestFactory) -> tuple[int, dict[str, Any]]:
    answer = health.readyz(rf.get("/readyz"))
    return answer.status_code, json.loads(answer.content)


def states(body: dict[str, Any]) -> dict[str, bool]:
    return {name: state["ok"] for name, state in body["checks"].items()}


def test_healthz_needs_nothing(rf: RequestFactory):
    answer = health.healthz(rf.get("/healthz"))
    assert (answer.status_code, json.loads(answer.content)) == (200, {"status": "ok"})
    assert "no-store" in answer.headers["Cache-Control"]
    assert health.healthz(rf.post("/healthz")).status_code == 405


@pytest.mark.django_db
def test_readyz_names_every_dependency(rf: RequestFactory):
    status, body = ready(rf)
    assert (status, body["status"]) == (200, "ok")
    assert states(body) == {"database": True, "migrations": True, "cache": True, "broker": True}


@pytest.mark.django_db
def test_readyz_is_degraded_without_cache_and_broker(rf: RequestFactory, settings: LazySettings):
    settings.REDIS_URL = settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{free_port()}/0"
    status, body = ready(rf)
    assert (status, body["status"]) == (200, "degraded")
    assert states(body) == {"database": True, "migrations": True, "cache": False, "broker": False}


@pytest.mark.django_db(transaction=True)
def test_readyz_is_503_without_the_database(rf: RequestFactory):
    port = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = free_port()
    try:
        status, body = ready(rf)
    finally:
        connection.close()
        connection.settings_dict["PORT"] = port
    assert (status, body["status"]) == (503, "unavailable")
    assert states(body) == {"database": False, "migrations": False, "cache": True, "broker": True}
    assert body["checks"]["database"]["error"] == "OperationalError"


@pytest.mark.django_db
def test_readyz_is_503_while_migrations_are_missing(rf: RequestFactory, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda self, targets: [("one", False)])
    status, body = ready(rf)
    assert (status, body["status"]) == (503, "unavailable")
    assert states(body) == {"database": True, "migrations": False, "cache": True, "broker": True}


def served_with(rf: RequestFactory, **headers: str) -> tuple[str, str]:
    """The id inside the view and the one on the answer."""
    seen: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(current_request_id())
        return HttpResponse()

    answer = RequestIdMiddleware(view)(rf.get("/", headers=headers))
    return seen[0], answer["X-Request-Id"]


def test_request_gets_an_id_of_its_own(rf: RequestFactory):
    inside, outside = served_with(rf)
    assert inside == outside
    assert len(inside) == 32
    assert current_request_id() == ""
    assert served_with(rf) != (inside, outside)


def test_well_formed_request_id_is_taken_over(rf: RequestFactory):
    assert served_with(rf, X_Request_Id="proxy-0001.abc") == ("proxy-0001.abc", "proxy-0001.abc")


@pytest.mark.parametrize("given", ["short", "with space and more", "x" * 65, "line\nbreak-here", "<script>alert(1)"])
def test_malformed_request_id_is_replaced(rf: RequestFactory, given: str):
    inside, outside = served_with(rf, X_Request_Id=given)
    assert inside == outside != given


def line_for(message: str, *arguments: object, **extra: object) -> str:
    record = logging.makeLogRecord({"name": "test", "msg": message, "args": arguments, "levelname": "INFO", **extra})
    RedactionFilter().filter(record)
    return SafeJsonFormatter("%(levelname)s %(name)s %(message)s %(request_id)s").format(record)


@pytest.mark.parametrize(
    ("message", "arguments", "extra"),
    [
        ("client_secret=hush-hush", (), {}),
        ('{"password": "hush-hush"}', (), {}),
        ("header Authorization: Bearer hush-hush-hush", (), {}),
        ("token is %s", ("Bearer hush-hush-hush",), {}),
        ("called", (), {"refresh_token": "hush-hush"}),
        ("called", (), {"Cookie": "hush-hush"}),
        ("jwt eyJhbGciOiJub25lhush-hush.eyJzdWIiOiIxIn0.hush-hush", (), {}),
    ],
)
def test_log_line_holds_no_secret(message: str, arguments: tuple[object, ...], extra: dict[str, object]):
    line = line_for(message, *arguments, **extra)
    assert "hush-hush" not in line
    assert "redacted" in line
    assert json.loads(line)["levelname"] == "INFO"


def test_traceback_holds_no_secret():
    try:
        raise ValueError("password=hush-hush")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    assert "hush-hush" not in line_for("failed", exc_info=info)


def test_ordinary_log_line_stays_as_it_is():
    assert json.loads(line_for("Order %s is executed", "S-1001"))["message"] == "Order S-1001 is executed"
