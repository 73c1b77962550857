"""``python -m sandbox --port 8010 --tls-port 8443 --home DIR [--no-tls] [--dns-port 8053]``: the twins on loopback.

Prints one line of JSON with the ports when it is ready. SIGTERM and SIGINT end it at once; what was answered is stored.
"""

import argparse
import fcntl
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import IO

from sandbox.app import App
from sandbox.server import Aside, TwinServer
from sandbox.state import StateUnreadable
from sandbox.tls import server_pair
from sandbox.vendors import build_vendors
from sandbox.world import World


def own(home: Path) -> IO[str]:
    """Make the folder ours alone; a second process on it would spoil the state. Raises ``SystemExit``."""
    home.mkdir(parents=True, exist_ok=True)
    lock = (home / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SystemExit(f"Another process plays the vendors with {home}.") from None
    return lock


def open_world(home: Path) -> World:
    """The world with all vendors, seeded."""
    world = World.open(home)
    world.vendors = [world.login, *build_vendors(world)]
    for vendor in world.vendors:
        vendor.seed()
    world.state.flush()
    return world


def main() -> int:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="sandbox", description="The vendor twins.")
    parser.add_argument("--port", type=int, default=8010, help="http port; 0 takes any free one")
    parser.add_argument("--tls-port", type=int, default=8443, help="https port; 0 takes any free one")
    parser.add_argument("--dns-port", type=int, help="udp port of the name server; 0 takes any free one")
    parser.add_argument("--home", type=Path, required=True, help="folder of state, journal, keys and certificates")
    parser.add_argument("--no-tls", action="store_true", help="http only")
    options = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    home: Path = options.home.resolve()
    lock = own(home)
    signals = {signal.SIGTERM, signal.SIGINT}
    # Blocked before any thread starts, so that only this one receives them.
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        world = open_world(home)
    except StateUnreadable as error:
        raise SystemExit(str(error)) from None
    app, aside = App(world), Aside()
    ports: dict[str, int | None] = {"port": TwinServer(app, aside, options.port).begin(), "tls_port": None}
    if not options.no_tls:
        ports["tls_port"] = TwinServer(app, aside, options.tls_port, server_pair(home)).begin()
    if options.dns_port is not None:
        ports["dns_port"] = world.names.serve(options.dns_port)
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    signal.sigwait(signals)
    if world.lock.acquire(timeout=0.5):
        world.state.close()
    lock.close()
    # Workers may be in the middle of a delay; nothing of theirs is worth waiting for.
    os._exit(0)


if __name__ == "__main__":
    raise SystemExit(main())
