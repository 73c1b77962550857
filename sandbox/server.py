"""The web server: cheroot for http and TLS in one process, with the raw socket at hand for faults.

An answer that never comes does not hold a worker: its connection is put aside and closed by one thread later.
"""

import os
import socket
import struct
import threading
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

from cheroot.server import Gateway, HTTPServer
from cheroot.ssl.builtin import BuiltinSSLAdapter

from sandbox.app import App
from sandbox.wire import Delivery, Hang, Reset

THREADS = 32
SLOW_PIECES = 10
HANDSHAKE_SECONDS = 3.0
MAX_BODY = 20_000_000
_RST = struct.pack("ii", 1, 0)
_REASONS = {item.value: f"{item.value} {item.phrase}".encode() for item in HTTPStatus}


class Aside:
    """Connections without an answer: held open until their time is over or the other side gives up."""

    def __init__(self) -> None:
        self._held: list[tuple[float, Any]] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._watch, name="aside", daemon=True).start()

    def hold(self, conn: Any, seconds: float) -> None:
        """Keep a connection open for some seconds; a negative number means as long as the caller waits."""
        conn.linger = True
        until = time.monotonic() + (seconds if seconds >= 0 else 86_400)
        with self._lock:
            self._held.append((until, conn.socket))

    def _watch(self) -> None:
        while True:
            time.sleep(0.25)
            with self._lock:
                held, self._held = self._held, []
            kept = []
            for until, sock in held:
                if time.monotonic() < until and not _is_closed(sock):
                    kept.append((until, sock))
                else:
                    sock.close()
            with self._lock:
                self._held += kept


def _is_closed(sock: Any) -> bool:
    """Whether the other side has closed the connection; asked of the descriptor, since TLS sockets cannot peek."""
    try:
        probe = socket.socket(fileno=os.dup(sock.fileno()))
    except OSError:
        return True
    with probe:
        probe.setblocking(False)
        try:
            return probe.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True


class TwinGateway(Gateway):
    """Hands a request of cheroot to the application and its answer back."""

    def respond(self) -> None:
        """Answer, hang or reset."""
        req = self.req
        server: TwinServer = req.server
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in req.inheaders.items()}
        body = req.rfile.read() if req.chunked_read or headers.get("content-length", "0") != "0" else b""
        scheme = req.scheme.decode()
        base_url = f"{scheme}://{headers.get('host') or f'127.0.0.1:{server.bind_addr[1]}'}"
        try:
            delivery = server.app.answer(req.method.decode(), req.uri.decode("latin-1"), headers, body, base_url)
        except Hang as hang:
            self._leave()
            server.aside.hold(req.conn, hang.seconds)
        except Reset as reset:
            self._leave()
            if not reset.orderly:
                _reset(req.conn)
        else:
            self._send(delivery)

    def _leave(self) -> None:
        """Nothing is sent, and the connection is not used again."""
        self.req.sent_headers = True
        self.req.close_connection = True

    def _send(self, delivery: Delivery) -> None:
        req, answer = self.req, delivery.response
        payload = answer.payload()
        req.status = _REASONS.get(answer.status) or f"{answer.status} Status".encode()
        out = req.outheaders
        for key, value in answer.headers.items():
            # A name may come several times, separated by lines, as with doubled headers.
            out.extend((key.encode(), part.encode("latin-1", "replace")) for part in value.split("\n"))
        if answer.status != 204:
            out.append((b"Content-Length", str(len(payload)).encode()))
            if payload and "Content-Type" not in answer.headers:
                out.append((b"Content-Type", answer.content_type.encode()))
        if req.method == b"HEAD" or answer.status in (204, 304):
            payload = b""
        if delivery.cut:
            req.close_connection = True
            payload = payload[: len(payload) // 2]
        req.ensure_headers_sent()
        if delivery.slow_seconds and payload:
            _drip(req, payload, delivery.slow_seconds)
        elif payload:
            req.write(payload)


def _drip(req: Any, payload: bytes, seconds: float) -> None:
    step = max(1, -(-len(payload) // SLOW_PIECES))
    for start in range(0, len(payload), step):
        time.sleep(seconds / SLOW_PIECES)
        req.write(payload[start : start + step])


def _reset(conn: Any) -> None:
    """Close with RST: linger of zero seconds, and no orderly shutdown by the server afterwards."""
    conn.linger = True
    conn.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
    os.close(conn.socket.detach())


class Adapter(BuiltinSSLAdapter):
    """TLS of the standard library; a caller who is silent may not keep the others waiting."""

    def wrap(self, sock: Any) -> tuple[Any, dict[str, Any]]:
        """Shake hands, for a few seconds at most."""
        usual = sock.gettimeout()
        sock.settimeout(HANDSHAKE_SECONDS)
        wrapped, environment = super().wrap(sock)  # type: ignore[no-untyped-call]
        wrapped.settimeout(usual)
        return wrapped, environment


class TwinServer(HTTPServer):
    """One listening port on loopback."""

    def __init__(self, app: App, aside: Aside, port: int, pair: tuple[Path, Path] | None = None) -> None:
        super().__init__(("127.0.0.1", port), TwinGateway, minthreads=THREADS, server_name="Twin")
        self.app = app
        self.aside = aside
        self.request_queue_size = 256
        self.timeout = 75
        self.max_request_body_size = MAX_BODY
        self.keep_alive_conn_limit = 500
        if pair:
            self.ssl_adapter = Adapter(str(pair[0]), str(pair[1]))

    def begin(self) -> int:
        """Listen and serve in a thread of its own; returns the port."""
        self.prepare()
        threading.Thread(target=self.serve, name=f"port-{self.bind_addr[1]}", daemon=True).start()
        return int(self.bind_addr[1])
