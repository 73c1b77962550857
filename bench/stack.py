"""The programs that are measured: PostgreSQL, Valkey, twins, web and workers, each started and ended by its pid.

PostgreSQL runs with its usual durability (fsync, synchronous_commit and full_page_writes on); :func:`durability` reads
that back from the server for the report.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import psycopg2
import redis
from cryptography.fernet import Fernet

from cloudbss.embedded import Postgres, Valkey, free_port

BASE = Path(__file__).resolve().parent.parent
WAIT = 60


def peak_rss(pid: int) -> int:
    """The most memory a process ever held, in KiB; 0 if it is gone. Shared memory counts for each process."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


def children(pid: int) -> list[int]:
    """The pids of a process's children."""
    with suppress(OSError):
        return [int(item) for item in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


class Program(Protocol):
    """What is started and ended here; each leads a process group of its own."""

    pid: int

    def poll(self) -> int | None:
        """None while it runs."""

    def kill(self) -> None:
        """SIGKILL."""

    def wait(self, timeout: float | None = None) -> int:
        """Until it has ended; ``subprocess.TimeoutExpired`` after so many seconds."""


class Stack:
    """The servers below ``home``, and the environment that programs of the product need to reach them."""

    def __init__(self, home: Path, database_url: str = "") -> None:
        self.home = home
        self.database_url = database_url  # Of a database that somebody else keeps; else one is started here.
        self.postgres = Postgres(home)
        self.valkey = Valkey(home)
        self.processes: dict[str, Program] = {}
        self.peaks: dict[str, int] = {}
        self.environment: dict[str, str] = {}
        self.url = ""
        self.twin_url = ""

    def start(self) -> None:
        """PostgreSQL, Valkey and the twins; afterwards Django can be set up in this process."""
        (self.home / "logs").mkdir(parents=True, exist_ok=True)
        ports = {name: free_port() for name in ("web", "twin", "tls", "names")}
        self.url = f"http://127.0.0.1:{ports['web']}"
        self.twin_url = f"http://127.0.0.1:{ports['twin']}"
        twins = self.home / "twins"
        self.environment = {
            "DJANGO_SETTINGS_MODULE": "bench.settings",
            "CLOUDBSS_HOME": str(self.home),
            "DATABASE_URL": self.database_url or self.postgres.start(),
            "REDIS_URL": self.valkey.start(),
            "SECRET_KEY": "bench-" * 12,
            "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "PUBLIC_URL": self.url,
            "SANDBOX_URL": self.twin_url,
            "SANDBOX_TLS_URL": f"https://127.0.0.1:{ports['tls']}",
            "EXTRA_CA_FILE": str(twins / "ca.pem"),
            "DNS_RESOLVERS": f"127.0.0.1:{ports['names']}",
            "CERTIFICATE_CNAME_TARGETS": "eu.platform.example",
            "LOOPBACK_HOSTS": "127.0.0.1,localhost",
            "LOG_LEVEL": "WARNING",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(BASE),
        }
        os.environ.update(self.environment)
        self.start_twins()

    def start_twins(self) -> None:
        """The vendor twins, with what they had when they ended."""
        ports = [
            self.environment[name].rpartition(":")[2] for name in ("SANDBOX_URL", "SANDBOX_TLS_URL", "DNS_RESOLVERS")
        ]
        places = ("--port", ports[0], "--tls-port", ports[1], "--dns-port", ports[2])
        options = (*places, "--home", str(self.home / "twins"))
        self.spawn("twins", "-m", "sandbox", *options)
        self.wait_for("twins", int(ports[0]))

    def start_web(self) -> None:
        """Gunicorn with production's own file, on the measurements' WSGI application."""
        port = self.url.rpartition(":")[2]
        self.spawn("web", "-m", "gunicorn", "-c", "cloudbss/gunicorn.py", "-b", f"127.0.0.1:{port}", "bench.wsgi")
        self.wait_for("web", int(port))

    def spawn(self, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a Python program in its own process group, with its log below ``home/logs``."""
        with (self.home / "logs" / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", *arguments],
                cwd=BASE,
                env=os.environ | self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.processes[name] = process
        return process

    def wait_for(self, name: str, port: int) -> None:
        """Wait until a program listens; its death or silence ends the run with the end of its log."""
        end = time.monotonic() + WAIT
        while time.monotonic() < end and self.processes[name].poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.05)
        raise SystemExit(f"{name} did not start:\n{self.tail(name)}")

    def tail(self, name: str) -> str:
        """The end of a program's log."""
        return (self.home / "logs" / f"{name}.log").read_text(errors="replace")[-2000:]

    @contextmanager
    def workers(self, count: int, *, queues: str) -> Iterator[None]:
        """So many worker processes, each a solo pool, ready when the block begins and ended after it."""
        names = [f"worker {number + 1} of {count}" for number in range(count)]
        broker = redis.Redis.from_url(self.environment["REDIS_URL"])
        for name in names:
            ready = f"bench-{name.replace(' ', '-')}"
            broker.delete(ready)
            options = ("-P", "solo", "-Q", queues, "-n", f"{ready}@%h", "-l", "WARNING")
            quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
            self.spawn(name, "-m", "celery", "-A", "cloudbss", "worker", *options, *quiet)
        try:
            for name in names:
                self._wait_ready(broker, name, f"bench-{name.replace(' ', '-')}")
            yield
        finally:
            for name in names:
                self.note_peak(name)
                self.end(name)
            broker.close()

    def _wait_ready(self, broker: Any, name: str, ready: str) -> None:
        """``bench.tasks`` leaves this key when its worker takes messages."""
        end = time.monotonic() + WAIT
        while time.monotonic() < end and self.processes[name].poll() is None:
            if any(broker.scan_iter(match=f"{ready}@*")):
                broker.delete(*broker.scan_iter(match=f"{ready}@*"))
                return
            time.sleep(0.05)
        raise SystemExit(f"{name} did not start:\n{self.tail(name)}")

    def note_peak(self, name: str) -> None:
        """Remember the most memory that a program and each of its children held."""
        process = self.processes.get(name)
        if process is None or process.poll() is not None:
            return
        self.peaks[name] = max(self.peaks.get(name, 0), peak_rss(process.pid))
        for number, pid in enumerate(sorted(children(process.pid)), start=1):
            key = f"{name}, process {number}"
            self.peaks[key] = max(self.peaks.get(key, 0), peak_rss(pid))

    def note_peaks(self) -> None:
        """The same for everything that runs, the servers and this process included."""
        for name in list(self.processes):
            self.note_peak(name)
        self.peaks["measuring process"] = peak_rss(os.getpid())
        with suppress(OSError, ValueError, IndexError):
            first = int((self.postgres.data / "postmaster.pid").read_text().splitlines()[0])
            self.peaks["postgresql"] = peak_rss(first)
            peaks = [peak_rss(pid) for pid in children(first)]
            self.peaks["postgresql, largest backend"] = max([*peaks, self.peaks.get("postgresql, largest backend", 0)])
        notes = json.loads(self.valkey.notes.read_text()) if self.valkey.notes.exists() else {}
        self.peaks["valkey"] = peak_rss(int(notes.get("pid", 0)))

    def end(self, name: str) -> None:
        """End a program and its group by pid."""
        process = self.processes.pop(name, None)
        if process is None or process.poll() is not None:
            return
        for sign, patience in ((signal.SIGTERM, 15), (signal.SIGKILL, 5)):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, sign)
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience)
                return

    def stop(self, *, remove: bool = True) -> None:
        """End everything that was started here."""
        for name in reversed(list(self.processes)):
            self.end(name)
        self.valkey.stop()
        if remove:
            self.postgres.remove()
        else:
            self.postgres.stop()


def durability(database_url: str) -> Mapping[str, str]:
    """What the server says about its durability and memory, by setting."""
    names = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "server_version")
    connection = psycopg2.connect(database_url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, current_setting(name) FROM unnest(%s) AS name", [list(names)])
            return dict(cursor.fetchall())
    finally:
        connection.close()
