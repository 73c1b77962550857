"""One POST to a receiver of webhooks: https to a public address, no redirect, 10 s in all, 1 KB of the answer.

The guard is the one of :mod:`core.http`, without the hosts an operator lists for his vendors: a receiver is named by
somebody else. Only ``WEBHOOK_LOOPBACK``, for demo and test, lets this machine be a receiver.
"""

import functools
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.conf import settings

from core.http import AddressGuard, HttpClient, HttpError, Timeouts

SECONDS = 10.0
CONNECT_SECONDS = 5.0
KEPT = 1024
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Received:
    """What a receiver answered: its status, None if there was none in time; the first KB; and what went wrong."""

    status: int | None
    milliseconds: int
    answer: str = ""
    error: str = ""

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300


class _Request:
    """The connections of one request; they are cut when its time is over, and so is every later one."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []
        self.is_over = False
        self._lock = threading.Lock()

    def opened(self, connection: socket.socket) -> None:
        """Remember a second handle of the connection: the first one is taken over by TLS."""
        with self._lock:
            self.sockets.append(connection.dup())
        if self.is_over:
            self.cut()

    def cut(self) -> None:
        """Nothing comes through any more."""
        with self._lock:
            self.is_over = True
            for row in self.sockets:
                with suppress(OSError):  # It is closed already.
                    row.shutdown(socket.SHUT_RDWR)


class _Alarm(threading.local):
    """The request that this thread makes."""

    request: _Request | None = None


_alarm = _Alarm()


class ReceiverGuard(AddressGuard):
    """The address guard, which also hands each connection to the alarm of the request it is made for."""

    def opened(self, connection: socket.socket) -> None:
        """Let the request's alarm know it; a name that resolved after the time was over gets nothing sent."""
        if _alarm.request is not None:
            _alarm.request.opened(connection)


def guard() -> ReceiverGuard:
    """Where receivers may be."""
    return ReceiverGuard(listed=LOOPBACK if settings.WEBHOOK_LOOPBACK else frozenset())


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Cut every connection made inside when the time is over, however slowly the other side drips."""
    mine = _alarm.request = _Request()
    timer = threading.Timer(seconds, mine.cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        _alarm.request = None
        for row in mine.sockets:
            row.close()


@functools.lru_cache(maxsize=4)
def _client(process: int, is_loopback: bool, extra: str, seconds: float) -> HttpClient:
    """The process's client; each request has a connection of its own, so that its address is checked each time."""
    timeouts = Timeouts(connect=min(CONNECT_SECONDS, seconds), read=seconds, write=seconds)
    return HttpClient(timeouts=timeouts, guard=guard(), extra_ca_file=extra)


def post_once(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float = SECONDS) -> Received:
    """Send ``body`` once and tell what came back; never raises for what the receiver or the network does."""
    extra = str(settings.EXTRA_CA_FILE) if settings.WEBHOOK_LOOPBACK else ""
    client = _client(os.getpid(), bool(settings.WEBHOOK_LOOPBACK), extra, seconds)
    started = time.monotonic()

    def spent() -> int:
        return round((time.monotonic() - started) * 1000)

    try:
        with _within(seconds):
            answer = client.post_and_peek(
                url, body, {**headers, "Connection": "close", "Accept-Encoding": "identity"}, most=KEPT
            )
    except HttpError as error:
        late = spent() >= seconds * 990
        return Received(None, spent(), error=f"No answer within {seconds:g} s." if late else str(error)[:200])
    text = answer.body[:KEPT].decode("utf-8", "replace").replace("\x00", "�")
    return Received(answer.status, spent(), text, "" if 200 <= answer.status < 300 else f"status {answer.status}")
