"""Every check of the settings: what it finds, that it stays silent on good values, and that it repeats no secret."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings

from cloudbss.checks import check_settings

BASE = Path(__file__).resolve().parents[2]
GOOD_PRODUCTION: dict[str, Any] = {
    "PRODUCTION": True,
    "CLOCK_MOVABLE": False,
    "LOOPBACK_HOSTS": [],
    "EXTRA_CA_FILE": "",
    "SANDBOX_URL": "",
    "DEBUG": False,
    "WEBHOOK_LOOPBACK": False,
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "PUBLIC_URL": "https://shop.example.com",
    "ALLOWED_HOSTS": ["shop.example.com"],
}


class NoVerbs:
    """A connector that forgot its verbs."""

    code = "some"
    name = "Some"


class OtherCode(NoVerbs):
    """A connector under another name than the settings say."""

    code = "other"
    verbs = frozenset({"create"})


def ids(settings: LazySettings, **values: Any) -> list[str | None]:
    for name, value in values.items():
        setattr(settings, name, value)
    return [message.id for message in check_settings(None)]


def test_good_settings_have_no_findings(settings):
    assert ids(settings) == []


def test_good_production_settings_have_no_findings(settings):
    assert ids(settings, **GOOD_PRODUCTION) == []


@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SECRET_KEY", "", "cloudbss.E001"),
        ("SECRET_KEY", "short", "cloudbss.E001"),
        ("SECRET_KEY", "a" * 60, "cloudbss.E001"),
        ("FIELD_ENCRYPTION_KEYS", [], "cloudbss.E002"),
        ("FIELD_ENCRYPTION_KEYS", ["not-a-key"], "cloudbss.E003"),
        ("DATABASES", {"default": {"ENGINE": "django.db.backends.sqlite3"}}, "cloudbss.E004"),
        ("DATABASES", {"default": {}}, "cloudbss.E004"),
        ("CONNECTORS", {"some": "nowhere.Connector"}, "cloudbss.E005"),
        ("CONNECTORS", {"some": "tests.house.test_checks.NoVerbs"}, "cloudbss.E005"),
        ("CONNECTORS", {"some": "tests.house.test_checks.OtherCode"}, "cloudbss.E005"),
        ("EXTRA_CA_FILE", "/nowhere/ca.pem", "cloudbss.W006"),
        ("EXTRA_CA_FILE", "/", "cloudbss.E006"),
        ("EXTRA_CA_FILE", str(BASE / "manage.py"), "cloudbss.E006"),
        ("REDIS_URL", "http://127.0.0.1", "cloudbss.E007"),
        ("CELERY_BROKER_URL", "", "cloudbss.E007"),
        ("PUBLIC_URL", "shop.example.com", "cloudbss.E008"),
        ("PUBLIC_URL", "https://shop.example.com/shop", "cloudbss.E008"),
        ("VENDOR_READ_TIMEOUT", 0.0, "cloudbss.E009"),
        ("OPERATION_CLAIM_SECONDS", -1, "cloudbss.E009"),
        ("UNREADABLE_VARIABLES", {"LOG_LEVEL": "is odd"}, "cloudbss.E010"),
    ],
)
def test_bad_value_is_found(settings, name, value, expected):
    assert ids(settings, **{name: value}) == [expected]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("EXTRA_CA_FILE", "CA", "cloudbss.E101"),
        ("LOOPBACK_HOSTS", ["127.0.0.1"], "cloudbss.E102"),
        ("CLOCK_MOVABLE", True, "cloudbss.E103"),
        ("SANDBOX_URL", "http://127.0.0.1:8010", "cloudbss.E104"),
        ("DEBUG", True, "cloudbss.E105"),
        ("WEBHOOK_LOOPBACK", True, "cloudbss.E109"),
        ("PUBLIC_URL", "http://shop.example.com", "cloudbss.E106"),
        ("ALLOWED_HOSTS", [], "cloudbss.E107"),
        ("ALLOWED_HOSTS", ["*"], "cloudbss.E107"),
        ("EMAIL_BACKEND", "django.core.mail.backends.dummy.EmailBackend", "cloudbss.W108"),
    ],
)
def test_bad_value_is_found_in_production_only(settings, tmp_path, name, value, expected):
    if value == "CA":
        authority = tmp_path / "ca.pem"
        authority.write_text("-----BEGIN CERTIFICATE-----\n")
        value = str(authority)
    assert ids(settings, **{**GOOD_PRODUCTION, name: value}) == [expected]
    assert ids(settings, PRODUCTION=False) == []


def test_messages_have_hints_and_no_secrets(settings):
    key = Fernet.generate_key().decode()[:-4]
    settings.FIELD_ENCRYPTION_KEYS = [key]
    settings.SECRET_KEY = "a-short-secret"
    messages = check_settings(None)
    text = "".join(f"{message.msg}{message.hint}" for message in messages)
    assert [message.id for message in messages] == ["cloudbss.E001", "cloudbss.E003"]
    assert all(message.hint for message in messages)
    assert key not in text
    assert "a-short-secret" not in text


@pytest.mark.parametrize("module", ["cloudbss.settings.dev", "cloudbss.settings.production"])
def test_missing_keys_are_a_message_and_no_traceback(module):
    environment = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": module}
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--tag", "cloudbss"],
        cwd=BASE,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "cloudbss.E001" in done.stderr
    assert "cloudbss.E002" in done.stderr
    assert "Traceback" not in done.stderr
