"""Workers that are born ready: one process loads everything once and forks a worker for each line it reads.

To be killed every other second a worker must not take three seconds of a processor to start. What is forked has no
connection to anything yet, leads a process group of its own and runs Celery's own ``worker``, as the command does.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Lock

from bench.stack import Stack
from cloudbss.embedded import alive

# What Celery imports by name only when a worker starts.
PARTS = ("celery.bin.celery", "celery.apps.worker", "celery.worker.components", "celery.worker.consumer")


class Worker:
    """A forked worker; what :class:`subprocess.Popen` can do, as far as the stack needs it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        """None while it lives; how it ended is not known."""
        return None if alive(self.pid) else 0

    def kill(self) -> None:
        """SIGKILL, without warning."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Until it is gone; raises ``TimeoutExpired`` if that takes more than so many seconds."""
        end = time.monotonic() + (timeout or 60)
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(f"worker {self.pid}", timeout or 60)
            time.sleep(0.02)
        return 0


class Nursery:
    """The process that forks, seen from outside; it ends with its input."""

    def __init__(self, stack: Stack) -> None:
        self.logs = stack.home / "logs"
        self.turn = Lock()
        with (self.logs / "nursery.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "bench.chaos.nursery"],
                env=os.environ | stack.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def worker(self, name: str, *options: str) -> Worker:
        """A new worker with these options of Celery's ``worker``; its log is that of its name."""
        with self.turn:
            if self.process.stdin is None or self.process.stdout is None:
                raise RuntimeError("the nursery has no pipes")
            self.process.stdin.write("\t".join((str(self.logs / f"{name}.log"), *options)) + "\n")
            self.process.stdin.flush()
            said = self.process.stdout.readline()
        if not said:
            raise SystemExit(f"no worker was forked:\n{(self.logs / 'nursery.log').read_text()[-2000:]}")
        return Worker(int(said))

    def close(self) -> None:
        """End it; the workers it forked live on."""
        self.process.communicate(timeout=20)


def main() -> None:
    """Load everything, then fork a worker for each line: the path of its log and its options, between tabs."""
    # Django reads its settings from the environment that this process was given.
    from cloudbss.celery import app

    app.loader.import_default_modules()
    for part in PARTS:
        import_module(part)
    # Nobody asks how a worker ended, so none is left as a zombie.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        log, *options = line.rstrip("\n").split("\t")
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _become_worker(Path(log), options)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _become_worker(log: Path, options: list[str]) -> None:
    from cloudbss.celery import app  # Loaded before, by the process that was forked.

    os.setsid()
    for path, mode, number in ((Path(os.devnull), os.O_RDONLY, 0), (log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 1)):
        opened = os.open(path, mode, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.dup2(1, 2)
    try:
        app.worker_main(["worker", *options])
    finally:
        sys.stdout.flush()
        # Not back into the loop that forked it.
        os._exit(0)


if __name__ == "__main__":
    main()
