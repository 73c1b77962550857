"""A receiver of webhooks on this machine: keeps what arrives and answers by its path."""

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Receiver:
    """Where it is, and the requests that came: path, headers (lower case) and raw body."""

    url: str = ""
    seen: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


def _handler(receiver: Receiver) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        """Answers by the last part of the path: a status, or the name of a bad habit."""

        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Keep it, and answer."""
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.seen.append((self.path, headers, body))
            habit = self.path.rpartition("/")[2]
            if habit == "redirect":
                self.reply(302, b"", Location=f"{receiver.url}/elsewhere/200")
            elif habit == "huge":
                self.reply(200, b"x" * 3_000_000)
            elif habit == "silent":
                time.sleep(3)
                self.close_connection = True
            elif habit == "drip":
                self.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Long: " + b"x" * 100)
            elif habit == "slowbody":
                self.send_response(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.drip(b"y" * 100)
            else:
                self.reply(int(habit) if habit.isdigit() else 200, b"thank you")

        def drip(self, text: bytes) -> None:
            """A byte now and then."""
            for byte in text:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.1)
            self.close_connection = True

        def reply(self, status: int, body: bytes, **headers: str) -> None:
            """Send an answer."""
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler


class _Quiet(http.server.ThreadingHTTPServer):
    """Connections that are cut are what is tested."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A running receiver."""
    receiver = Receiver()
    server = _Quiet(("127.0.0.1", 0), _handler(receiver))
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
