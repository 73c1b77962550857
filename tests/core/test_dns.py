"""Questions to the domain name system, with a server on loopback."""

import pytest

from core import dns
from core.dns import Answer, Found
from tests.names import name_server


@pytest.fixture
def names(settings):
    with name_server() as found:
        settings.DNS_RESOLVERS = [found.address]
        yield found


def test_cname_is_found_in_lower_case(names):
    names.records["esd.example.com", "CNAME"] = ["EU.Platform.Example."]
    assert dns.lookup_cname("esd.example.com") == Answer(Found.FOUND, ("eu.platform.example",))
    assert dns.lookup_cname("esd.example.com").target == "eu.platform.example"


def test_cname_missing_says_whether_the_name_exists(names):
    names.records["esd.example.com", "TXT"] = ['"x"']
    assert dns.lookup_cname("esd.example.com").message == "esd.example.com has no CNAME record."
    assert dns.lookup_cname("other.example.com").message == "other.example.com does not exist in the DNS."
    assert dns.lookup_cname("other.example.com").found == Found.MISSING


def test_txt_joins_parts_of_a_text(names):
    names.records["example.com", "TXT"] = ['"v=2; " "key=abc"', '"another"']
    assert dns.lookup_txt("example.com") == Answer(Found.FOUND, ("another", "v=2; key=abc"))
    assert dns.lookup_txt("example.org").found == Found.MISSING


def test_errors_are_not_taken_for_missing(names, monkeypatch):
    names.refuses = True
    assert dns.lookup_cname("esd.example.com").found == Found.ERROR
    names.is_silent = True
    monkeypatch.setattr(dns, "SECONDS", 0.4)
    silent = dns.lookup_cname("esd.example.com")
    assert silent == Answer(Found.ERROR, message="The DNS did not answer in time. Try again.")
    assert dns.lookup_cname("a..example.com").message == "a..example.com is not a host name."


def test_addresses_of_resolvers():
    places = [
        (server.address, server.port)
        for server in map(dns._nameserver, ("192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5353"))
    ]
    assert places == [("192.0.2.1", 53), ("192.0.2.1", 5353), ("2001:db8::1", 53), ("2001:db8::1", 5353)]
