"""The way to receivers of webhooks: only where it may lead, once, briefly, and with little of the answer kept."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings

from core import http
from notifications.delivery import KEPT, Received, guard, post_once
from tests.notifications.receiver import Receiver, receiving

HEADERS = {"Content-Type": "application/json", "webhook-id": "evt_1"}


@pytest.fixture
def receiver(settings: LazySettings) -> Iterator[Receiver]:
    settings.WEBHOOK_LOOPBACK = True
    with receiving() as found:
        yield found


def post(url: str, seconds: float = 5.0) -> Received:
    return post_once(url, b'{"a":1}', HEADERS, seconds=seconds)


def leads_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> tuple[list[str], list[tuple[str, int]]]:
    """Have names resolve to these addresses, one answer after the other; returns what is asked and connected to."""
    asked: list[str] = []
    connected: list[tuple[str, int]] = []

    def resolve(host: str, port: int, **_more: object) -> list[tuple[object, ...]]:
        found = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    def connect(address: tuple[str, int], *_more: object, **_options: object) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr(http.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(http, "create_connection", connect)
    return asked, connected


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.9",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - an address to refuse, nothing binds to it
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "fe80::1",
        "fc00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_no_inner_address_is_called(monkeypatch: pytest.MonkeyPatch, address: str):
    _asked, connected = leads_to(monkeypatch, [address])
    found = post("https://hooks.example.com/in")
    assert (found.status, connected) == (None, [])
    assert "may not be called" in found.error
    mixed = leads_to(monkeypatch, ["93.184.216.34", address])[1]
    assert (post("https://hooks.example.com/in").status, mixed) == (None, [])


def test_the_address_that_was_checked_is_the_one_called(monkeypatch: pytest.MonkeyPatch):
    asked, connected = leads_to(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    assert post("https://hooks.example.com:8443/in").status is None
    assert (asked, connected) == (["hooks.example.com"], [("93.184.216.34", 8443)])


@pytest.mark.parametrize("url", ["http://93.184.216.34/", "ftp://hooks.example.com/", "https://a:b@hooks.example.com/"])
def test_only_https_without_credentials(monkeypatch: pytest.MonkeyPatch, url: str):
    connected = leads_to(monkeypatch, ["93.184.216.34"])[1]
    assert (post(url).status, connected) == (None, [])


def test_this_machine_only_where_it_is_allowed(settings: LazySettings):
    settings.WEBHOOK_LOOPBACK = False
    # What an operator lists for his vendors is no receiver.
    settings.LOOPBACK_HOSTS = ["127.0.0.1", "localhost"]
    with receiving() as receiver:
        for url in (f"{receiver.url}/200", receiver.url.replace("http://", "https://")):
            assert post(url).status is None
        assert receiver.seen == []
        settings.WEBHOOK_LOOPBACK = True
        assert post(f"{receiver.url}/200").status == 200
    assert guard().listed == {"127.0.0.1", "localhost", "::1"}


def test_what_is_sent_and_kept(receiver: Receiver):
    found = post(f"{receiver.url}/200")
    assert (found.status, found.answer, found.error, found.is_taken) == (200, "thank you", "", True)
    (_path, headers, body) = receiver.seen[0]
    assert (body, headers["webhook-id"], headers["connection"]) == (b'{"a":1}', "evt_1", "close")


def test_redirects_are_not_followed(receiver: Receiver):
    found = post(f"{receiver.url}/redirect")
    assert (found.status, found.is_taken, found.error) == (302, False, "status 302")
    assert [path for path, _headers, _body in receiver.seen] == ["/redirect"]


def test_one_kilobyte_of_a_huge_answer(receiver: Receiver):
    found = post(f"{receiver.url}/huge")
    assert (found.status, len(found.answer)) == (200, KEPT)


@pytest.mark.parametrize("habit", ["silent", "drip"])
def test_ten_seconds_are_ten_seconds(receiver: Receiver, habit: str):
    begun = time.monotonic()
    found = post(f"{receiver.url}/{habit}", seconds=0.6)
    assert time.monotonic() - begun < 1.5
    assert (found.status, found.is_taken, found.error) == (None, False, "No answer within 0.6 s.")


def test_a_status_counts_though_the_body_drips(receiver: Receiver):
    begun = time.monotonic()
    found = post(f"{receiver.url}/slowbody", seconds=0.6)
    assert time.monotonic() - begun < 1.5
    assert (found.status, found.is_taken) == (200, True)


def test_a_certificate_must_be_trusted(twins, settings: LazySettings):
    settings.WEBHOOK_LOOPBACK = True
    settings.EXTRA_CA_FILE = ""
    assert post(twins.tls_url).status is None
    settings.EXTRA_CA_FILE = str(twins.ca_file)
    assert post(twins.tls_url).status is not None


def test_a_name_that_resolves_late_gains_no_time(receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
    """Whose name server answers after the time is over cannot drip on a connection that nobody cuts any more."""
    known = http.socket.getaddrinfo

    def late(*args: Any, **options: Any) -> Any:
        time.sleep(0.8)
        return known(*args, **options)

    monkeypatch.setattr(http.socket, "getaddrinfo", late)
    started = time.monotonic()
    found = post(f"{receiver.url}/drip", seconds=0.5)
    assert (found.status, time.monotonic() - started < 3) == (None, True)
    assert receiver.seen == []
