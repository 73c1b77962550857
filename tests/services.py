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
COUNTABLE_HASHES = 160_000  # The version of PostgreSQL that lets one say how often a password is hashed.
_worker = os.environ.get("PYTEST_XDIST_WORKER", "")
_migrating: list["subprocess.Popen[bytes]"] = []


def _hash_lightly() -> None:
    """Make a log-in cost a millisecond: each thread of the live server has a session, each request a thread."""
    with closing(psycopg2.connect(os.environ["DATABASE_URL"])) as connection, connection, connection.cursor() as cursor:
        if connection.server_version >= COUNTABLE_HASHES:
            cursor.execute("SET scram_iterations = 1")
            cursor.execute("ALTER ROLE CURRENT_USER PASSWORD %s", [connection.info.password])


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


def _start_template() -> None:
    """Begin a migrated database, made once, of which each worker's is a copy; meanwhile the tests are collected."""
    url = _create_database(TEMPLATE)
    command = [sys.executable, "-W", "ignore", "manage.py", "migrate", "--verbosity", "0", "--skip-checks"]
    _migrating.append(
        subprocess.Popen(command, cwd=Path(__file__).parent.parent, env=os.environ | {"DATABASE_URL": url})
    )


def _await_template() -> None:
    """No test starts before; a migration that fails ends the run."""
    while _migrating:
        code = _migrating.pop().wait()
        if code:
            pytest.exit(f"the migrations failed with {code}", returncode=1)


os.environ["DJANGO_SETTINGS_MODULE"] = "cloudbss.settings.test"
if not _worker and _HOME not in os.environ:
    home = Path(tempfile.mkdtemp(prefix="cloudbss-test-"))
    os.environ[_HOME] = str(home)
    os.environ["CLOUDBSS_HOME"] = str(home)
    os.environ["DATABASE_URL"] = Postgres(home, fast=True).start()
    os.environ["REDIS_URL"] = Valkey(home).start()
    compile_texts()
    _hash_lightly()
    _start_template()
    os.environ["CLOUDBSS_TEST_OWNER"] = str(os.getpid())
if _worker:
    number = int(_worker.removeprefix("gw")) + 1
    os.environ["REDIS_URL"] = os.environ["REDIS_URL"].rpartition("/")[0] + f"/{number}"


def pytest_collection_finish() -> None:
    """All tests are known to the process that runs them."""
    _await_template()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished() -> None:
    """All tests are known to a worker, which runs none before we say so."""
    _await_template()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop and remove what this very process started."""
    if os.environ.get("CLOUDBSS_TEST_OWNER") == str(os.getpid()):
        for process in _migrating:
            process.kill()
            process.wait()
        home = Path(os.environ[_HOME])
        Valkey(home).stop()
        Postgres(home).remove()
        shutil.rmtree(home, ignore_errors=True)
