"""Attacks on certificates: files that cost much to open, keys of other kinds, odd host names, two at once."""

import datetime as dt
import time

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from core import pfx
from core.errors import BusinessError
from tests import factories
from tests.attack.test_races import at_once
from tests.certificates import HOST, PASSPHRASE, installed, make_pfx
from vendors.models import Certificate
from vendors.services.certificates import retire_certificate, upload_certificate

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 600_000
ENDLESS = (2**31 - 1).to_bytes(4, "big")


@pytest.fixture
def staff():
    return factories.actor(factories.organization())


def refused(actor, content: bytes, host: str = HOST) -> tuple[str, str]:
    """Field and code of the refusal; nothing is stored."""
    with pytest.raises(BusinessError) as caught:
        upload_certificate(
            actor, label="One", content=content, passphrase=PASSPHRASE, host_name=host, currency="EUR"
        )  # fmt: skip
    assert not Certificate.objects.exists()
    return caught.value.field, caught.value.code


def with_rounds(rounds: int) -> bytes:
    """A PFX whose key, certificate and checksum are derived in so many rounds."""
    found = pkcs12.load_pkcs12(make_pfx(HOST), PASSPHRASE.encode())
    locked = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(rounds)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(hashes.SHA256())
        .build(PASSPHRASE.encode())
    )
    return pkcs12.serialize_key_and_certificates(b"esd", found.key, found.cert.certificate, None, locked)


def grown(content: bytes) -> bytes:
    """The same with endless rounds of the checksum, which stand last; the lengths before it are two bytes longer."""
    old, new = b"\x02\x02\x08\x00", b"\x02\x04" + ENDLESS
    assert content.endswith(old)
    end = len(content)
    at = next(place for place in range(end - 120, end) if content[place : place + 2] == bytes([0x30, end - place - 2]))
    inner = content[4:at] + bytes([0x30, end - at]) + content[at + 2 : -len(old)] + new
    return content[:2] + len(inner).to_bytes(2, "big") + inner


def test_a_file_that_takes_hours_to_open_is_refused_at_once(staff):
    content = grown(make_pfx(HOST))
    started = time.monotonic()
    assert refused(staff, content) == ("file", "pfx_unreadable")
    assert time.monotonic() - started < 5


def test_usual_rounds_open(staff):
    assert pfx.open_pfx(with_rounds(ROUNDS), PASSPHRASE).hosts == (HOST,)


def test_a_key_of_an_unknown_kind_is_refused_in_words(staff, monkeypatch):
    def unknown(*args: object) -> None:
        raise pfx.UnsupportedAlgorithm("Curve 1.2.156.10197.1.301 is not supported")

    monkeypatch.setattr(pfx.pkcs12, "load_pkcs12", unknown)
    assert refused(staff, make_pfx(HOST)) == ("file", "key_too_weak")


@pytest.mark.parametrize(
    "host",
    ["*.example.com", ".example.com", "a b.example.com", "<b>.example.com", "a\nb.example.com", "-.example.com",
     "ésd.example.com", "a..example.com", "http://x.example.com", f"{'x' * 64}.example.com", "..", "x.example.com:1"],
)  # fmt: skip
def test_a_wildcard_covers_host_names_only(staff, host):
    assert refused(staff, make_pfx("*.example.com"), host)[0] == "host_name"


@pytest.mark.parametrize("host", ["ESD.Example.com.", "xn--sd-9ia.example.com", "a_1-b.example.com"])
def test_host_names_are_taken_as_they_are_meant(staff, host):
    given = {"passphrase": PASSPHRASE, "host_name": host, "currency": "EUR"}
    row = upload_certificate(staff, label="One", content=make_pfx("*.example.com"), **given)
    assert row.host_name == host.lower().rstrip(".")


def test_the_same_label_twice_at_once_is_refused_in_words(staff):
    files = [make_pfx(HOST), make_pfx(HOST)]
    given = {"passphrase": PASSPHRASE, "host_name": HOST, "currency": "EUR"}
    found = at_once(*[lambda f=file: upload_certificate(staff, label="One", content=f, **given) for file in files])
    assert [item.code for item in found if isinstance(item, BusinessError)] == ["label_taken"]


def test_retired_twice_at_once_is_retired_once(staff):
    row = installed(staff, days=90)
    found = at_once(*[lambda: retire_certificate(staff, certificate=row)] * 2)
    assert [item.code for item in found if isinstance(item, BusinessError)] == ["certificate_retired"]
    assert Certificate.objects.get().key_cipher == ""
    assert row.valid_to - row.valid_from == dt.timedelta(days=91)
