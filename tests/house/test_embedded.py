"""The two servers of a machine without servers: start, adopt, come back after a kill, stop, remove."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import redis
from django.db import connection

from cloudbss import embedded
from cloudbss.embedded import EmbeddedError, Postgres, Valkey, alive


def answer(url: str, statement: str) -> object:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            connection.commit()
            return cursor.fetchone()[0] if cursor.description else None
    finally:
        connection.close()


def kill_and_wait(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + 10
    while alive(pid) and time.monotonic() < end:
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass
        time.sleep(0.05)
    assert not alive(pid)


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    server = Postgres(tmp_path / "home")
    yield server
    server.remove()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path / "home")
    yield server
    server.stop()


def test_postgres_keeps_its_data_through_adoption_kill_and_stop(postgres: Postgres):
    url = postgres.start()
    answer(url, "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('safe')")
    pid = postgres._pid()
    assert pid is not None
    assert Postgres(postgres.home).start() == url
    assert postgres._pid() == pid

    kill_and_wait(pid)
    again = Postgres(postgres.home).start()
    assert postgres._pid() not in (None, pid)
    assert answer(again, "SELECT word FROM kept") == "safe"

    Postgres(postgres.home).stop()
    assert postgres._pid() is None
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(again)
    assert answer(postgres.start(), "SELECT word FROM kept") == "safe"


def test_postgres_listens_on_loopback_with_a_password_only_we_can_read(postgres: Postgres):
    url = postgres.start()
    assert answer(url, "SHOW listen_addresses") == "127.0.0.1"
    assert answer(url, "SHOW unix_socket_directories") == ""
    assert answer(url, "SHOW fsync") == "on"
    assert postgres.notes.stat().st_mode & 0o077 == 0
    password = postgres._read_notes()["password"]
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(url.replace(str(password), "wrong"))


def test_removing_postgres_leaves_nothing(postgres: Postgres):
    postgres.start()
    postgres.remove()
    assert not postgres.folder.exists()
    assert not postgres.notes.exists()


def test_valkey_is_adopted_and_comes_back_after_a_kill(valkey: Valkey):
    url = valkey.start()
    pid = valkey._read_notes()["pid"]
    assert Valkey(valkey.home).start() == url
    assert valkey._read_notes()["pid"] == pid

    kill_and_wait(pid)
    again = Valkey(valkey.home).start()
    assert valkey._read_notes()["pid"] != pid
    assert again == url, "whoever was connected finds the server again"
    assert redis.Redis.from_url(again).ping() is True

    valkey.stop()
    assert "pid" not in valkey._read_notes()
    with pytest.raises(redis.ConnectionError):
        redis.Redis.from_url(again).ping()


def test_stopping_valkey_spares_a_process_that_got_its_pid(valkey: Valkey):
    embedded._write_private(valkey.notes, f'{{"pid": {os.getpid()}, "port": {embedded.free_port()}}}')
    valkey.stop()
    assert alive(os.getpid())


def test_given_addresses_are_used_and_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://given")
    monkeypatch.setenv("REDIS_URL", "redis://given")
    assert embedded.start(tmp_path / "home") == embedded.Services("postgres://given", "redis://given")
    assert not (tmp_path / "home").exists()


def test_missing_servers_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(embedded, "_wheel", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EmbeddedError, match="set DATABASE_URL"):
        Postgres(tmp_path / "home").start()
    Postgres(tmp_path / "home").remove()
    with pytest.raises(EmbeddedError, match="set REDIS_URL"):
        Valkey(tmp_path / "home").start()


@pytest.mark.django_db
def test_capitals_of_every_script_are_known():
    """Searching ignores case in Greek too; the machine's own PostgreSQL, if older than 17, knows ASCII's alone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT upper('άλφα beta'), lower('ΩΜΕΓΑ')")
        assert cursor.fetchone() == ("ΆΛΦΑ BETA", "ωμεγα")
