"""The vendor twins as a test fixture: one process per xdist worker, reset before each test that uses it."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests


@dataclass
class Twins:
    """A running twin process and its control surface."""

    home: Path
    process: "subprocess.Popen[str]"
    url: str
    tls_url: str
    dns: str = ""

    @classmethod
    def start(cls, home: Path) -> "Twins":
        """Start ``python -m sandbox`` on free ports and wait for its first line."""
        home.mkdir(parents=True, exist_ok=True)
        log = (home / "twins.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "--port", "0", "--tls-port", "0", "--dns-port", "0", "--home", str(home)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=Path(__file__).resolve().parent.parent,
        )
        log.close()
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise RuntimeError(f"the twins did not start; see {home / 'twins.log'}")
        ports = json.loads(line)
        return cls(
            home,
            process,
            f"http://127.0.0.1:{ports['port']}",
            f"https://127.0.0.1:{ports['tls_port']}",
            f"127.0.0.1:{ports['dns_port']}",
        )

    @property
    def ca_file(self) -> Path:
        """The certificate authority that signed the twins' TLS certificate."""
        return self.home / "ca.pem"

    def call(self, method: str, path: str, **values: Any) -> Any:
        """A call of the control surface; returns its JSON."""
        answer = requests.request(method, self.url + path, timeout=20, **values)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def reset(self) -> None:
        """Empty vendors, seeded catalogue, faults off, real clock."""
        self.call("POST", "/_twin/reset")

    def fault(self, operation: str, kind: str, *, times: int = 1, **values: Any) -> None:
        """Switch a fault on for the next ``times`` calls of an operation."""
        body = {"vendor": "partner_center", "operation": operation, "kind": kind, "times": times, **values}
        self.call("POST", "/_twin/faults", json=body)

    def no_faults(self) -> None:
        """All faults off."""
        self.call("DELETE", "/_twin/faults")

    def state(self, vendor: str = "partner_center") -> dict[str, list[dict[str, Any]]]:
        """Everything that exists at a vendor."""
        return dict(self.call("GET", f"/_twin/state/{vendor}"))

    def journal(self, vendor: str = "partner_center") -> list[dict[str, Any]]:
        """The requests the vendor received."""
        answer = self.call("GET", f"/_twin/journal?vendor={vendor}")
        return list(answer["entries"] if isinstance(answer, dict) else answer)

    def advance(self, duration: str) -> None:
        """Move the vendors' clock."""
        self.call("POST", "/_twin/clock", json={"advance": duration})

    def credentials(self) -> dict[str, Any]:
        """The demo partner's application, secret and a fresh refresh token."""
        return dict(self.call("GET", "/_twin/credentials"))

    def instance_settings(self, **values: Any) -> dict[str, Any]:
        """Settings of a Microsoft instance that talks to this twin."""
        from cloudbss.demo_settings import microsoft_settings  # The demo and the tests share the very same settings.

        return microsoft_settings(self.credentials(), self.url, self.tls_url) | values

    def go_on_as(self, other: "Twins") -> None:
        """Be another process of the same home from now on, with all its addresses."""
        self.__dict__.update(other.__dict__)

    def stop(self) -> None:
        """End the process by its pid."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()
