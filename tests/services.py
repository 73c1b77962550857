"""Starts PostgreSQL and Valkey for the suite, before Django reads its settings.

Loaded with ``-p tests.services``. The controlling process starts one throw-away cluster for all xdist workers and
removes it at the end; each worker has a database and a Valkey database of its own. Two suites do not meet.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from cloudbss.embedded import Postgres, Valkey
from cloudbss.texts import compile_texts

_HOME = "CLOUDBSS_TEST_HOME"
TEMPLATE = "cloudbss_template"
_worker = os.environ.get("PYTEST_XDIST_WORKER", "")


def _create_database(name: str, more: str = "") -> str:
    """Make a database and return its URL."""
    before = os.environ["DATABASE_URL"]
    with closing(psycopg2.connect(before)) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {name} {more}")
    return f"{before.rpartition('/')[0]}/{name}"


def copy_of_template(name: str) -> str:
    """Make a migrated database that belongs to no worker, and return its URL; it goes with the cluster."""
    return _create_database(name, f"TEMPLATE {TEMPLATE}")


def _make_template() -> None:
    """A migrated database, made once, of which each worker's is a copy."""
    url = _create_database(TEMPLATE)
    command = [sys.executable, "-W", "ignore", "manage.py", "migrate", "--verbosity", "0", "--skip-checks"]
    subprocess.run(command, cwd=Path(__file__).parent.parent, env=os.environ | {"DATABASE_URL": url}, check=True)


os.environ["DJANGO_SETTINGS_MODULE"] = "cloudbss.settings.test"
if not _worker and _HOME not in os.environ:
    home = Path(tempfile.mkdtemp(prefix="cloudbss-test-"))
    os.environ[_HOME] = str(home)
    os.environ["CLOUDBSS_HOME"] = str(home)
    os.environ["DATABASE_URL"] = Postgres(home, fast=True).start()
    os.environ["REDIS_URL"] = Valkey(home).start()
    compile_texts()
    _make_template()
    os.environ["CLOUDBSS_TEST_OWNER"] = str(os.getpid())
if _worker:
    number = int(_worker.removeprefix("gw")) + 1
    os.environ["REDIS_URL"] = os.environ["REDIS_URL"].rpartition("/")[0] + f"/{number}"


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop and remove what this very process started."""
    if os.environ.get("CLOUDBSS_TEST_OWNER") == str(os.getpid()):
        home = Path(os.environ[_HOME])
        Valkey(home).stop()
        Postgres(home).remove()
        shutil.rmtree(home, ignore_errors=True)
