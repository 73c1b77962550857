"""An own certificate for a custom domain: what is refused, what is kept, what the proxy gets, and when it goes."""

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from core import clock, tls_trust
from core.audit import AuditEntry
from core.crypto import decrypt
from core.errors import BusinessError, Conflict, NotVisible
from core.events import Event
from resellers.domain_rules import DomainStatus
from resellers.models import Account, Site
from resellers.services import domains, sites
from resellers.services.domain_certificate import own_certificate, served_pem, upload_certificate, withdraw_certificate
from resellers.site_models import SiteDomain
from tests import factories
from tests.certificates import rsa_key
from tests.look.sites import browser, owner, reseller_site

pytestmark = pytest.mark.django_db
HOST = "shop.cedar-test.com"
ROOT = ec.generate_private_key(ec.SECP256R1())
MIDDLE = ec.generate_private_key(ec.SECP256R1())
LEAF = ec.generate_private_key(ec.SECP256R1())


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject, key, issuer, signer, *, is_ca=False, hosts=(), starts=-10, days=60) -> x509.Certificate:
    now = clock.now()
    maker = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=starts))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if is_ca:
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        maker = maker.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        maker = maker.add_extension(usage, critical=True)
    else:
        maker = maker.add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        maker = maker.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return maker.sign(signer, hashes.SHA256())


def pem_of(part) -> bytes:
    return part.public_bytes(Encoding.PEM)


def key_pem(key, passphrase="") -> bytes:
    lock = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)


def middle() -> x509.Certificate:
    return certificate("Middle", MIDDLE, "Root", ROOT, is_ca=True, days=900)


def leaf(*hosts, key=LEAF, **times) -> x509.Certificate:
    return certificate(HOST, key, "Middle", MIDDLE, hosts=hosts or (HOST,), **times)


def whole_pem(*hosts, passphrase="", **times) -> bytes:
    return pem_of(middle()) + key_pem(LEAF, passphrase) + pem_of(leaf(*hosts, **times))


@pytest.fixture(autouse=True)
def authority(settings, tmp_path):
    path = tmp_path / "root.pem"
    path.write_bytes(pem_of(certificate("Root", ROOT, "Root", ROOT, is_ca=True, days=3000, starts=-900)))
    settings.EXTRA_CA_FILE = str(path)
    yield
    tls_trust._store.cache_clear()


@pytest.fixture
def site() -> Site:
    return reseller_site()


@pytest.fixture
def domain(site) -> SiteDomain:
    row = domains.request_domain(owner(site), host=HOST)
    SiteDomain.objects.filter(pk=row.pk).update(status=DomainStatus.LIVE)
    return SiteDomain.objects.get(pk=row.pk)


def upload(site, domain, content, passphrase="") -> SiteDomain:
    return upload_certificate(owner(site), domain=domain, content=content, passphrase=passphrase)


def refusal(site, domain, content, passphrase="") -> tuple[str, str]:
    with pytest.raises(BusinessError) as refused:
        upload(site, domain, content, passphrase)
    assert SiteDomain.objects.get().own_key_cipher == ""
    return refused.value.code, refused.value.field


def test_pem_is_checked_kept_encrypted_and_served_leaf_first(site, domain):
    row = upload(site, domain, whole_pem(passphrase="pass-word"), "pass-word")
    shown = x509.load_pem_x509_certificate(row.own_chain.encode())
    assert row.own_until == row.certificate_until == shown.not_valid_after_utc
    assert "PRIVATE" not in row.own_chain + row.own_key_cipher
    assert decrypt(row.own_key_cipher).encode() == key_pem(LEAF)
    served = served_pem(HOST.upper() + ".")
    assert served == row.own_chain + key_pem(LEAF).decode()
    shown = x509.load_pem_x509_certificates(served.encode())
    assert [part.subject for part in shown] == [name(HOST), name("Middle")]
    assert own_certificate(row).issuer == "Middle"
    entry = AuditEntry.objects.get(action="site.domain_certificate")
    assert "PRIVATE" not in str(entry.after)


def test_pfx_with_either_kind_of_key(site, domain):
    lock = BestAvailableEncryption(b"x")
    for key in (LEAF, rsa_key()):
        pfx = pkcs12.serialize_key_and_certificates(b"n", key, leaf(key=key), [middle()], lock)
        row = upload(site, domain, pfx, "x")
        assert decrypt(row.own_key_cipher).encode() == key_pem(key)


def test_wildcard_covers_one_label(site, domain):
    assert upload(site, domain, whole_pem("*.cedar-test.com")).own_until is not None
    withdraw_certificate(owner(site), domain=domain)
    assert refusal(site, domain, whole_pem("*.com")) == ("certificate_of_another_host", "file")


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("certificate_of_another_host", lambda: whole_pem("other.example")),
        ("certificate_expired", lambda: whole_pem(days=-1)),
        ("certificate_not_yet", lambda: whole_pem(starts=1)),
        ("certificate_not_trusted", lambda: key_pem(LEAF) + pem_of(leaf())),
        (
            "certificate_not_trusted",
            lambda: key_pem(LEAF) + pem_of(certificate(HOST, LEAF, HOST, LEAF, hosts=(HOST,))),
        ),
        ("key_of_another", lambda: key_pem(ROOT) + pem_of(leaf()) + pem_of(middle())),
        ("pfx_without_key", lambda: pem_of(leaf()) + pem_of(middle())),
        ("pfx_without_certificate", lambda: key_pem(LEAF)),
        ("key_too_weak", lambda: key_pem(rsa_key(1024)) + pem_of(leaf())),
        ("key_unreadable", lambda: b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" + pem_of(leaf())),
        ("pfx_too_large", lambda: whole_pem() + b"\n" * 256 * 1024),
    ],
)
def test_what_browsers_would_not_trust_is_refused(site, domain, code, make):
    assert refusal(site, domain, make()) == (code, "file")


def test_passphrases(site, domain):
    locked = whole_pem(passphrase="right")
    assert refusal(site, domain, locked, "wrong") == ("passphrase_wrong", "passphrase")
    assert refusal(site, domain, locked) == ("passphrase_wrong", "passphrase")
    assert refusal(site, domain, whole_pem(), "needless") == ("passphrase_wrong", "passphrase")
    assert refusal(site, domain, b"no file at all", "x") == ("pfx_unreadable", "file")


def test_key_is_given_to_the_proxy_alone(site, domain, settings):
    upload(site, domain, whole_pem())

    def ask(query: str, **headers) -> tuple[int, bytes]:
        answer = Client().get(
            f"/tls/certificate?server_name={query}",
            headers={"host": factories.site_of(site.organization).host},
            **headers,
        )
        return answer.status_code, answer.content

    settings.TLS_ASK_SECRET = ""
    assert ask(HOST)[0] == 404
    assert ask(f"{HOST}&secret=")[0] == 404
    settings.TLS_ASK_SECRET = "a-secret"
    assert ask(f"{HOST}&secret=other")[0] == 404
    status, body = ask(f"{HOST}&secret=a-secret", REMOTE_ADDR="203.0.113.9")
    assert (status, body.decode()) == (200, served_pem(HOST))
    assert ask("elsewhere.example&secret=a-secret") == (204, b"")
    SiteDomain.objects.update(status=DomainStatus.VERIFYING)
    assert ask(f"{HOST}&secret=a-secret")[0] == 204


def test_expiry_is_told_and_an_expired_one_is_not_served(site, domain, still_clock, settings):
    settings.STOREFRONT_TLS_PROXY = ""
    row = upload(site, domain, whole_pem(days=20))
    for days, told in ((15, 0), (13, 1), (12, 1), (7, 2), (1, 3)):
        still_clock(row.own_until - dt.timedelta(days=days))
        domains._warn_of_expiry(SiteDomain.objects.select_related("site").get(), clock.now())
        events = Event.objects.filter(name="domain.expiring")
        assert events.count() == told
        assert all(event.payload["own"] for event in events)
    still_clock(row.own_until)
    assert served_pem(HOST) == ""


def test_key_goes_when_it_is_withdrawn_with_the_domain_and_with_the_plan(site, domain):
    upload(site, domain, whole_pem())
    withdraw_certificate(owner(site), domain=domain)
    assert (SiteDomain.objects.get().own_key_cipher, served_pem(HOST)) == ("", "")
    with pytest.raises(Conflict):
        withdraw_certificate(owner(site), domain=domain)
    upload(site, domain, whole_pem())
    sites.close_plan(site.account_id, plan_id=site.plan_id)
    row = SiteDomain.objects.get()
    assert (row.status, row.own_key_cipher, row.own_chain, row.own_until) == (DomainStatus.REMOVED, "", "", None)


def test_removed_domain_keeps_no_key(site, domain):
    upload(site, domain, whole_pem())
    domains.remove_domain(owner(site), domain=domain)
    assert SiteDomain.objects.get().own_key_cipher == ""


def test_domain_of_another_reseller_is_not_there(site, domain):
    other = reseller_site("birch", name="Birch")
    with pytest.raises(NotVisible):
        upload(other, domain, whole_pem())


def test_pages(site, domain):
    user = factories.user(site.organization, of=Account.objects.get(pk=site.account_id))
    client = browser(site, user=user)
    page = "/cedar/my-shop/domain/certificate/"
    assert "multipart/form-data" in client.get(page).content.decode()
    wrong = client.post(page, {"file": SimpleUploadedFile("c.pem", b"nothing"), "passphrase": "x"})
    assert wrong.status_code == 400
    assert client.post(page, {"file": SimpleUploadedFile("c.pem", whole_pem()), "passphrase": ""}).status_code == 302
    shown = client.get("/cedar/my-shop/domain/").content.decode()
    assert "issued by Middle" in shown
    assert "PRIVATE KEY" not in shown
    assert client.post(f"{page}back/").status_code == 302
    assert not SiteDomain.objects.exclude(own_chain="").exists()
