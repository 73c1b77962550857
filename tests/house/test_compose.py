"""The container files agree with the code: variables, queues, hashes, no secrets, no root."""

import re
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

from cloudbss.healthcheck import host_header
from cloudbss.run import QUEUES
from tests.house.test_env_example import example

BASE = Path(__file__).resolve().parents[2]
TEXT = (BASE / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (BASE / "Dockerfile").read_text()
OURS = {"migrate", "web", "worker", "beat", "twins"}
# The official image's own variables; they are not read by our code.
OF_THE_IMAGE = {"POSTGRES_USER", "POSTGRES_DB"}


def known_queues() -> set[str]:
    return {settings.CELERY_TASK_DEFAULT_QUEUE, *(route["queue"] for route in settings.CELERY_TASK_ROUTES.values())}


def consumed(service: dict[str, Any]) -> set[str]:
    command = service["command"]
    return set(command[command.index("-Q") + 1].split(","))


def test_services_are_complete():
    assert set(SERVICES) == {*OURS, "postgres", "redis"}


def test_interpolated_variables_are_in_the_example():
    assert set(re.findall(r"\$\{([A-Z_]+)", TEXT)) <= set(example())


def test_given_variables_are_in_the_example():
    given = {name for service in SERVICES.values() for name in service.get("environment", {})}
    assert given - OF_THE_IMAGE <= set(example())


def test_worker_consumes_every_queue():
    assert consumed(SERVICES["worker"]) == known_queues() == set(QUEUES.split(","))


def test_no_secret_is_written_here():
    written = re.findall(r"^\s*\w*(?:SECRET|PASSWORD|KEY)\w*:\s*(.+)$", TEXT, re.MULTILINE)
    assert all(value.startswith("${") for value in written)
    assert re.findall(r"://[^:/\s]+:(\$\{[^}]*\}|[^@\s]+)@", TEXT) == ["${POSTGRES_PASSWORD:?set it in .env}"]


def test_our_services_run_one_image_after_the_migration():
    for name in OURS:
        assert SERVICES[name]["image"] == "cloudbss:latest"
        assert SERVICES[name]["env_file"] == ".env"
    for name in ("web", "worker", "beat"):
        conditions = {other: need["condition"] for other, need in SERVICES[name]["depends_on"].items()}
        assert conditions == {
            "postgres": "service_healthy",
            "redis": "service_healthy",
            "migrate": "service_completed_successfully",
        }
    assert SERVICES["migrate"]["restart"] == "no"


def test_only_the_web_has_a_port_and_only_on_loopback():
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {"web": ["127.0.0.1:${PORT:-8000}:8000"]}


def test_twins_are_for_demos():
    assert SERVICES["twins"]["profiles"] == ["demo"]
    assert not any(service.get("profiles") for name, service in SERVICES.items() if name != "twins")


def test_image_is_pinned_by_hash_and_not_root():
    instructions = [line.split()[0] for line in DOCKERFILE.splitlines() if re.match(r"^[A-Z]+ ", line)]
    user = re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE)
    assert "--require-hashes -r requirements/base.txt" in DOCKERFILE
    assert user == ["cloudbss"]
    assert instructions.index("USER") > max(i for i, word in enumerate(instructions) if word == "RUN")
    assert "HEALTHCHECK" in instructions


def test_image_holds_neither_settings_nor_history():
    ignored = set((BASE / ".dockerignore").read_text().split())
    assert {".env", ".git", ".local"} <= ignored
    assert re.findall(r"(?:SECRET|PASSWORD|KEY)\w*=", DOCKERFILE) == []


def test_health_check_asks_for_a_host_we_answer_to():
    assert host_header("shop.example.com,other.example.com") == "shop.example.com"
    assert host_header(".example.com") == "example.com"
    assert host_header("") == "localhost"
    assert host_header("*") == "localhost"
