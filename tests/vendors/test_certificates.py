"""Certificates: what a PFX must be, what the DNS says, how they end."""

import datetime as dt

import pytest

from core import clock, crypto
from core.audit import AuditEntry
from core.errors import BusinessError, Conflict, NotVisible, PermissionRefused
from core.events import Event
from core.pfx import covers, open_pfx
from tests import factories
from tests.certificates import HOST, PASSPHRASE, installed, make_pfx
from tests.names import name_server
from users.permissions import StaffRole
from vendors import validity
from vendors.models import Certificate, CertificateState, DnsState
from vendors.selectors import certificate_choices, certificates_for, certificates_that_expire
from vendors.services import certificates
from vendors.validity import Validity, certificate_state

pytestmark = pytest.mark.django_db


@pytest.fixture
def here():
    return factories.organization()


@pytest.fixture
def staff(here):
    return factories.actor(here)


@pytest.fixture
def names(settings):
    with name_server() as found:
        settings.DNS_RESOLVERS = [found.address]
        settings.CERTIFICATE_CNAME_TARGETS = ["EU.platform.example", "us.platform.example"]
        yield found


def upload(actor, content, **values):
    """What the error says, and at which field."""
    given = {"label": "ESD EUR", "passphrase": PASSPHRASE, "host_name": HOST, "currency": "EUR"} | values
    with pytest.raises(BusinessError) as caught:
        certificates.upload_certificate(actor, content=content, **given)
    assert not Certificate.objects.exists()
    return caught.value.field, caught.value.message


def test_upload_stores_the_key_encrypted_and_tells_it_to_nobody(staff):
    row = installed(staff, issuer="An authority", chain=True)
    key = crypto.decrypt(row.key_cipher)
    assert key.startswith("-----BEGIN PRIVATE KEY-----")
    assert (row.host_name, row.currency, row.state, row.has_chain) == (HOST, "EUR", "installed", True)
    assert (row.subject, row.issuer) == (f"CN={HOST}", "CN=An authority")
    assert row.chain_pem.count("BEGIN CERTIFICATE") == 2
    assert len(row.thumbprint) == 40
    entry = AuditEntry.objects.get(action="certificate.uploaded")
    assert sorted(entry.after) == ["currency", "host_name", "subject", "thumbprint", "valid_to"]
    assert "PRIVATE" not in str(entry.after)
    assert key not in repr(open_pfx(make_pfx(HOST), PASSPHRASE))


def test_wrong_files_are_refused_with_their_own_words_and_nothing_is_stored(staff):
    good = make_pfx(HOST)
    late, early = make_pfx(HOST, starts=-9, days=-2), make_pfx(HOST, starts=5)
    assert upload(staff, good, passphrase="wrong") == ("passphrase", "The passphrase does not open this file.")
    assert upload(staff, good, passphrase="") == ("passphrase", "This field is required.")
    assert upload(staff, b"no PFX at all") == ("file", "This is not a PFX file.")
    assert upload(staff, make_pfx(HOST, has_key=False)) == ("file", "The file holds no private key.")
    assert upload(staff, make_pfx(HOST, bits=1024)) == ("file", "Use RSA with 2048 bits or more.")
    other = ("host_name", "The certificate does not cover shop.example.com.")
    assert upload(staff, good, host_name="shop.example.com") == other
    assert upload(staff, b"x" * (256 * 1024 + 1))[0] == "file"
    for wrong in (late, early):
        assert upload(staff, wrong) == ("file", open_pfx(wrong, PASSPHRASE).validity)
    assert open_pfx(late, PASSPHRASE).validity.startswith("Valid from ")


def test_other_fields_are_demanded(staff):
    good = make_pfx(HOST)
    assert upload(staff, good, label=" ") == ("label", "This field is required.")
    assert upload(staff, good, label="x" * 61) == ("label", "At most 60 characters.")
    assert upload(staff, good, host_name="") == ("host_name", "This field is required.")
    assert upload(staff, good, currency="XXX") == ("currency", "Choose one of the offered values.")


def test_certificate_and_label_stand_once_in_an_organization(here, staff):
    content = make_pfx(HOST)
    given = {"content": content, "passphrase": PASSPHRASE, "host_name": HOST, "currency": "EUR"}
    certificates.upload_certificate(staff, label="One", **given)
    with pytest.raises(BusinessError, match=r"^This certificate is already installed.$"):
        certificates.upload_certificate(staff, label="Two", **given)
    with pytest.raises(BusinessError, match=r"^A certificate with this label exists.$"):
        certificates.upload_certificate(staff, label="One", **given | {"content": make_pfx(HOST)})
    elsewhere = factories.actor(factories.organization())
    assert certificates.upload_certificate(elsewhere, label="One", **given).has_chain


def test_chain_is_only_missed_where_another_signed(staff):
    assert not installed(staff, "Signed", issuer="An authority").has_chain
    assert installed(staff, "Self-signed").has_chain


def test_wildcard_covers_one_label():
    names = ("*.example.com", "shop.example.org")
    assert [covers(names, host) for host in ("esd.example.com", "ESD.Example.com.", "shop.example.org")] == [True] * 3
    assert [covers(names, host) for host in ("example.com", "a.b.example.com", "", "com")] == [False] * 4


def test_state_follows_the_dates(staff):
    row = installed(staff, days=60)
    moments = [row.valid_to - dt.timedelta(days=days) for days in (31, 30, 1, 0)]
    states = [certificate_state(row, moment) for moment in moments]
    assert states == [Validity.VALID, Validity.EXPIRING, Validity.EXPIRING, Validity.EXPIRED]
    row.state = CertificateState.RETIRED
    assert certificate_state(row, moments[0]) == Validity.RETIRED


def test_selector_and_function_agree_on_the_state(staff):
    installed(staff, "a", days=10)
    installed(staff, "b", days=100)
    row = installed(staff, "c", days=200)
    certificates.retire_certificate(staff, certificate=row)
    found = list(certificates_for(staff))
    assert [row.life for row in found] == [certificate_state(row, clock.now()) for row in found]
    assert [row.life for row in found] == ["expiring", "valid", "retired"]
    assert [row.label for row in certificates_that_expire(staff)] == ["a"]


def test_dns_is_ok_missing_or_another_target(names, staff):
    row = installed(staff)
    names.records[HOST, "TXT"] = ['"x"']
    assert certificates.check_dns(staff, certificate=row).dns_state == DnsState.MISSING
    names.records[HOST, "CNAME"] = ["parking.example.net."]
    found = certificates.check_dns(staff, certificate=row)
    assert (found.dns_state, found.dns_target) == (DnsState.OTHER, "parking.example.net")
    names.records[HOST, "CNAME"] = ["eu.platform.example."]
    assert certificates.check_dns(staff, certificate=row).dns_state == DnsState.OK
    names.refuses = True
    with pytest.raises(BusinessError, match="could not be asked"):
        certificates.check_dns(staff, certificate=row)
    row.refresh_from_db()
    assert row.dns_state == DnsState.OK


def test_dns_check_needs_targets(staff, settings):
    settings.CERTIFICATE_CNAME_TARGETS = []
    with pytest.raises(BusinessError, match="CERTIFICATE_CNAME_TARGETS"):
        certificates.check_dns(staff, certificate=installed(staff))


def test_retiring_waits_for_the_instance_and_wipes_the_key(here, staff):
    row = installed(staff)
    instance = factories.instance(here, name="ESD Greece")
    type(instance).objects.filter(pk=instance.pk).update(certificate=row)
    with pytest.raises(Conflict, match=r"^This certificate is used by ESD Greece.$"):
        certificates.retire_certificate(staff, certificate=row)
    type(instance).objects.filter(pk=instance.pk).update(certificate=None)
    retired = certificates.retire_certificate(staff, certificate=row)
    assert (retired.state, retired.key_cipher) == (CertificateState.RETIRED, "")
    with pytest.raises(Conflict):
        certificates.retire_certificate(staff, certificate=row)


def test_rights_and_foreign_certificates(here, staff):
    row = installed(staff)
    sales = factories.actor(here, roles=[StaffRole.SALES.value])
    stranger = factories.actor(factories.organization())
    for deed in (certificates.retire_certificate, certificates.check_dns, certificates.start_dns_check):
        with pytest.raises(PermissionRefused):
            deed(sales, certificate=row)
    with pytest.raises(NotVisible):
        certificates.retire_certificate(stranger, certificate=row)
    assert list(certificates_for(stranger)) == []
    customer = factories.actor(here, of=factories.account(here))
    assert list(certificates_for(customer)) == []


def test_choices_name_currency_end_and_the_instance_that_uses_one(here, staff):
    free, used = installed(staff, "Free"), installed(staff, "Used", currency="USD")
    gone = installed(staff, "Gone")
    Certificate.objects.filter(pk=gone.pk).update(valid_to=clock.now())
    instance = factories.instance(here, name="ESD Greece")
    type(instance).objects.filter(pk=instance.pk).update(certificate=used)
    instance.refresh_from_db()
    words = dict(certificate_choices(staff, None))
    assert list(words) == [free.thumbprint, used.thumbprint]
    assert words[free.thumbprint].startswith("Free · EUR · until ")
    assert words[used.thumbprint].endswith(" · used by ESD Greece")
    assert "used by" not in dict(certificate_choices(staff, instance))[used.thumbprint]
    assert list(dict(certificate_choices(staff, None, currency="USD"))) == [used.thumbprint]


def test_warnings_come_once_at_each_step(staff):
    row = installed(staff, days=400)
    steps = []
    for days in (31, 29, 20, 13, 13, 6, 0.5, 0.2, -1):
        Certificate.objects.filter(pk=row.pk).update(valid_to=clock.now() + dt.timedelta(days=days))
        steps.append(certificates.warn_of_expiry())
    assert steps == [0, 1, 0, 1, 0, 1, 1, 0, 0]
    assert [event.payload["days"] for event in Event.objects.filter(name="certificate.expiring").order_by("id")] == [
        30,
        14,
        7,
        1,
    ]


def test_instance_takes_no_orders_once_its_certificate_expired(here, staff):
    instance = factories.instance(here)
    assert validity.certificate_problem(instance, clock.now()) == ""
    instance.certificate = installed(staff, days=40)
    assert validity.certificate_problem(instance, clock.now()) == ""
    instance.certificate.valid_to = dt.datetime(2026, 3, 5, 12, tzinfo=dt.UTC)
    words = validity.certificate_problem(instance, dt.datetime(2026, 3, 5, 12, tzinfo=dt.UTC))
    assert words == "The certificate expired on March 5, 2026."
