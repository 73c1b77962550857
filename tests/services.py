"""Starts PostgreSQL and Valkey for the suite, before Django reads its settings.

Loaded with ``-p tests.services``. The controlling process starts one throw-away cluster for all xdist workers and
removes it at the end; each worker has a database and a Valkey database of its own. Two suites do not meet.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from cloudbss.embedded import Postgres, Valkey
from cloudbss.texts import compile_texts

_HOME = "CLOUDBSS_TEST_HOME"
_worker = os.environ.get("PYTEST_XDIST_WORKER", "")

os.environ["DJANGO_SETTINGS_MODULE"] = "cloudbss.settings.test"
if not _worker and _HOME not in os.environ:
    home = Path(tempfile.mkdtemp(prefix="cloudbss-test-"))
    os.environ[_HOME] = str(home)
    os.environ["CLOUDBSS_HOME"] = str(home)
    os.environ["DATABASE_URL"] = Postgres(home, fast=True).start()
    os.environ["REDIS_URL"] = Valkey(home).start()
    compile_texts()
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
