"""The way out to vendors: what was sent, what was not, where we may go, what is logged."""

import http.server
import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.http import (
    AddressGuard,
    AddressRefused,
    AnswerTooLarge,
    HttpClient,
    NotSent,
    OutcomeUnknown,
    Timeouts,
    is_public_address,
    mask_headers,
)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by path; counts what arrives."""

    protocol_version = "HTTP/1.1"
    seen: list[str] = []
    waiting = threading.Event()

    def do_GET(self) -> None:
        """Play the path."""
        self.seen.append(f"{self.command} {self.path}")
        if self.command == "POST":
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name = self.path.strip("/").split("?")[0]
        if name == "hang":
            self.waiting.wait(3)
            self.close_connection = True
        elif name == "reset":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif name == "cut":
            self.answer(200, b"abc", length=100)
            self.close_connection = True
        elif name == "drip":
            self.answer(200, b"", length=100)
            for _ in range(30):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.1)
            self.close_connection = True
        elif name == "redirect":
            self.answer(302, b"", Location="http://127.0.0.1/elsewhere")
        elif name == "later":
            self.answer(503, b"", Retry_After="7")
        elif name == "flaky" and self.seen.count(f"{self.command} {self.path}") < 3:
            self.answer(500, b"")
        elif name.isdigit():
            self.answer(int(name), b"")
        else:
            self.answer(200, b"x" * 1000, Set_Cookie="a=b")

    do_POST = do_GET  # noqa: N815 - the name that http.server calls

    def answer(self, status: int, body: bytes, length: int = -1, **headers: str) -> None:
        """Send an answer, possibly with a false length."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length < 0 else length))
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Quiet(http.server.ThreadingHTTPServer):
    """A server that does not print broken connections."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Broken connections are what is tested."""


@pytest.fixture
def address() -> Iterator[str]:
    """A server's base address."""
    Handler.seen.clear()
    Handler.waiting.clear()
    server = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    Handler.waiting.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def slept() -> list[float]:
    """Pauses that were asked for."""
    return []


@pytest.fixture
def client(slept: list[float]) -> Iterator[HttpClient]:
    """A client that may go to loopback and does not really sleep."""
    made = HttpClient(timeouts=Timeouts(1, 0.6, 0.6), guard=AddressGuard(frozenset({"127.0.0.1"})), sleep=slept.append)
    yield made
    made.close()


def test_answer_is_plain(client: HttpClient, address: str) -> None:
    answer = client.request("GET", f"{address}/fine")
    assert (answer.status, len(answer.body), answer.headers["content-length"]) == (200, 1000, "1000")
    client.request("GET", f"{address}/fine")
    assert Handler.seen == ["GET /fine", "GET /fine"]


@pytest.mark.parametrize("path", ["reset", "cut", "hang"])
def test_read_is_repeated_three_times(client: HttpClient, address: str, slept: list[float], path: str) -> None:
    with pytest.raises(OutcomeUnknown):
        client.request("GET", f"{address}/{path}")
    assert slept == [0.5, 1.5, 3.5]
    assert len(Handler.seen) == 4


def test_read_of_5xx_is_repeated_until_good(client: HttpClient, address: str, slept: list[float]) -> None:
    assert client.request("GET", f"{address}/flaky").status == 200
    assert client.request("GET", f"{address}/502").status == 502
    assert slept == [0.5, 1.5, 0.5, 1.5, 3.5]


def test_read_told_to_come_later_is_not_repeated(client: HttpClient, address: str, slept: list[float]) -> None:
    assert client.request("GET", f"{address}/later").headers["Retry-After"] == "7"
    assert (slept, len(Handler.seen)) == ([], 1)


@pytest.mark.parametrize("path", ["reset", "cut", "hang"])
def test_write_without_answer_is_unknown_and_not_repeated(
    client: HttpClient, address: str, slept: list[float], path: str
) -> None:
    with pytest.raises(OutcomeUnknown):
        client.request("POST", f"{address}/{path}", data=b"{}")
    assert (slept, len(Handler.seen)) == ([], 1)


def test_write_of_5xx_is_not_repeated(client: HttpClient, address: str, slept: list[float]) -> None:
    assert client.request("POST", f"{address}/500", data=b"{}").status == 500
    assert (slept, len(Handler.seen)) == ([], 1)


def test_connection_refused_is_not_sent_and_repeated_for_writes_too(client: HttpClient, slept: list[float]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NotSent):
        client.request("POST", f"http://127.0.0.1:{port}/x", data=b"{}")
    assert slept == [0.5, 1.5, 3.5]


def test_name_that_does_not_resolve_is_not_sent(slept: list[float]) -> None:
    def fails(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    client = HttpClient(guard=AddressGuard(resolver=fails), sleep=slept.append)
    with pytest.raises(NotSent):
        client.request("POST", "https://nowhere.example/", data=b"{}")
    client.close()


def test_slow_body_is_bounded_in_time(client: HttpClient, address: str) -> None:
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        client.request("POST", f"{address}/drip", data=b"{}")
    assert time.monotonic() - started < 2.5


def test_large_answer_is_refused(client: HttpClient, address: str, slept: list[float]) -> None:
    with pytest.raises(AnswerTooLarge):
        client.request("GET", f"{address}/fine", max_body=999)
    assert slept == []


def test_redirect_is_not_followed(client: HttpClient, address: str) -> None:
    assert client.request("GET", f"{address}/redirect").status == 302
    assert Handler.seen == ["GET /redirect"]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "https://user:pass@example.org/",
        "https:///nothing",
        "http://localhost:1/",
    ],
)
def test_guard_refuses_addresses(client: HttpClient, slept: list[float], url: str) -> None:
    with pytest.raises(AddressRefused):
        client.request("GET", url)
    assert slept == []


@pytest.mark.parametrize(
    "answers", [["10.0.0.1"], ["169.254.169.254"], ["93.184.216.34", "127.0.0.2"], ["::1"], ["fd00::1"]]
)
def test_guard_refuses_hosts_that_lead_inside(answers: list[str]) -> None:
    client = HttpClient(guard=AddressGuard(resolver=lambda host, port: answers))
    with pytest.raises(AddressRefused):
        client.request("GET", "https://partner.example/")
    client.close()


def test_connection_goes_to_the_address_that_was_checked(address: str) -> None:
    asked: list[str] = []

    def once(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    port = address.rsplit(":", 1)[1]
    client = HttpClient(guard=AddressGuard(frozenset({"twin.example"}), once))
    assert client.request("GET", f"http://twin.example:{port}/fine").status == 200
    assert asked == ["twin.example"]
    client.close()


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - an address that must be refused
        ("::ffff:10.0.0.1", False),
        ("fe80::1%eth0", False),
        ("ff02::1", False),
    ],
)
def test_is_public_address(address: str, public: bool) -> None:
    assert is_public_address(address) is public


def test_log_holds_no_secret(client: HttpClient, address: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="core.http"):
        client.request(
            "POST",
            f"{address}/fine?filter=private",
            data=b"body-secret",
            headers={"Authorization": "Bearer token-secret", "MS-RequestId": "id-1"},
            correlation_id="c-1",
        )
    (record,) = [row for row in caplog.records if row.name == "core.http"]
    text = str(vars(record))
    assert not any(word in text for word in ("body-secret", "token-secret", "private"))
    assert vars(record)["correlation_id"] == "c-1"
    assert vars(record)["query_names"] == ["filter"]
    assert mask_headers({"Authorization": "x", "MS-RequestId": "id-1"}) == {
        "Authorization": "***",
        "MS-RequestId": "id-1",
    }


def test_download_streams_to_file_and_is_bounded(client: HttpClient, address: str, tmp_path: Path) -> None:
    target = tmp_path / "file"
    assert client.download(f"{address}/fine", target).status == 200
    assert target.stat().st_size == 1000
    assert client.download(f"{address}/404", target).status == 404
    with pytest.raises(AnswerTooLarge):
        client.download(f"{address}/fine", target, max_bytes=10)
