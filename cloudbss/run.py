"""``make run``: starts everything with demo data on this machine and stops it again.

PostgreSQL, Valkey, the vendor twins, worker, beat and web; each child in its own process group with its log below
``CLOUDBSS_HOME/logs``. A child that dies is started again. Ctrl-C ends all of them. What an earlier run that was killed
left behind is found by pid and start time, and ended.
"""

import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from cryptography.fernet import Fernet

from cloudbss import embedded
from cloudbss.texts import compile_texts

BASE = Path(__file__).resolve().parent.parent
PORTS = {"PORT": 8000, "SANDBOX_PORT": 8010, "SANDBOX_TLS_PORT": 8443, "SANDBOX_DNS_PORT": 8053}
STOP_SECONDS = 15
RESTART_SECONDS = (1, 2, 5, 10, 30)
LOG_BYTES = 5_000_000
QUEUES = "default,vendors,bulk,mail"


LOCK_SECONDS = 20  # A former run that is just stopping gets that long.
ENVIRONMENT = "environment.json"  # What a second shell needs; cloudbss/settings/dev.py reads it.


def only_one(home: Path) -> TextIO | None:
    """The lock of this installation, held until the process ends; None if another one keeps running beside us."""
    home.mkdir(parents=True, exist_ok=True)
    lock = (home / "run.lock").open("w")
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except OSError:
            if time.monotonic() > end:
                lock.close()
                return None
            time.sleep(0.2)


def say(text: str) -> None:
    """A line for the person at the terminal."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def port_is_free(port: int) -> bool:
    """Whether we could listen on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def start_time(pid: int) -> str:
    """When a process was started, to tell it from another one that got the same pid later; empty if it is gone."""
    with suppress(OSError, IndexError):
        # The twenty-second field, in ticks since boot; the name before it may hold spaces, so count after its bracket.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    with suppress(FileNotFoundError):
        done = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return done.stdout.strip()
    return ""


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; empty if there is none."""
    with suppress(OSError, ValueError):
        return dict(json.loads(path.read_text()))
    return {}


def write_private(path: Path, value: object) -> None:
    """Write JSON that only we can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(value, file, indent=1)


@dataclass
class Child:
    """One program under supervision."""

    name: str
    command: Sequence[str]
    process: "subprocess.Popen[bytes] | None" = None
    deaths: int = 0
    again_at: float = 0.0


class Supervisor:
    """Starts the children in order, keeps them running, and stops them in the opposite order."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.notes = home / "children.json"
        self.children: list[Child] = []
        self.stopping = False
        self.environment = dict(os.environ)

    def prepare(self) -> None:
        """Folders, leftovers, keys, ports and the two servers; the environment of all children."""
        for folder in (self.home, self.home / "logs", self.home / "twins"):
            folder.mkdir(parents=True, exist_ok=True)
        self.end_leftovers()
        compile_texts()
        ports = self.choose_ports()
        services = embedded.start(self.home)
        keys = self.keys()
        web = f"http://127.0.0.1:{ports['PORT']}"
        defaults = {
            "DJANGO_SETTINGS_MODULE": "cloudbss.settings.dev",
            "CLOUDBSS_HOME": str(self.home),
            "DATABASE_URL": services.database_url,
            "REDIS_URL": services.redis_url,
            "PUBLIC_URL": web,
            "SANDBOX_URL": f"http://127.0.0.1:{ports['SANDBOX_PORT']}",
            "SANDBOX_TLS_URL": f"https://127.0.0.1:{ports['SANDBOX_TLS_PORT']}",
            "EXTRA_CA_FILE": str(self.home / "twins" / "ca.pem"),
            "LOOPBACK_HOSTS": "127.0.0.1,localhost",
            "DNS_RESOLVERS": f"127.0.0.1:{ports['SANDBOX_DNS_PORT']}",
            "CERTIFICATE_CNAME_TARGETS": "eu.platform.example,us.platform.example",
            **keys,
        }
        for name, value in defaults.items():
            self.environment.setdefault(name, value)
        self.environment |= {name: str(port) for name, port in ports.items()}
        self.environment["PYTHONUNBUFFERED"] = "1"
        known = [*defaults, *ports]
        write_private(self.home / ENVIRONMENT, {name: self.environment[name] for name in known})

    def keys(self) -> dict[str, str]:
        """The demo's keys, made once and kept readable for us alone."""
        path = self.home / "env.json"
        kept = read_json(path)
        fresh = {
            "SECRET_KEY": secrets.token_urlsafe(60),
            "FIELD_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "SANDBOX_CLIENT_SECRET": secrets.token_urlsafe(30),
            "DEMO_PASSWORD": "demo-" + secrets.token_urlsafe(9),
        }
        keys = fresh | kept
        if keys != kept:
            write_private(path, keys)
        return {name: str(value) for name, value in keys.items()}

    def choose_ports(self) -> dict[str, int]:
        """The usual ports, those of the last run, or free ones; a port given by the environment must be free."""
        path = self.home / "ports.json"
        kept = read_json(path)
        chosen: dict[str, int] = {}
        for name, usual in PORTS.items():
            given = os.environ.get(name)
            if given:
                if not port_is_free(int(given)):
                    raise SystemExit(f"{name}={given} is in use. Choose another port or leave it out.")
                chosen[name] = int(given)
                continue
            wanted = [usual, int(kept.get(name, usual))]
            chosen[name] = next((port for port in wanted if port_is_free(port)), 0) or embedded.free_port()
        write_private(path, chosen)
        return chosen

    def end_leftovers(self) -> None:
        """End children that an earlier run left behind: same pid and same start time, so certainly ours."""
        for name, note in read_json(self.notes).items():
            pid = int(note["pid"])
            if embedded.alive(pid) and start_time(pid) == note["started"]:
                say(f"Ending {name} of an earlier run (pid {pid}).")
                self.end_group(pid)
        self.notes.unlink(missing_ok=True)

    @staticmethod
    def end_group(pid: int) -> None:
        """Ask a process group to end, and insist after a while."""
        for sign, patience in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 5)):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, sign)
            end = time.monotonic() + patience
            while time.monotonic() < end:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
                if not embedded.alive(pid):
                    return
                time.sleep(0.05)

    def manage(self, *arguments: str) -> str:
        """Run a management command to its end; its output is returned, a failure stops the start."""
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "manage.py", *arguments],
            cwd=BASE,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"manage.py {arguments[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        return done.stdout

    def add(self, name: str, *command: str) -> Child:
        """Start a program and look after it."""
        child = Child(name, command)
        self.children.append(child)
        self.spawn(child)
        return child

    def spawn(self, child: Child) -> None:
        """Start a child in its own process group, with a log file that is turned over when it grows."""
        log = self.home / "logs" / f"{child.name}.log"
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            child.process = subprocess.Popen(
                child.command,
                cwd=BASE,
                env=self.environment,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        notes = {
            item.name: {"pid": item.process.pid, "started": start_time(item.process.pid)}
            for item in self.children
            if item.process and item.process.poll() is None
        }
        write_private(self.notes, notes)

    def wait_for_port(self, name: str, port: int, seconds: float = 60) -> None:
        """Wait until somebody listens on a loopback port."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.stopping:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.1)
        if not self.stopping:
            raise SystemExit(f"{name} did not start; see {self.home / 'logs' / f'{name}.log'}.")

    def start(self) -> None:
        """Everything, in the order in which one needs the other."""
        python = sys.executable
        port = self.environment["PORT"]
        say("Preparing the database ...")
        self.manage("migrate", "--no-input", "--verbosity", "0")
        self.manage("collectstatic", "--no-input", "--verbosity", "0")
        twin = self.environment["SANDBOX_PORT"]
        tls = self.environment["SANDBOX_TLS_PORT"]
        home = str(self.home / "twins")
        names = self.environment["SANDBOX_DNS_PORT"]
        places = ("--port", twin, "--tls-port", tls, "--dns-port", names, "--home", home)
        self.add("twins", python, "-m", "sandbox", *places)
        self.wait_for_port("twins", int(twin))
        say("Preparing the demo ... (the first time takes a minute or two)")
        self.manage("seed_demo")
        celery = (python, "-W", "ignore", "-m", "celery", "-A", "cloudbss")
        self.add(
            "worker", *celery, "worker", "-Q", QUEUES, "-c", "2", "--without-gossip", "--without-mingle", "-l", "INFO"
        )
        schedule = str(self.home / "celerybeat-schedule")
        self.add("beat", *celery, "beat", "-s", schedule, "--pidfile=", "-l", "INFO")
        self.add(
            "web", python, "-m", "gunicorn", "-c", "cloudbss/gunicorn.py", "-b", f"127.0.0.1:{port}", "cloudbss.wsgi"
        )
        self.wait_for_port("web", int(port))

    def watch(self) -> None:
        """Restart what dies, a little later each time, until somebody asks to stop."""
        while not self.stopping:
            for child in self.children:
                self.look_after(child)
            time.sleep(0.3)

    def look_after(self, child: Child) -> None:
        """Restart one child if it died."""
        if child.process is None:
            if time.monotonic() >= child.again_at:
                self.spawn(child)
            return
        code = child.process.poll()
        if code is None:
            return
        wait = RESTART_SECONDS[min(child.deaths, len(RESTART_SECONDS) - 1)]
        child.deaths += 1
        child.process, child.again_at = None, time.monotonic() + wait
        say(f"{child.name} ended with {code}; starting it again in {wait} s (see logs/{child.name}.log).")

    def stop(self) -> None:
        """End all children, last started first, then the two servers."""
        for child in reversed(self.children):
            if child.process is not None and child.process.poll() is None:
                self.end_group(child.process.pid)
        self.notes.unlink(missing_ok=True)
        if "DATABASE_URL" not in os.environ or "REDIS_URL" not in os.environ:
            embedded.stop(self.home)

    def show(self) -> None:
        """Print where everything is and who can sign in."""
        info = json.loads(self.manage("demo_info", "--json"))
        say("\nCloud BSS is up:")
        for name, url in info["urls"].items():
            say(f"  {name:<11}{url}")
        say("\nSign in as:")
        for user in info["users"]:
            say(f"  {user['role']:<26}{user['username']:<34}{user['password']}")
        say(f"\nLogs: {self.home / 'logs'}   Stop: Ctrl-C")


def main() -> int:
    """Run until somebody stops it."""
    home = Path(os.environ.get("CLOUDBSS_HOME") or BASE / ".local").resolve()
    lock = only_one(home)
    if lock is None:
        raise SystemExit(f"Another make run uses {home}. Stop it first, or set CLOUDBSS_HOME to another folder.")
    supervisor = Supervisor(home)

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        if not supervisor.stopping:
            say("\nStopping ...")
        supervisor.stopping = True

    signal.signal(signal.SIGINT, ask_to_stop)
    signal.signal(signal.SIGTERM, ask_to_stop)
    try:
        supervisor.prepare()
        supervisor.start()
        if not supervisor.stopping:
            supervisor.show()
        supervisor.watch()
    except embedded.EmbeddedError as error:
        raise SystemExit(str(error)) from error
    finally:
        supervisor.stop()
        lock.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
