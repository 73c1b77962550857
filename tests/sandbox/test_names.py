"""The twins' name server: what it was told, and nothing else; kept over a restart."""

import socket

import pytest
import requests
from dns.message import make_query, make_response

from core import dns
from tests.twins import Twins


@pytest.fixture
def ask(twins: Twins, settings):
    settings.DNS_RESOLVERS = [twins.dns]
    yield
    twins.call("DELETE", "/_twin/names")


def put(twins: Twins, name: str, kind: str, *values: str) -> None:
    twins.call("POST", "/_twin/names", json={"name": name, "type": kind, "values": list(values)})


def test_tells_what_it_was_told(twins, ask):
    put(twins, "esd.aster.example", "CNAME", "eu.platform.example")
    put(twins, "shop.aster.example", "TXT", 'say "yes"', "bss=1")
    assert dns.lookup_cname("ESD.aster.example").target == "eu.platform.example"
    assert dns.lookup_txt("shop.aster.example").values == ("bss=1", 'say "yes"')
    assert dns.lookup_txt("nowhere.example").found == "missing"
    assert dns.lookup_cname("shop.aster.example").message == "shop.aster.example has no CNAME record."


def test_forgets_what_is_taken_away_and_survives_a_reset(twins, ask):
    put(twins, "esd.aster.example", "CNAME", "eu.platform.example")
    twins.reset()
    assert dns.lookup_cname("esd.aster.example").target == "eu.platform.example"
    put(twins, "esd.aster.example", "CNAME")
    assert dns.lookup_cname("esd.aster.example").found == "missing"


@pytest.mark.parametrize(
    "body",
    [
        {"name": "no spaces allowed", "type": "TXT", "values": ["x"]},
        {"name": "a.example", "type": "MX", "values": ["x"]},
        {"name": "a.example", "type": "A", "values": ["not an address"]},
        {"name": "a.example", "type": "TXT"},
        [],
    ],
)
def test_refuses_what_is_no_record(twins, body):
    answer = requests.post(f"{twins.url}/_twin/names", json=body, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_goes_on_after_a_packet_that_is_no_question(twins, ask):
    """A port is somebody else's the moment before: his late answers come here."""
    put(twins, "esd.aster.example", "CNAME", "eu.platform.example")
    host, _colon, port = twins.dns.partition(":")
    late = make_response(make_query("shop.aster.example", "TXT"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stray:
        for packet in (late.to_wire(), b"", b"\xff" * 600):
            stray.sendto(packet, (host, int(port)))
    assert dns.lookup_cname("esd.aster.example").target == "eu.platform.example"
