"""``make run``'s supervisor: ports, keys, leftovers of a killed run, and children that die."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloudbss import run
from cloudbss.embedded import alive, free_port
from cloudbss.run import PORTS, Supervisor, read_json, start_time, write_private

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")


def until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def has_ended(process: "subprocess.Popen[bytes]") -> bool:
    return process.poll() is not None


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    for name in PORTS:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "logs").mkdir()
    supervisor = Supervisor(tmp_path)
    yield supervisor
    for child in supervisor.children:
        if child.process is not None:
            supervisor.end_group(child.process.pid)
            child.process.wait(10)


def occupied() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def test_port_of_the_last_run_is_taken_again(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch):
    with occupied() as usual:
        taken = usual.getsockname()[1]
        monkeypatch.setitem(PORTS, "PORT", taken)
        first = supervisor.choose_ports()
        second = supervisor.choose_ports()
    assert first["PORT"] != taken
    assert first == second == read_json(supervisor.home / "ports.json")


def test_given_port_is_used_and_a_taken_one_is_refused(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch):
    port = free_port()
    monkeypatch.setenv("PORT", str(port))
    assert supervisor.choose_ports()["PORT"] == port
    with occupied() as listener:
        monkeypatch.setenv("PORT", str(listener.getsockname()[1]))
        with pytest.raises(SystemExit, match="is in use"):
            supervisor.choose_ports()


def test_keys_are_made_once_and_readable_for_us_alone(supervisor: Supervisor):
    first = supervisor.keys()
    path = supervisor.home / "env.json"
    assert supervisor.keys() == first == read_json(path)
    assert path.stat().st_mode & 0o077 == 0


def test_keys_that_came_later_are_added_to_kept_ones(supervisor: Supervisor):
    write_private(supervisor.home / "env.json", {"SECRET_KEY": "kept"})
    keys = supervisor.keys()
    assert keys["SECRET_KEY"] == "kept"
    assert set(keys) == {"SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "SANDBOX_CLIENT_SECRET", "DEMO_PASSWORD"}


def test_children_of_a_killed_run_are_ended(supervisor: Supervisor):
    child = supervisor.add("sleeper", *SLEEPER)
    assert child.process is not None
    Supervisor(supervisor.home).end_leftovers()
    assert until(lambda: has_ended(child.process))
    assert not supervisor.notes.exists()


def test_process_that_got_the_pid_later_is_spared(supervisor: Supervisor):
    stranger = subprocess.Popen(SLEEPER, start_new_session=True)
    try:
        write_private(supervisor.notes, {"web": {"pid": stranger.pid, "started": "Mon Jan  1 00:00:00 2024"}})
        supervisor.end_leftovers()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait(10)


def test_child_that_dies_is_started_again_a_little_later(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cloudbss.run.RESTART_SECONDS", (0, 3600))
    child = supervisor.add("sleeper", *SLEEPER)
    assert child.process is not None
    first = child.process
    os.kill(first.pid, signal.SIGKILL)
    assert until(lambda: has_ended(first))
    supervisor.look_after(child)
    assert child.process is None
    supervisor.look_after(child)
    assert child.process is not None
    assert child.process.pid != first.pid

    second = child.process
    os.kill(second.pid, signal.SIGKILL)
    assert until(lambda: has_ended(second))
    supervisor.look_after(child)
    supervisor.look_after(child)
    assert child.process is None
    assert child.deaths == 2


def test_a_child_that_ignores_the_request_is_killed(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cloudbss.run.STOP_SECONDS", 0.5)
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    )
    child = supervisor.add("stubborn", sys.executable, "-c", code)
    log = supervisor.home / "logs" / "stubborn.log"
    assert until(lambda: log.exists() and "ready" in log.read_text())
    assert child.process is not None
    supervisor.end_group(child.process.pid)
    assert not alive(child.process.pid)


def test_log_is_turned_over_when_it_grows(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cloudbss.run.LOG_BYTES", 3)
    (supervisor.home / "logs" / "sleeper.log").write_text("old lines")
    supervisor.add("sleeper", *SLEEPER)
    assert (supervisor.home / "logs" / "sleeper.log.1").read_text() == "old lines"
    assert (supervisor.home / "logs" / "sleeper.log").read_text() == ""


def test_failed_command_stops_the_start_and_shows_why(supervisor: Supervisor):
    with pytest.raises(SystemExit, match="Unknown command"):
        supervisor.manage("no_such_command")


def test_waiting_for_a_port_ends_with_the_log_to_look_at(supervisor: Supervisor):
    with pytest.raises(SystemExit, match=r"web did not start; see .*web\.log"):
        supervisor.wait_for_port("web", free_port(), seconds=0.3)


def test_start_time_tells_processes_apart():
    assert start_time(os.getpid()) != ""
    assert start_time(2**22 - 1) == ""


def test_second_run_beside_the_first_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "LOCK_SECONDS", 0.1)
    first = run.only_one(tmp_path)
    assert first is not None
    assert run.only_one(tmp_path) is None
    first.close()
    again = run.only_one(tmp_path)
    assert again is not None
    again.close()
