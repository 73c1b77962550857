"""The load: a few clients that ask for one address after the other, each over a connection of its own.

Every answer's status is checked, and its length against the first one's, so that an error page never counts.
"""

import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

CLIENTS = 4
TOLERANCE = 0.05


class WrongAnswer(RuntimeError):
    """The server did not answer as it should; the message has the beginning of what it said."""


@dataclass(frozen=True)
class Target:
    """What is asked for: the bytes of the request, and the status that must come back."""

    name: str
    url: str
    request: bytes
    status: int = 200


@dataclass
class Series:
    """The rates of one target by round, and all its answer times in seconds."""

    rates: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The median of the rounds, per second."""
        return statistics.median(self.rates)

    def report(self) -> dict[str, float]:
        """Figures for the results: per second (median, lowest, highest round) and milliseconds."""
        ordered = sorted(self.times)
        return {
            "per_second": round(self.median, 2),
            "lowest_round": round(min(self.rates), 2),
            "highest_round": round(max(self.rates), 2),
            "p50_ms": round(1000 * ordered[len(ordered) // 2], 2),
            "p99_ms": round(1000 * ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)], 2),
        }


def target(
    name: str,
    base: str,
    path: str,
    *,
    host: str = "127.0.0.1",
    cookies: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    token: str = "",
    status: int = 200,
) -> Target:
    """A GET, or with ``form`` a POST, as the bytes that go over the wire; ``token`` is an access token of the API."""
    kind = "application/json" if token else "text/html"
    lines = [f"{'POST' if form else 'GET'} {path} HTTP/1.1", f"Host: {host}", "Connection: close", f"Accept: {kind}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if cookies:
        lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in cookies.items()))
    body = urlencode(form).encode() if form else b""
    if form:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
        lines.append(f"Origin: http://{host}")
    return Target(name, base, "\r\n".join([*lines, "", ""]).encode() + body, status)


def fetch(wanted: Target) -> bytes:
    """The whole answer, headers included. Raises :class:`WrongAnswer` for another status."""
    parts = urlsplit(wanted.url)
    with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 80), timeout=60) as connection:
        connection.sendall(wanted.request)
        chunks = []
        while chunk := connection.recv(65_536):
            chunks.append(chunk)
    answer = b"".join(chunks)
    if not answer.startswith(b"HTTP/1.1 %d " % wanted.status):
        raise WrongAnswer(f"{wanted.name}: {answer[:400].decode(errors='replace')}")
    return answer


def body_of(answer: bytes) -> bytes:
    """The body of an answer."""
    return answer.partition(b"\r\n\r\n")[2]


def _run(work: Callable[[], bool], clients: int) -> list[float]:
    """Let the clients call ``work`` until it says no; the time each call took. The first failure is raised."""
    times: list[float] = []
    failures: list[Exception] = []

    def go() -> None:
        try:
            while not failures:
                began = time.perf_counter()
                if not work():
                    return
                times.append(time.perf_counter() - began)
        except Exception as error:  # Raised again below, in the thread that measures.
            failures.append(error)

    threads = [threading.Thread(target=go) for _number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return times


def load_for(wanted: Target, seconds: float, *, size: int, clients: int = CLIENTS) -> tuple[float, list[float]]:
    """Ask for one target for so long: answers per second, and the time each took."""
    began = time.perf_counter()
    end = began + seconds

    def once() -> bool:
        if time.perf_counter() > end:
            return False
        answer = fetch(wanted)
        if abs(len(answer) - size) > size * TOLERANCE:
            raise WrongAnswer(f"{wanted.name}: {len(answer)} bytes instead of {size}")
        return True

    times = _run(once, clients)
    return len(times) / (time.perf_counter() - began), times


def each_once(wanted: Sequence[Target], *, clients: int = CLIENTS) -> tuple[float, list[float]]:
    """Ask for each target exactly once: answers per second, and the time each took."""
    left: Iterator[Target] = iter(wanted)
    lock = threading.Lock()

    def once() -> bool:
        with lock:
            following = next(left, None)
        if following is None:
            return False
        fetch(following)
        return True

    began = time.perf_counter()
    times = _run(once, clients)
    return len(times) / (time.perf_counter() - began), times


def interleaved(targets: Sequence[Target], *, rounds: int, seconds: float) -> dict[str, Series]:
    """Measure all targets in turns, round after round, so that a noisy moment strikes neighbours alike."""
    found = {item.name: Series() for item in targets}
    sizes = {}
    for item in targets:
        for _warm in range(4):
            sizes[item.name] = len(fetch(item))
    for number in range(rounds):
        turn = list(targets) if number % 2 == 0 else list(reversed(targets))
        for item in turn:
            rate, times = load_for(item, seconds, size=sizes[item.name])
            found[item.name].rates.append(rate)
            found[item.name].times += times
    return found


def ratio(one: Series, other: Series) -> float:
    """The median of the rounds' ratios: neighbours in time are compared, not figures minutes apart."""
    pairs = sorted(mine / its for mine, its in zip(one.rates, other.rates, strict=True) if its)
    return round(pairs[len(pairs) // 2], 3) if pairs else 0.0


def compared(pairs: Mapping[str, tuple[Target, Target]], *, rounds: int, seconds: float) -> dict[str, float]:
    """How much of the second one's rate each first one reaches, each pair measured by itself in turns."""
    found = {}
    for name, (one, other) in pairs.items():
        series = interleaved((one, other), rounds=rounds, seconds=seconds)
        found[name] = ratio(series[one.name], series[other.name])
    return found
