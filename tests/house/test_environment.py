"""How settings read the environment: types, files, and bad values that are noted instead of raised."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cloudbss.environment import Environment

BASE = Path(__file__).resolve().parents[2]


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> Environment:
    values = {"N": " 12 ", "F": "2.5", "BAD": "twelve", "EMPTY": "", "DB": "postgres://u:hush@h:port/name", "M": "hush"}
    for name, value in values.items():
        monkeypatch.setenv(f"HOUSE_{name}", value)
    return Environment()


def test_numbers_are_read(env: Environment):
    assert (env.int("HOUSE_N", default=1), env.float("HOUSE_F", default=1.0)) == (12, 2.5)
    assert (env.int("HOUSE_MISSING", default=7), env.int("HOUSE_EMPTY", default=7)) == (7, 7)
    assert env.problems == {}


def test_bad_values_are_noted_without_repeating_them(env: Environment):
    assert env.int("HOUSE_BAD", default=7) == 7
    assert env.float("HOUSE_BAD", default=7.5) == 7.5
    assert env.db("HOUSE_DB", default="postgres://u@h:5432/usual")["NAME"] == "usual"
    assert "dummy" in env.email("HOUSE_M", default="dummymail://")["EMAIL_BACKEND"]
    assert set(env.problems) == {"HOUSE_BAD", "HOUSE_DB", "HOUSE_M"}
    assert "hush" not in "".join(env.problems.values())


def test_secret_comes_from_a_file_without_its_line_break(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "secret"
    file.write_text("hush-hush\n")
    monkeypatch.setenv("HOUSE_SECRET_FILE", str(file))
    assert Environment()("HOUSE_SECRET", default="") == "hush-hush"


def test_bad_number_is_a_check_and_no_traceback():
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "cloudbss.settings.dev",
        "VENDOR_READ_TIMEOUT": "soon",
        "DATABASE_URL": "postgres://u:hush@h:port/name",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--tag", "cloudbss"],
        cwd=BASE,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "(cloudbss.E010) VENDOR_READ_TIMEOUT is not a number." in done.stderr
    assert "(cloudbss.E010) DATABASE_URL is not an address of the right form." in done.stderr
    assert "Traceback" not in done.stderr
    assert "hush" not in done.stderr
